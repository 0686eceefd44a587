package io.fusespill.engine.event;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// What the engine decided, at the time of the input that made it decide.
public sealed interface DecisionEvent extends EngineEvent {

  /// A request is turned away as a whole, with every sequence of it.
  ///
  /// @param needed what it would have taken, in the unit of `reason`
  /// @param available what there is, in the same unit
  record RequestRejected(
      long atNanos,
      int request,
      int firstSequence,
      int samples,
      RejectionReason reason,
      long needed,
      long available)
      implements DecisionEvent {}

  /// A waiting sequence is bound to a device: it waits for that one from now on, and for no other.
  record SequenceRouted(long atNanos, int sequence, int device) implements DecisionEvent {}

  /// A waiting sequence starts to run on a device.
  ///
  /// @param keptBlocks leading blocks of its that are there with their KV, because another prompt
  ///   begins alike or the sequence left them when it was preempted
  record SequenceAdmitted(long atNanos, int sequence, int device, int keptBlocks)
      implements DecisionEvent {

    /// A sequence that starts from nothing.
    public SequenceAdmitted(long atNanos, int sequence, int device) {
      this(atNanos, sequence, device, 0);
    }
  }

  /// A running sequence loses its place. `RECOMPUTE` drops its KV and puts it in front of the
  /// waiting queue; the other kinds say why the transfer that follows was planned.
  record SequencePreempted(long atNanos, int sequence, PreemptionKind kind, PreemptionReason reason)
      implements DecisionEvent {}

  /// A way to handle a sequence was weighed against the others; what is done about it follows as
  /// events of its own.
  ///
  /// @param device the device that has no room, or can gain by the move
  /// @param remainingTokens output tokens that the sequence was expected to produce still
  /// @param blocks blocks of the device that it holds
  /// @param chosen index in `estimates` of what was chosen
  record HandlingChosen(
      long atNanos,
      int sequence,
      int device,
      int remainingTokens,
      int blocks,
      int chosen,
      List<HandlingEstimate> estimates)
      implements DecisionEvent {

    public HandlingChosen {
      estimates = List.copyOf(estimates);
      if (chosen < 0 || chosen >= estimates.size()) {
        throw new IllegalArgumentException(
            "handling %d of %d was chosen".formatted(chosen, estimates.size()));
      }
      if (remainingTokens < 0 || blocks < 0) {
        throw new IllegalArgumentException(
            "sequence %d is expected to produce %d tokens and holds %d blocks: neither can be negative"
                .formatted(sequence, remainingTokens, blocks));
      }
    }

    /// What was chosen.
    public HandlingEstimate choice() {
      return estimates.get(chosen);
    }
  }

  /// How much of a device's work another place should decode.
  ///
  /// @param place the place that takes it over
  /// @param sharePpm share of the device's decodes that should go there, in millionths
  /// @param closedFormPpm α* of the balance rule, in millionths
  /// @param tokensPerSecond the rate expected with that share
  /// @param aloneTokensPerSecond the rate expected with none
  record ShareChosen(
      long atNanos,
      int device,
      int place,
      int sharePpm,
      int closedFormPpm,
      long tokensPerSecond,
      long aloneTokensPerSecond)
      implements DecisionEvent {

    private static final int MILLION = 1_000_000;

    public ShareChosen {
      if (sharePpm < 0 || sharePpm > MILLION || closedFormPpm < 0 || closedFormPpm > MILLION) {
        throw new IllegalArgumentException(
            "a share of %d and one of %d millionths: 0 to 1000000 are legal"
                .formatted(sharePpm, closedFormPpm));
      }
      if (tokensPerSecond < 0 || aloneTokensPerSecond < 0) {
        throw new IllegalArgumentException(
            "rates of %d and %d tokens a second: neither can be negative"
                .formatted(tokensPerSecond, aloneTokensPerSecond));
      }
    }
  }

  /// The sequences resident in a place are put in order of arrival, oldest first; equals keep their
  /// order.
  record ResidentsSorted(long atNanos, int place) implements DecisionEvent {}

  /// Blocks will move between places.
  record TransferPlanned(long atNanos, TransferPlan plan) implements DecisionEvent {}

  /// A device will run a step.
  ///
  /// @param freeBlocks blocks of the device's pool that are free once the step has its own
  /// @param waiting sequences left in the waiting queue
  record StepPlanned(long atNanos, StepPlan plan, int freeBlocks, int waiting)
      implements DecisionEvent {}

  /// A sequence has ended and its blocks are free.
  record SequenceFinished(long atNanos, int sequence, FinishReason reason)
      implements DecisionEvent {}

  /// The hash of the state that all events before this one lead to.
  record Checkpointed(long atNanos, long stateHash) implements DecisionEvent {}
}
