package io.fusespill.replay.explain;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;

/// A log by hand: two devices and a host that attends. Only what the folds read is filled in.
final class EventScript {

  static final int GPU = 0;
  static final int OTHER_GPU = 1;
  static final int HOST = 2;

  private final List<EngineEvent> events = new ArrayList<>();
  private final long[] steps = new long[3];
  private final long[] completed = new long[3];
  private int requests;
  private int sequences;
  private int transfers;
  private long now;

  EventScript() {
    Topology topology =
        new Topology(
            List.of(
                Place.device(GPU, "gpu", 10),
                Place.device(OTHER_GPU, "other", 10),
                Place.attendingHost(HOST, "host", 100)),
            List.of());
    add(
        new RunStarted(
            0,
            "test",
            "",
            0,
            new EngineConfig(
                new KvLayout(16, 1, 1),
                new EngineLimits(8, 64, 1_000, 3, 0),
                topology,
                PolicySpec.of("fusespill"))));
  }

  List<EngineEvent> events() {
    return events;
  }

  long position() {
    return events.size();
  }

  EventScript add(EngineEvent event) {
    events.add(event);
    return this;
  }

  EventScript at(long nanos) {
    now = nanos;
    return this;
  }

  EventScript arrives(int promptTokens) {
    return arrives(promptTokens, 1);
  }

  EventScript arrives(int promptTokens, int samples) {
    add(new RequestArrived(now, requests++, sequences, samples, promptTokens, 500));
    sequences += samples;
    return this;
  }

  EventScript routes(int sequence) {
    return add(new SequenceRouted(now, sequence, GPU));
  }

  EventScript admits(int sequence) {
    return add(new SequenceAdmitted(now, sequence, GPU));
  }

  /// One entry.
  EventScript plans(int device, int sequence, int computed, int tokens) {
    return add(new StepPlanned(now, plan(device, sequence, computed, tokens), 0, 0));
  }

  /// One token with attention on the host.
  EventScript plansRemote(int sequence, int computed) {
    return add(new StepPlanned(now, plan(GPU, sequence, computed, 1).withRemote(HOST, 1), 0, 0));
  }

  private StepPlan plan(int device, int sequence, int computed, int tokens) {
    return new StepPlan(
        device,
        steps[device]++,
        Ints.of(sequence),
        Ints.of(tokens),
        Ints.of(computed),
        Ints.EMPTY,
        List.of(),
        Ints.EMPTY,
        tokens);
  }

  EventScript completes(int device, int... ended) {
    return add(new StepCompleted(now, device, completed[device]++, Ints.of(ended), Ints.EMPTY, 0));
  }

  EventScript fails(int device) {
    return add(new StepFailed(now, device, completed[device]++, "broken"));
  }

  /// The oldest step of the device can sample no token for the sequence.
  EventScript fails(int device, int sequence) {
    return add(new SequenceFailed(now, device, completed[device], sequence, "no number"));
  }

  EventScript preempts(int sequence, PreemptionKind kind) {
    return add(
        new SequencePreempted(
            now,
            sequence,
            kind,
            kind == PreemptionKind.OFFLOAD
                ? PreemptionReason.OFFLOADED
                : PreemptionReason.OUT_OF_BLOCKS));
  }

  EventScript moves(int sequence, TransferKind kind, int from, int to) {
    return add(
        new TransferPlanned(
            now,
            new TransferPlan(
                transfers++,
                kind,
                TransferMode.ASYNC,
                from,
                to,
                Ints.of(sequence),
                Ints.of(1, 2),
                Ints.of(3, 4))));
  }

  /// The newest transfer.
  EventScript arrivesThere() {
    return add(new TransferCompleted(now, transfers - 1));
  }

  /// The newest transfer.
  EventScript getsLost() {
    return add(new TransferFailed(now, transfers - 1, "broken"));
  }

  /// Chooses the first of some estimates.
  EventScript chooses(int sequence, int remaining, HandlingEstimate... estimates) {
    return add(new HandlingChosen(now, sequence, GPU, remaining, 2, 0, List.of(estimates)));
  }

  EventScript finishes(int sequence, FinishReason reason) {
    return add(new SequenceFinished(now, sequence, reason));
  }

  /// Arrives at 0, is admitted at 100, has its first of `outputs` tokens at 200 and each next 10
  /// later, with nothing in flight at the end.
  EventScript runs(int promptTokens, int outputs) {
    int sequence = sequences;
    at(now).arrives(promptTokens).at(now + 100).admits(sequence);
    plans(GPU, sequence, 0, promptTokens).at(now + 100).completes(GPU);
    for (int i = 1; i < outputs; i++) {
      plans(GPU, sequence, promptTokens + i - 1, 1).at(now + 10).completes(GPU);
    }
    return this;
  }
}
