package io.fusespill.sim.workload;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.TraceReader;

/// The requests of a run, before they are read or drawn.
public sealed interface Workload permits TraceWorkload, GeneratedWorkload {

  /// The requests, the same each time for the same seed.
  ///
  /// @param seed of whatever is drawn
  TraceReader open(long seed);

  /// The same requests at other times.
  ///
  /// @param rate requests a second, above 0, or `inf` for all at once
  /// @throws IllegalArgumentException if it is not legal
  Workload atRate(String rate);

  /// The same requests with its own times pushed together or apart.
  ///
  /// @param factor on the rate; 2 halves every time between requests
  /// @throws IllegalArgumentException if there are no own times, or it is not legal
  Workload scaled(double factor);

  /// Whether all requests arrive at one instant because that was asked for: there is no rate then.
  boolean atOnce();

  /// What identifies the workload in a configuration.
  ObjectNode describe();

  /// How many requests there are. Reads a trace to its end.
  long count();
}
