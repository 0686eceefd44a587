/// Virtual time: a trace and a configuration in, a whole run out, on one thread and without a
/// clock.
@NullMarked
package io.fusespill.sim;

import org.jspecify.annotations.NullMarked;
