package io.fusespill.replay.explain;

import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.plan.TransferMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What became of one sequence, in order of time. A time that never came is -1.
///
/// @param times in the order in which each phase and place was first met; they add up to the time
///   from arrival to the end
/// @param preemptions how often it lost its place; what a sample inherits from the first sequence's
///   past is that one's
public record Story(
    int sequence,
    RequestArrived request,
    List<Moment> moments,
    List<TimeIn> times,
    long firstTokenNanos,
    long lastTokenNanos,
    int outputTokens,
    int preemptions) {

  /// From the request's arrival to the sequence's first token, or -1.
  public long ttftNanos() {
    return firstTokenNanos < 0 ? -1 : firstTokenNanos - request.atNanos();
  }

  /// Mean time per token after the first; -1 below two tokens.
  public long tpotNanos() {
    return outputTokens < 2 ? -1 : (lastTokenNanos - firstTokenNanos) / (outputTokens - 1);
  }

  /// From the request's arrival to the sequence's last token so far, or -1.
  public long e2eNanos() {
    return lastTokenNanos < 0 ? -1 : lastTokenNanos - request.atNanos();
  }

  /// From the request's arrival to the sequence's end, or to that of the log: beyond the last token
  /// by the steps that ran ahead of it.
  public long totalNanos() {
    return times.stream().mapToLong(TimeIn::nanos).sum();
  }

  /// When the sequence ended, or the log.
  public long endNanos() {
    return request.atNanos() + totalNanos();
  }

  /// What it did at each time, in order and without gaps from arrival to end.
  public List<Span> spans() {
    List<Span> spans = new ArrayList<>();
    for (Moment moment : moments) {
      if (moment instanceof Moment.Stretch stretch && stretch.nanos() > 0) {
        spans.add(
            new Span(
                stretch.phase(),
                stretch.place(),
                stretch.atNanos(),
                stretch.untilNanos(),
                stretch,
                null));
      } else if (moment instanceof Moment.Moved moved && moved.mode() == TransferMode.ASYNC) {
        long until = moved.doneNanos() < 0 ? endNanos() : moved.doneNanos();
        if (until > moved.atNanos()) {
          spans.add(new Span(Phase.MOVING, moved.to(), moved.atNanos(), until, null, moved));
        }
      }
    }
    return spans;
  }

  /// A time in one phase.
  ///
  /// @param place where its KV is, or goes to; -1 while it waits
  /// @param stretch what it did, null while it moves
  /// @param moved how it moves, null while it does not
  public record Span(
      Phase phase,
      int place,
      long fromNanos,
      long untilNanos,
      Moment.@Nullable Stretch stretch,
      Moment.@Nullable Moved moved) {

    public long nanos() {
      return untilNanos - fromNanos;
    }
  }

  /// How long it was in a phase, wherever that was.
  public long nanosIn(Phase phase) {
    return times.stream().filter(time -> time.phase() == phase).mapToLong(TimeIn::nanos).sum();
  }

  /// Whether the log tells its end.
  public boolean ended() {
    return !moments.isEmpty()
        && (moments.getLast() instanceof Moment.Ended
            || moments.getLast() instanceof Moment.Rejected);
  }
}
