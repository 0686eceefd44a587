/// What a step or a transfer costs in nanoseconds: computed from a roofline, or fitted to
/// measurements.
@NullMarked
package io.fusespill.sim.cost;

import org.jspecify.annotations.NullMarked;
