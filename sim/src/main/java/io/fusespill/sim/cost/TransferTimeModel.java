package io.fusespill.sim.cost;

/// The time of a transfer over a link.
public interface TransferTimeModel {

  /// Nanoseconds from a transfer's planning until an idle link begins with it, at least 0. They
  /// pass while it queues behind another.
  long beginNanos();

  /// Nanoseconds for which it then has the link, at least 1.
  ///
  /// @param bytes of all copies together, at least 0
  /// @param copies at least 0
  long nanos(long bytes, long copies);
}
