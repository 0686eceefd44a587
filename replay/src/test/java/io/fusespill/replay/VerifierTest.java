package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.EngineState;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.World;
import io.fusespill.sim.cost.RooflineModel;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.traces.TraceRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A recorded run verifies; every mechanical change to it is found where it was made, or where it
/// first matters.
class VerifierTest {

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "continuous"})
  void recordedRun_verifiesAndFoldsToTheHashOfItsCheckpoint(String policy) {
    List<EngineEvent> events = record(policy);
    Verifier verifier = verify(events);
    assertThat(verifier.divergence()).isEmpty();
    assertThat(verifier.inputs() + verifier.decisions()).isEqualTo(events.size());
    EngineState folded = new EngineState();
    events.forEach(folded::apply);
    assertThat(((Checkpointed) events.getLast()).stateHash()).isEqualTo(folded.hash());
    assertThat(verifier.stateHash()).isEqualTo(folded.hash());
    assertThat(verifier.cutOff()).isFalse();
    assertThat(verify(events.subList(0, events.size() - 1)).cutOff()).isTrue();
  }

  @Test
  void everyPrefix_verifies() {
    List<EngineEvent> events = record("vllm-0.2.7");
    for (int length = 0; length <= events.size(); length += 7) {
      assertThat(verify(events.subList(0, length)).divergence())
          .as("first %d events", length)
          .isEmpty();
    }
  }

  @Test
  void decisionLeftOut_isFoundAtItsPosition() {
    List<EngineEvent> events = record("vllm-0.2.7");
    for (int position = 1; position < events.size() - 1; position++) {
      if (events.get(position) instanceof DecisionEvent
          && !events.get(position).equals(events.get(position + 1))) {
        List<EngineEvent> changed = new ArrayList<>(events);
        EngineEvent left = changed.remove(position);
        Divergence divergence = verify(changed).divergence().orElseThrow();
        assertThat(divergence.position()).as("without %s", left).isEqualTo(position);
        assertThat(divergence.decided()).isEqualTo(left);
      }
    }
  }

  @Test
  void decisionAltered_isFoundAtItsPositionWithBothStateHashes() {
    List<EngineEvent> events = new ArrayList<>(record("continuous"));
    int position = firstOf(events, SequencePreempted.class);
    SequencePreempted original = (SequencePreempted) events.get(position);
    SequencePreempted altered =
        new SequencePreempted(
            original.atNanos(), original.sequence() - 1, original.kind(), original.reason());
    events.set(position, altered);
    Divergence divergence = verify(events).divergence().orElseThrow();
    assertThat(divergence.position()).isEqualTo(position);
    assertThat(divergence.recorded()).isEqualTo(altered);
    assertThat(divergence.decided()).isEqualTo(original);
    assertThat(divergence.recordedStateHash()).isNotZero();
    assertThat(divergence.decidedStateHash()).isNotEqualTo(divergence.recordedStateHash());
  }

  @Test
  void inputAltered_isFoundWhereItFirstMatters() {
    List<EngineEvent> events = new ArrayList<>(record("continuous"));
    int position = firstOf(events, RequestArrived.class);
    RequestArrived arrived = (RequestArrived) events.get(position);
    events.set(
        position,
        new RequestArrived(
            arrived.atNanos(),
            arrived.request(),
            arrived.firstSequence(),
            arrived.samples(),
            arrived.promptTokens() + 1,
            arrived.maxOutputTokens()));
    assertThat(verify(events).divergence().orElseThrow().position()).isGreaterThan(position);
  }

  @Test
  void inputThatCannotFollow_isADivergenceAndNoCrash() {
    List<EngineEvent> events = record("continuous");
    int position = firstOf(events, StepCompleted.class);
    StepCompleted completed = (StepCompleted) events.get(position);
    for (StepCompleted wrong :
        List.of(
            new StepCompleted(completed.atNanos(), 0, completed.step() + 1, Ints.EMPTY, Ints.EMPTY),
            new StepCompleted(completed.atNanos(), 1, completed.step(), Ints.EMPTY, Ints.EMPTY),
            new StepCompleted(completed.atNanos(), 7, completed.step(), Ints.EMPTY, Ints.EMPTY),
            new StepCompleted(completed.atNanos(), 0, completed.step(), Ints.of(99), Ints.EMPTY))) {
      List<EngineEvent> changed = new ArrayList<>(events);
      changed.set(position, wrong);
      assertThat(verify(changed).divergence()).as("%s", wrong).isPresent();
    }
  }

  @Test
  void logWithoutItsStart_isADivergenceAtZero() {
    List<EngineEvent> events = record("continuous");
    assertThat(verify(events.subList(1, events.size())).divergence().orElseThrow().position())
        .isZero();
  }

  private static int firstOf(List<EngineEvent> events, Class<? extends EngineEvent> type) {
    for (int i = 0; i < events.size(); i++) {
      if (type.isInstance(events.get(i))) {
        return i;
      }
    }
    throw new AssertionError("the run has no " + type.getSimpleName());
  }

  private static Verifier verify(List<EngineEvent> events) {
    Verifier verifier = new Verifier();
    EventEncoder encoder = new EventEncoder();
    for (int position = 0; position < events.size(); position++) {
      int length = encoder.encode(position, events.get(position));
      if (!verifier.accept(position, events.get(position), encoder.bytes(), length)) {
        break;
      }
    }
    return verifier;
  }

  /// Twelve requests that do not all fit on a device with 30 blocks beside a host with 20.
  private static List<EngineEvent> record(String policy) {
    EngineConfig config =
        new EngineConfig(
            new KvLayout(16, 8 << 20, 64),
            new EngineLimits(16, 2048, 2048, 3, 40),
            new Topology(
                List.of(Place.device(0, "gpu", 30), Place.host(1, "host", 20)),
                List.of(
                    new Link(0, 1, 16_000_000_000L, 2000), new Link(1, 0, 16_000_000_000L, 2000))),
            PolicySpec.of(policy));
    List<TraceRequest> workload = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      workload.add(new TraceRequest(i * 3_000_000L, 20 + 13 * i % 90, 10 + 29 * i % 70));
    }
    RooflineModel model =
        new RooflineModel(HardwareProfiles.named("a10"), ModelProfiles.named("vicuna-7b"), 16);
    List<EngineEvent> events = new ArrayList<>();
    new Simulation(
            new Simulation.Setup(
                new RunStarted(0, "test", "", 5, config),
                new World(List.of(model, model), new Faults(10_000, 0, 50_000, 1_000_000_000L)),
                2),
            workload.iterator(),
            event -> {
              events.add(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {})
        .run();
    return events;
  }
}
