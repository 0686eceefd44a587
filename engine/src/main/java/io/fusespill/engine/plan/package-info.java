/// What one forward pass computes and which blocks a transfer moves, as immutable values.
@NullMarked
package io.fusespill.engine.plan;

import org.jspecify.annotations.NullMarked;
