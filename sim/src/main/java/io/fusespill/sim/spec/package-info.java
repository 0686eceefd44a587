/// Files that people write, checked as a whole: every problem is told with its path.
@NullMarked
package io.fusespill.sim.spec;

import org.jspecify.annotations.NullMarked;
