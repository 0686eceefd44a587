package io.fusespill.engine.codec;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
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
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
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
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// At least one event of every type, plain ones and those at the ends of their ranges.
final class EventExamples {

  private static final int MAX = Integer.MAX_VALUE;

  private EventExamples() {}

  static final EngineConfig SMALL_CONFIG =
      new EngineConfig(
          new KvLayout(16, 300, 1),
          new EngineLimits(8, 64, 128, 3, 0),
          new Topology(
              List.of(Place.device(0, "gpu", 10), Place.host(1, "cpu", 5)),
              List.of(new Link(0, 1, 1_000, 7))),
          PolicySpec.of("continuous").with("reserve-prompt", "true"));

  static final EngineConfig LARGEST_CONFIG =
      new EngineConfig(
          new KvLayout(1_024, Long.MAX_VALUE, 65_536),
          new EngineLimits(65_536, 1 << 24, 1 << 24, 1_000, MAX),
          new Topology(
              List.of(
                  Place.device(0, "größter Beschleuniger \uD83D\uDE80", 100_000_000),
                  new Place(1, "", PlaceKind.HOST, true, 1),
                  Place.disk(2, "disk", 0)),
              List.of(new Link(0, 2, Long.MAX_VALUE, Long.MAX_VALUE), new Link(2, 0, 1, 0))),
          PolicySpec.of("").with("b", "").with("a", "\u0000"));

  static final EngineConfig SPILL_CONFIG =
      new EngineConfig(
          new KvLayout(16, 300, 1),
          new EngineLimits(8, 64, 128, 3, 0, 6),
          new Topology(
              List.of(Place.device(0, "gpu", 10), Place.attendingHost(1, "cpu", 5)),
              List.of(new Link(0, 1, 1_000, 7), new Link(1, 0, 1_000, 7))),
          PolicySpec.of("fusespill"),
          List.of(new StepCosts(1, 2, 3, 4, 5, 6, 7, 8, 1_000_000_000_000L), StepCosts.NONE),
          "oracle");

  /// What only the channels keep from version 1.
  static final EngineConfig CHANNEL_CONFIG =
      new EngineConfig(
          new KvLayout(16, 300, 1),
          new EngineLimits(8, 64, 128, 3, 0),
          new Topology(
              List.of(Place.device(0, "gpu", 10), Place.host(1, "cpu", 5), Place.disk(2, "d", 9)),
              List.of(
                  new Link(0, 1, 1_000, 7, 0),
                  new Link(1, 0, 1_000, 7, 1),
                  new Link(1, 2, 1_000, 7),
                  new Link(2, 1, 1_000, 7, 0))),
          PolicySpec.of("continuous"));

  static List<EngineEvent> all() {
    return List.of(
        new RunStarted(0, "1.0", "ab", -2, CHANNEL_CONFIG),
        new RunStarted(0, "1.0", "ab", -2, SMALL_CONFIG),
        new RunStarted(Long.MAX_VALUE, "", "", Long.MIN_VALUE, LARGEST_CONFIG),
        new RequestArrived(1, 0, 0, 1, 1, 1),
        new RequestArrived(1, MAX, MAX, 1_024, 1 << 24, MAX),
        new RunStarted(0, "1.0", "ab", -2, SPILL_CONFIG),
        new RequestArrived(1, 0, 0, 1, 1, 1, 1 << 24),
        new RequestArrived(1, 0, 0, 1, 3, 1, 0, new Prompt(Ints.of(9, 0, MAX), "")),
        new RequestArrived(1, 0, 0, 1, 1_025, 1, 0, new Prompt(Ints.of(9, 0, MAX), 512, "")),
        new RequestArrived(1, 0, 0, 1, 3, 1, 7, new Prompt(Ints.EMPTY, "{\"seed\":½}")),
        new StepCompleted(3, 1, 1, Ints.EMPTY, Ints.of(-1, MAX, 0, -1), 5),
        new PlaceFailed(4, 1_023, "¡gone!"),
        new PlaceRestored(5, MAX),
        new SequenceFailed(4, 1_023, Long.MAX_VALUE, MAX, "¡NaN!"),
        new SequenceFailed(4, 0, 0, 0, ""),
        new StepCompleted(3, 1, 1, Ints.of(7), Ints.EMPTY, Long.MAX_VALUE),
        new StepPlanned(12, step().withRemote(2, 2), 20, 1),
        new HandlingChosen(
            5,
            7,
            0,
            100,
            12,
            1,
            List.of(
                new HandlingEstimate(Handling.RECOMPUTE, -1, Long.MAX_VALUE, 1),
                new HandlingEstimate(Handling.SPILL, MAX - 1, 0, Long.MAX_VALUE))),
        new ShareChosen(5, 0, 1, 1_000_000, 0, Long.MAX_VALUE, 0),
        new ConfigurationChanged(1, "cd", SMALL_CONFIG),
        new ConfigurationChanged(1, "", SPILL_CONFIG),
        new SequencePreempted(9, 5, PreemptionKind.RECOMPUTE, PreemptionReason.POLICY_CHANGED),
        new RequestCancelled(2, 0),
        new RequestCancelled(2, MAX),
        new StepCompleted(3, 0, 0, Ints.EMPTY, Ints.EMPTY),
        new StepCompleted(3, MAX, Long.MAX_VALUE, Ints.of(7, 3, MAX, 0), Ints.of(MAX, 0, MAX)),
        new StepFailed(4, 0, 0, ""),
        new StepFailed(4, 1, Long.MAX_VALUE, "out of memory: ½ GB"),
        new TransferCompleted(5, MAX),
        new TransferFailed(6, MAX, "link down"),
        new RequestRejected(7, 3, 5, 2, RejectionReason.NEVER_FITS, 9, 8),
        new RequestRejected(
            7, MAX, MAX, MAX, RejectionReason.TOO_MANY_SAMPLES, Long.MAX_VALUE, Long.MAX_VALUE),
        new SequenceAdmitted(8, 5, 1),
        new SequenceAdmitted(8, 6, 1, 40),
        new SequenceRouted(8, MAX, 1_023),
        new SequencePreempted(9, 5, PreemptionKind.OFFLOAD, PreemptionReason.STEP_FAILED),
        new ResidentsSorted(10, 1_023),
        new TransferPlanned(11, transfer()),
        new StepPlanned(12, step(), 20, 1),
        new StepPlanned(12, copyStep(), 0, MAX),
        new SequenceFinished(13, 300, FinishReason.FAILED),
        new Checkpointed(14, 0x0123_4567_89AB_CDEFL),
        new Checkpointed(Long.MAX_VALUE, -1));
  }

  static TransferPlan transfer() {
    return new TransferPlan(
        129,
        TransferKind.SWAP_IN,
        TransferMode.ASYNC,
        1,
        0,
        Ints.of(4, 2),
        Ints.of(10, 11, 70),
        Ints.of(100, 3, 2));
  }

  static StepPlan step() {
    return new StepPlan(
        1,
        200,
        Ints.of(7, 3, 300),
        Ints.of(5, 1, 1),
        Ints.of(0, 16, 130),
        Ints.of(9, 2, 11),
        List.of(new BlockCopy(3, 4, 12)),
        Ints.of(2),
        7);
  }

  /// Nothing computed, transfers only.
  static StepPlan copyStep() {
    return new StepPlan(
        0, 0, Ints.EMPTY, Ints.EMPTY, Ints.EMPTY, Ints.EMPTY, List.of(), Ints.of(MAX, 0), 0);
  }
}
