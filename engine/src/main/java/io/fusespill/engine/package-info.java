/// The deterministic scheduling engine: inputs in total order give decisions.
///
/// No clock, no threads, no I/O and no floating point in state; it depends on the JDK alone. Start
/// reading at [Engine].
@NullMarked
package io.fusespill.engine;

import org.jspecify.annotations.NullMarked;
