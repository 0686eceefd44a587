/// Cost profiles made from measurements: a fit of step and transfer times, and the tables of
/// kernels that others published.
@NullMarked
package io.fusespill.sim.calibrate;

import org.jspecify.annotations.NullMarked;
