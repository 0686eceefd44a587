/// Sweeps: a specification becomes scenarios, an engine runs them, and their figures become a
/// table. Capacity, price and Pareto searches stand on the same pieces.
@NullMarked
package io.fusespill.sweep;

import org.jspecify.annotations.NullMarked;
