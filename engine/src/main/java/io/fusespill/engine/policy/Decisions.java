package io.fusespill.engine.policy;

import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import java.util.List;

/// What a policy may do. Each call is checked first, then logged, then applied; one that fails the
/// check throws `IllegalStateException` and has changed nothing.
public interface Decisions {

  /// Turns the request away, with every sequence of it.
  void reject(Request request, RejectionReason reason, long needed, long available);

  /// Binds a waiting sequence to the device: it goes to the end of those that wait for that one
  /// alone, and comes back to the front of them when it is preempted by recompute.
  void route(Sequence sequence, int device);

  /// Moves a waiting sequence to the end of the device's running ones. Its blocks come with its
  /// first step.
  default void admit(Sequence sequence, int device) {
    admit(sequence, device, 0);
  }

  /// As [#admit(Sequence, int)], with its first `keptBlocks` blocks as they are there.
  ///
  /// @param keptBlocks at most what the view says that are kept
  void admit(Sequence sequence, int device, int keptBlocks);

  /// Records the preemption; with [PreemptionKind#RECOMPUTE] the sequence drops its KV and goes to
  /// the front of the queue that it waits in.
  void preempt(Sequence sequence, PreemptionKind kind, PreemptionReason reason);

  /// Records what was weighed for a sequence that runs on `device`, and which of it will be done.
  void weigh(
      Sequence sequence,
      int device,
      int remainingTokens,
      List<HandlingEstimate> estimates,
      int chosen);

  /// Records how much of the device's work another place should take.
  void share(
      int device,
      int place,
      int sharePpm,
      int closedFormPpm,
      long tokensPerSecond,
      long aloneTokensPerSecond);

  /// Puts the residents of `place` in order of arrival, where they are not.
  void sortResidents(int place);

  /// Moves the KV of `sequences`, all resident in `from`, to `to`.
  ///
  /// @return whether `to` had room; nothing happens where it has not
  boolean transfer(int from, int to, TransferMode mode, Ints sequences);

  /// The distinct blocks that `sequences` hold.
  int distinctBlocks(Ints sequences);

  /// An empty step for `device`, in the place of any that was begun before.
  StepDraft draft(int device);

  /// Starts the drafted step, together with the ordered transfers planned on its device.
  ///
  /// @param batchedTokens tokens that the linear layers run through, padding included
  void start(StepDraft draft, int batchedTokens);
}
