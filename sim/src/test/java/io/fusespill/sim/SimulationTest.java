package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.Engine;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineView;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a log leaves under way, on a device whose steps take 1,000 ns and a link that carries a
/// block in 1,001,000.
class SimulationTest {

  private static final int REQUESTS = 3;
  private static final int PROMPT = 16;
  private static final long COPY = 1_001_000;
  private static final long LATE = 500_000;

  private static final StepTimeModel STEP =
      new StepTimeModel() {
        @Override
        public long nanos(StepShape shape) {
          return 1_000;
        }

        @Override
        public StepCost breakdown(StepShape shape) {
          return new StepCost(0, 0, 0, 0, 0, 0, 0, 0, 1_000, false);
        }
      };

  private static final EngineConfig CONFIG =
      new EngineConfig(
          new KvLayout(PROMPT, 1_000_000, 2),
          new EngineLimits(8, 64, 128, 3, 0),
          new Topology(
              List.of(Place.device(0, "gpu", 9), Place.host(1, "host", 9)),
              List.of(
                  new Link(0, 1, 1_000_000_000L, 500, Link.OWN_CHANNEL),
                  new Link(1, 0, 1_000_000_000L, 500, Link.OWN_CHANNEL))),
          PolicySpec.of("continuous"));

  /// Computes three prompts, swaps two of them out one behind the other, and the third when the
  /// link is idle again.
  private static final class TwoThenOne implements SchedulingPolicy {
    private int round;

    @Override
    public Round schedule(EngineView view, int device, Decisions decisions) {
      if (round == 0) {
        StepDraft draft = decisions.draft(0);
        for (int i = 0; i < REQUESTS; i++) {
          decisions.admit(view.waiting().get(0), 0);
          draft.add(view.residents(0).get(i), PROMPT);
        }
        decisions.start(draft, draft.tokens());
        round++;
      } else if (round == 1 && view.stepInFlight(0) == null) {
        swapOut(view, decisions, 0);
        swapOut(view, decisions, 1);
        round++;
      } else if (round == 2 && view.transfersInFlight() == 0) {
        swapOut(view, decisions, 2);
        round++;
      }
      return Round.SETTLED;
    }

    private static void swapOut(EngineView view, Decisions decisions, int sequence) {
      decisions.preempt(
          view.residents(0).get(0), PreemptionKind.SWAP, PreemptionReason.OUT_OF_BLOCKS);
      decisions.transfer(0, 1, TransferMode.ASYNC, Ints.of(sequence));
    }
  }

  @Test
  void copiesThatAreLateTogether_moveTheirChannelOnce() {
    SchedulingPolicy policy = new TwoThenOne();
    List<EngineEvent> recorded = new ArrayList<>();
    Engine engine =
        new Engine(
            CONFIG,
            policy,
            event -> {
              recorded.add(event);
              return recorded.size() - 1;
            });
    RunStarted start = new RunStarted(0, "test", "", 0, CONFIG);
    engine.accept(start);
    for (int i = 0; i < REQUESTS; i++) {
      engine.accept(new RequestArrived(0, i, i, 1, PROMPT, 50, 0, Prompt.NONE));
    }
    engine.schedule();
    long swapped = 1_000;
    engine.accept(new StepCompleted(swapped, 0, 0, Ints.EMPTY, Ints.EMPTY));
    engine.schedule();
    engine.accept(new TransferCompleted(swapped + COPY + LATE, 0));
    engine.schedule();
    long idle = swapped + 2 * COPY + LATE;
    engine.accept(new TransferCompleted(idle, 1));
    engine.schedule();

    List<EngineEvent> branched = new ArrayList<>();
    World world = new World(List.of(STEP, STEP), Faults.NONE, config -> policy);
    Arrival arrival = new Arrival(0, PROMPT, 1, Arrival.NO_MAXIMUM, 0, 20, 10 * COPY);
    Simulation simulation =
        Simulation.ofArrivals(
            new Simulation.Setup(start, world, 1),
            Collections.nCopies(REQUESTS, arrival).iterator(),
            event -> {
              branched.add(event);
              return branched.size() - 1;
            },
            (arrived, live, now) -> {});
    recorded.forEach(simulation::replay);
    simulation.branch(new ConfigurationChanged(idle, "", CONFIG));
    assertThat(branched)
        .filteredOn(TransferCompleted.class::isInstance)
        .last()
        .isEqualTo(new TransferCompleted(idle + COPY, 2));
  }
}
