package io.fusespill.sim.cost;

/// The time that a transfer occupies a link that is otherwise idle.
public interface TransferTimeModel {

  /// Nanoseconds, at least 1.
  ///
  /// @param bytes of all copies together, at least 0
  /// @param copies at least 0
  long nanos(long bytes, long copies);
}
