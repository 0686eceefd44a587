package io.fusespill.sim.calibrate;

/// A step that was planned in answer to the one before.
///
/// @param sequences in the step, at least 1
/// @param nanos by how much longer than a step that waits in the queue it waited; below 0 where it
///   waited less
public record SubmitSample(int sequences, long nanos) {

  public SubmitSample {
    if (sequences < 1) {
      throw new IllegalArgumentException("%d sequences, must be at least 1".formatted(sequences));
    }
  }
}
