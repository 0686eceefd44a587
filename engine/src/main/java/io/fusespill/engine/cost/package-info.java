/// What policies believe that steps and copies cost.
@NullMarked
package io.fusespill.engine.cost;

import org.jspecify.annotations.NullMarked;
