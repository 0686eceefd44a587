/// A grid of simulations from a file: platforms, models, workloads and policies, run in parallel
/// and compared on equal hardware.
@NullMarked
package io.fusespill.replay.evaluate;

import org.jspecify.annotations.NullMarked;
