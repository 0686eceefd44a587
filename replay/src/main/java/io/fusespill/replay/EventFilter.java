package io.fusespill.replay;

import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import java.util.Set;

/// Which events of a log somebody wants to see.
///
/// @param from first position
/// @param to last position
/// @param sequence only events that name this sequence; -1 for all
/// @param kinds only events with these type names; empty for all
public record EventFilter(long from, long to, int sequence, Set<String> kinds) {

  /// Stands for "whatever the sequence".
  public static final int ANY_SEQUENCE = -1;

  public boolean accepts(long position, EngineEvent event) {
    return position >= from
        && position <= to
        && (kinds.isEmpty() || kinds.contains(event.getClass().getSimpleName()))
        && (sequence == ANY_SEQUENCE || names(event, sequence));
  }

  private static boolean names(EngineEvent event, int sequence) {
    return switch (event) {
      case StepPlanned e -> e.plan().sequences().contains(sequence);
      case StepCompleted e -> e.ended().contains(sequence);
      case SequenceRouted e -> e.sequence() == sequence;
      case SequenceAdmitted e -> e.sequence() == sequence;
      case SequencePreempted e -> e.sequence() == sequence;
      case SequenceFinished e -> e.sequence() == sequence;
      case TransferPlanned e -> e.plan().sequences().contains(sequence);
      case RequestArrived e -> within(sequence, e.firstSequence(), e.samples());
      case RequestRejected e -> within(sequence, e.firstSequence(), e.samples());
      case HandlingChosen e -> e.sequence() == sequence;
      case ShareChosen e -> false;
      case RequestCancelled e -> false;
      case SequenceFailed e -> e.sequence() == sequence;
      case StepFailed e -> false;
      case TransferCompleted e -> false;
      case TransferFailed e -> false;
      case PlaceFailed e -> false;
      case PlaceRestored e -> false;
      case RunStarted e -> false;
      case ConfigurationChanged e -> false;
      case ResidentsSorted e -> false;
      case Checkpointed e -> false;
    };
  }

  private static boolean within(int sequence, int first, int count) {
    return sequence >= first && sequence < first + count;
  }
}
