package io.fusespill.replay.explain;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import org.jspecify.annotations.Nullable;

/// Something of a sequence's story that is worth a line. A time that never came is -1.
public sealed interface Moment {

  /// When it happened or began.
  long atNanos();

  /// Its request came.
  record Arrived(RequestArrived request) implements Moment {
    @Override
    public long atNanos() {
      return request.atNanos();
    }
  }

  /// From now on it waits for one device alone.
  record Bound(long atNanos, int device) implements Moment {}

  /// It was let onto a device.
  ///
  /// @param keptBlocks leading blocks of its that were there with their KV
  record Admitted(long atNanos, int device, int keptBlocks) implements Moment {}

  /// A time in one phase and one place; several steps are one stretch.
  ///
  /// @param place -1 while it waits
  /// @param steps entries of steps, those that count for nothing included
  /// @param tokens of a prefill those computed, of a decode those produced
  /// @param recomputedTokens of `tokens`, those that it had before a preemption
  /// @param pausedNanos how long, of the time, no step had it
  record Stretch(
      Phase phase,
      int place,
      long atNanos,
      long untilNanos,
      int steps,
      int tokens,
      int recomputedTokens,
      long pausedNanos)
      implements Moment {

    public long nanos() {
      return untilNanos - atNanos;
    }
  }

  /// It has its first output token.
  record FirstToken(long atNanos) implements Moment {}

  /// It came to life as a sample of a request whose prompt `parent` computed.
  record Forked(long atNanos, int parent) implements Moment {}

  /// A handling was chosen for it.
  record Chosen(Choice choice) implements Moment {
    @Override
    public long atNanos() {
      return choice.chosen().atNanos();
    }
  }

  /// It lost its place.
  record Preempted(long atNanos, PreemptionKind kind, PreemptionReason reason) implements Moment {}

  /// Its KV went from one place to another.
  ///
  /// @param failure why it came to nothing, null where it did not
  record Moved(
      long atNanos,
      long doneNanos,
      TransferKind kind,
      TransferMode mode,
      int from,
      int to,
      int blocks,
      @Nullable String failure)
      implements Moment {}

  /// A step that it was in failed.
  record StepLost(long atNanos, int device, String cause) implements Moment {}

  /// A step that it was in could sample no token for it.
  record Unsampled(long atNanos, int device, String cause) implements Moment {}

  /// Its client gave the request up.
  record Cancelled(long atNanos) implements Moment {}

  /// Its request was turned away.
  record Rejected(long atNanos, RejectionReason reason, long needed, long available)
      implements Moment {}

  /// It ended.
  record Ended(long atNanos, FinishReason reason) implements Moment {}
}
