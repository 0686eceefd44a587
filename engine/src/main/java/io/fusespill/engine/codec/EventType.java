package io.fusespill.engine.codec;

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
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import org.jspecify.annotations.Nullable;

/// The number that stands for an event's type in its bytes, and the newest version of its payload.
/// An event is written in the lowest version that can say it. Numbers are never given again; inputs
/// lie below 64, decisions from 64 up.
public enum EventType {
  RUN_STARTED(1, 2, RunStarted.class),
  REQUEST_ARRIVED(2, 4, RequestArrived.class),
  REQUEST_CANCELLED(3, 1, RequestCancelled.class),
  STEP_COMPLETED(4, 2, StepCompleted.class),
  STEP_FAILED(5, 1, StepFailed.class),
  TRANSFER_COMPLETED(6, 1, TransferCompleted.class),
  TRANSFER_FAILED(7, 1, TransferFailed.class),
  CONFIGURATION_CHANGED(8, 2, ConfigurationChanged.class),
  PLACE_FAILED(9, 1, PlaceFailed.class),
  PLACE_RESTORED(10, 1, PlaceRestored.class),
  SEQUENCE_FAILED(11, 1, SequenceFailed.class),
  REQUEST_REJECTED(64, 1, RequestRejected.class),
  SEQUENCE_ADMITTED(65, 2, SequenceAdmitted.class),
  SEQUENCE_PREEMPTED(66, 2, SequencePreempted.class),
  RESIDENTS_SORTED(67, 1, ResidentsSorted.class),
  TRANSFER_PLANNED(68, 1, TransferPlanned.class),
  STEP_PLANNED(69, 2, StepPlanned.class),
  SEQUENCE_FINISHED(70, 1, SequenceFinished.class),
  CHECKPOINTED(71, 1, Checkpointed.class),
  HANDLING_CHOSEN(72, 1, HandlingChosen.class),
  SHARE_CHOSEN(73, 1, ShareChosen.class),
  SEQUENCE_ROUTED(74, 1, SequenceRouted.class);

  private static final @Nullable EventType[] BY_NUMBER = new @Nullable EventType[75];

  static {
    for (EventType type : values()) {
      BY_NUMBER[type.number] = type;
    }
  }

  private final int number;
  private final int version;
  private final Class<? extends EngineEvent> event;

  EventType(int number, int version, Class<? extends EngineEvent> event) {
    this.number = number;
    this.version = version;
    this.event = event;
  }

  public int number() {
    return number;
  }

  /// The newest payload version.
  public int version() {
    return version;
  }

  /// The lowest payload version that can say `event`.
  static int versionFor(EngineEvent event) {
    return switch (event) {
      case RunStarted e -> ConfigCodec.isFirstVersion(e.config()) ? 1 : 2;
      case ConfigurationChanged e -> ConfigCodec.isFirstVersion(e.config()) ? 1 : 2;
      case RequestArrived e -> versionOf(e.prompt(), e.hintTokens());
      case StepCompleted e -> e.busyNanos() == 0 ? 1 : 2;
      case StepPlanned e -> e.plan().remoteEntries() == 0 ? 1 : 2;
      case SequenceAdmitted e -> e.keptBlocks() == 0 ? 1 : 2;
      case SequencePreempted e -> e.reason() == PreemptionReason.POLICY_CHANGED ? 2 : 1;
      default -> 1;
    };
  }

  private static int versionOf(Prompt prompt, int hintTokens) {
    if (prompt.tokensPerId() > 1) {
      return 4;
    }
    return prompt.equals(Prompt.NONE) ? (hintTokens == 0 ? 1 : 2) : 3;
  }

  public Class<? extends EngineEvent> event() {
    return event;
  }

  static EventType of(EngineEvent event) {
    return switch (event) {
      case RunStarted e -> RUN_STARTED;
      case ConfigurationChanged e -> CONFIGURATION_CHANGED;
      case RequestArrived e -> REQUEST_ARRIVED;
      case RequestCancelled e -> REQUEST_CANCELLED;
      case StepCompleted e -> STEP_COMPLETED;
      case StepFailed e -> STEP_FAILED;
      case TransferCompleted e -> TRANSFER_COMPLETED;
      case TransferFailed e -> TRANSFER_FAILED;
      case PlaceFailed e -> PLACE_FAILED;
      case PlaceRestored e -> PLACE_RESTORED;
      case SequenceFailed e -> SEQUENCE_FAILED;
      case RequestRejected e -> REQUEST_REJECTED;
      case SequenceAdmitted e -> SEQUENCE_ADMITTED;
      case SequencePreempted e -> SEQUENCE_PREEMPTED;
      case ResidentsSorted e -> RESIDENTS_SORTED;
      case TransferPlanned e -> TRANSFER_PLANNED;
      case StepPlanned e -> STEP_PLANNED;
      case SequenceFinished e -> SEQUENCE_FINISHED;
      case Checkpointed e -> CHECKPOINTED;
      case HandlingChosen e -> HANDLING_CHOSEN;
      case ShareChosen e -> SHARE_CHOSEN;
      case SequenceRouted e -> SEQUENCE_ROUTED;
    };
  }

  static @Nullable EventType numbered(int number) {
    return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
  }
}
