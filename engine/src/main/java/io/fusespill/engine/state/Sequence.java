package io.fusespill.engine.state;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import org.jspecify.annotations.Nullable;

/// One sample's progress: computed tokens chase known tokens, and each step lets them catch up.
/// Prefill, chunked prefill, recompute and decode are all this one case.
///
/// While steps are in flight, tokens that they compute are *planned*, and tokens that they will
/// sample are *placeholders*: known to come, but not what they are. The next step may build on
/// both.
public final class Sequence {

  /// Stands for "in no place".
  public static final int NOWHERE = -1;

  /// Stands for "has not moved".
  public static final long NEVER = -1;

  private final int id;
  private final Request request;
  final BlockTable table = new BlockTable();

  /// Full blocks that it had when it was preempted, in the pool of `formerPlace`.
  final BlockTable former = new BlockTable();

  int formerPlace = NOWHERE;
  SequenceStatus status = SequenceStatus.WAITING;
  int place = NOWHERE;
  int home = NOWHERE;
  int totalTokens;
  int computedTokens;
  int inFlightTokens;
  int placeholders;
  int unforked;
  int pins;
  int preemptions;
  int failures;
  long movedNanos = NEVER;
  boolean lost;
  int stepper = NOWHERE;
  @Nullable Handling intent;
  int intentPlace = NOWHERE;
  @Nullable FinishReason ending;

  Sequence(int id, Request request) {
    this.id = id;
    this.request = request;
    this.totalTokens = request.promptTokens();
  }

  public int id() {
    return id;
  }

  public Request request() {
    return request;
  }

  public SequenceStatus status() {
    return status;
  }

  /// The place that holds its blocks, [#NOWHERE] while it waits.
  public int place() {
    return place;
  }

  /// The device that it is bound to and waits for alone, [#NOWHERE] where any may take it.
  public int home() {
    return home;
  }

  /// Prompt plus output tokens known so far.
  public int totalTokens() {
    return totalTokens;
  }

  /// Leading tokens whose KV exists.
  public int computedTokens() {
    return computedTokens;
  }

  /// Leading tokens whose KV exists, or will once the steps in flight are done.
  public int plannedComputedTokens() {
    return computedTokens + inFlightTokens;
  }

  /// Tokens known so far, and those that the steps in flight will sample.
  public int plannedTotalTokens() {
    return totalTokens + placeholders;
  }

  /// Tokens that the next step could compute: none where the sequence is about to end for certain,
  /// has lost its KV, or has samples to fork first.
  public int pendingTokens() {
    if (ending != null
        || lost
        || request.cancelled
        || (placeholders > 0 && (unforked > 0 || plannedTotalTokens() >= request.lengthLimit))) {
      return 0;
    }
    return plannedTotalTokens() - plannedComputedTokens();
  }

  public int outputTokens() {
    return totalTokens - request.promptTokens();
  }

  /// Sequences that this one counts as under a limit on running sequences: itself and the samples
  /// that will fork from it when its prompt is done.
  public int seats() {
    return 1 + unforked;
  }

  /// Samples still to fork from this sequence.
  public int unforked() {
    return unforked;
  }

  public BlockTable table() {
    return table;
  }

  /// Whether a step in flight or a transfer uses its blocks.
  public boolean pinned() {
    return pins > 0;
  }

  public int preemptions() {
    return preemptions;
  }

  /// Whether a step that failed took its KV, and later steps in flight still use its blocks.
  public boolean lost() {
    return lost;
  }

  /// What was chosen for it and has not begun yet, or null; [Handling#OFFLOAD_DECODE] until it is
  /// with a device again, for its KV may have to pass through a host.
  public @Nullable Handling intent() {
    return intent;
  }

  /// Where its KV is to go by [#intent].
  public int intentPlace() {
    return intentPlace;
  }

  /// The device whose step computed it last, or whose stream moved it since, [#NOWHERE] before any
  /// has. While either is in flight, only that device may compute more.
  public int stepper() {
    return stepper;
  }

  /// When a transfer last brought its KV to where it is, or failed to take it away, [#NEVER] where
  /// none has.
  public long movedNanos() {
    return movedNanos;
  }

  /// Steps or transfers that failed in a row.
  public int failures() {
    return failures;
  }

  /// Why it is about to end, or null.
  public @Nullable FinishReason ending() {
    return ending;
  }
}
