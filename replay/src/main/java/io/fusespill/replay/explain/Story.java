package io.fusespill.replay.explain;

import io.fusespill.engine.event.InputEvent.RequestArrived;
import java.util.List;

/// What became of one sequence, in order of time. A time that never came is -1.
///
/// @param times in the order in which each phase and place was first met; they add up to the time
///   from arrival to the end
public record Story(
    int sequence,
    RequestArrived request,
    List<Moment> moments,
    List<TimeIn> times,
    long firstTokenNanos,
    long lastTokenNanos,
    int outputTokens) {

  /// From the request's arrival to the sequence's first token, or -1.
  public long ttftNanos() {
    return firstTokenNanos < 0 ? -1 : firstTokenNanos - request.atNanos();
  }

  /// Mean time per token after the first; -1 below two tokens.
  public long tpotNanos() {
    return outputTokens < 2 ? -1 : (lastTokenNanos - firstTokenNanos) / (outputTokens - 1);
  }

  /// From the request's arrival to the sequence's end, or to that of the log.
  public long totalNanos() {
    return times.stream().mapToLong(TimeIn::nanos).sum();
  }

  /// Whether the log tells its end.
  public boolean ended() {
    return !moments.isEmpty()
        && (moments.getLast() instanceof Moment.Ended
            || moments.getLast() instanceof Moment.Rejected);
  }
}
