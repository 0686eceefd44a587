package io.fusespill.sim;

/// How often the simulated world goes wrong, in cases per million.
///
/// @param steps steps that fail
/// @param transfers asynchronous transfers that fail
/// @param cancellations requests that their client gives up, at a time drawn evenly from the first
///   `cancelWithinNanos` after arrival
public record Faults(int steps, int transfers, int cancellations, long cancelWithinNanos) {

  public static final Faults NONE = new Faults(0, 0, 0, 1);

  private static final int MILLION = 1_000_000;

  public Faults {
    check("steps", steps);
    check("transfers", transfers);
    check("cancellations", cancellations);
    if (cancelWithinNanos < 1) {
      throw new IllegalArgumentException(
          "cancelWithinNanos is %d, must be at least 1".formatted(cancelWithinNanos));
    }
  }

  private static void check(String name, int perMillion) {
    if (perMillion < 0 || perMillion > MILLION) {
      throw new IllegalArgumentException(
          "fault rate of %s is %d per million, must be 0 to 1,000,000".formatted(name, perMillion));
    }
  }
}
