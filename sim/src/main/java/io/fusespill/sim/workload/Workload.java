package io.fusespill.sim.workload;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.TraceReader;

/// The requests of a run, before they are read or drawn.
public sealed interface Workload permits TraceWorkload, GeneratedWorkload {

  /// The requests, the same each time for the same seed.
  ///
  /// @param seed of whatever is drawn
  TraceReader open(long seed);

  /// What identifies the workload in a configuration.
  ObjectNode describe();

  /// How many requests there are. Reads a trace to its end.
  long count();
}
