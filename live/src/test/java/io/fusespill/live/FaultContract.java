package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.live.LiveFixture.Run;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Steps and copies that fail, and a device that dies, cost time and no token.
@Timeout(300)
abstract class FaultContract {

  static final String MODEL = "llama3-gqa-ropescaled-tied-sharded";
  private static final double MIB = 1.0 / 1024;
  private static final int AMPLE = 16_384;

  private final Hardware hardware;

  private static final int ATTEMPTS = 8;

  @TempDir private Path temp;

  FaultContract(Hardware hardware) {
    this.hardware = hardware;
  }

  private Run disturbed(LiveSpec spec, int samples, UnaryOperator<LiveFixture> disturbance) {
    return disturbed(spec, samples, disturbance, run -> true);
  }

  /// What spills and how goes by real times: a run has several tries to show what it must.
  private Run disturbed(
      LiveSpec spec, int samples, UnaryOperator<LiveFixture> disturbance, Predicate<Run> shows) {
    try (LiveFixture live = LiveFixture.open(MODEL, temp)) {
      List<TextRequest> requests = live.requests(30 / samples, samples, 41);
      Run calm =
          live.run(
              "calm", LiveFixture.spec(PolicySpec.of("continuous"), 1, hardware, AMPLE), requests);
      Run run = null;
      for (int attempt = 0; attempt < ATTEMPTS && (run == null || !shows.test(run)); attempt++) {
        run = disturbance.apply(live).run("disturbed-" + attempt, spec, requests);
        hardware.requireAlike(live, requests, calm, run);
      }
      assertThat(run).isNotNull().matches(shows, "shows what it must");
      return run;
    }
  }

  private LiveSpec spilling(int depth) {
    return LiveFixture.spec(
        PolicySpec.of("fusespill"), depth, hardware, true, 64 * MIB, 0, 240, 240);
  }

  private LiveSpec two(int depth) {
    return LiveFixture.spec(PolicySpec.of("continuous"), depth, hardware, 320, 320);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 3", "3, 3"})
  void stepsAndCopiesSaidToHaveFailed_costNoToken(int depth, int samples) {
    disturbed(
        spilling(depth),
        samples,
        live -> live.withReports(reports -> new Faulty(reports, 40)),
        run -> run.count(StepFailed.class) > 0 && run.count(TransferFailed.class) > 0);
  }

  /// The first of each request's samples never comes so far that the others begin.
  @Test
  void stepsThatAllFail_leaveNothingBehind() {
    try (LiveFixture live = LiveFixture.open(MODEL, temp)) {
      Run run =
          live.withReports(reports -> new Faulty(reports, 1000))
              .run("failing", two(2), live.requests(4, 3, 41));
      assertThat(run.events())
          .filteredOn(SequenceFinished.class::isInstance)
          .hasSize(4)
          .allMatch(event -> ((SequenceFinished) event).reason() == FinishReason.FAILED);
    }
  }

  /// Divided by so little, the logit of a token of the prompt is no finite number.
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 3", "3, 3"})
  void requestWithoutFiniteLogits_endsWithoutItsNeighbours(int depth, int samples) {
    try (LiveFixture live = LiveFixture.open(MODEL, temp)) {
      List<TextRequest> plain = live.requests(8, samples, 41);
      Run calm = live.run("calm", two(1), plain);
      List<TextRequest> requests = new ArrayList<>(plain);
      TextRequest spoilt = requests.get(3);
      SamplingParams params =
          SamplingParams.parse(
              "{\"n\":%d,\"seed\":1,\"repetition_penalty\":1e-40,\"max_tokens\":9}"
                  .formatted(samples));
      requests.set(3, new TextRequest(0, spoilt.promptIds(), params, 9));
      Run run = live.run("spoilt", two(depth), requests);
      assertThat(run.outputs().get(3).samples())
          .containsExactly(new Output.Sample(0, Ints.EMPTY, FinishReason.FAILED));
      List<Output> others = new ArrayList<>(run.outputs());
      others.set(3, calm.outputs().get(3));
      hardware.requireAlike(live, plain, calm, new Run(others, run.events()));
      assertThat(run.count(StepFailed.class)).isZero();
      assertThat(run.events())
          .filteredOn(SequenceFailed.class::isInstance)
          .singleElement()
          .isInstanceOfSatisfying(
              SequenceFailed.class,
              failed -> assertThat(failed.cause()).contains("no finite maximum"));
    }
  }

  /// The executor is told to copy from a block that does not exist.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 6})
  void copiesThatFail_costNoToken(int depth) {
    disturbed(
        spilling(depth),
        1,
        live -> live.withOrders(WrongBlocks::new),
        run ->
            run.events().stream()
                .anyMatch(event ->
                    event instanceof TransferFailed failed && failed.cause().contains("block")));
  }

  /// Steps are queued on a device while others are in flight there, and some cannot be.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 6})
  void stepsThatCannotBegin_costNoToken(int depth) {
    Run run = disturbed(spilling(depth), 1, live -> live.withOrders(WrongSteps::new));
    assertThat(run.events())
        .anyMatch(event -> event instanceof StepFailed failed && failed.cause().contains("block"));
  }

  /// What it was at goes on computing for a while, and nobody listens.
  @ParameterizedTest
  @CsvSource({"30, 1", "0, 3"})
  void deviceThatIsSaidToBeGone_leavesItsSequencesToTheOther(int step, int samples) {
    Run run =
        disturbed(
            two(2), samples, live -> live.withReports(reports -> new AtStep(reports, step, false)));
    requireTakenOver(run);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void deviceWhoseThreadEnds_leavesItsSequencesToTheOther(int depth) {
    Run run =
        disturbed(
            two(depth), 1, live -> live.withReports(reports -> new AtStep(reports, 30, true)));
    PlaceFailed failed = requireTakenOver(run);
    assertThat(failed.cause()).contains("its thread has ended", "struck by lightning");
  }

  /// Blocks that a copy out of the place that is gone still writes are nobody else's meanwhile.
  @Test
  void copyThatOutlivesItsSource_costsNoToken() {
    AtomicReference<StepsOfZero> reports = new AtomicReference<>();
    disturbed(
        spilling(2),
        1,
        live ->
            live.withReports(
                    engine -> {
                      StepsOfZero counting = new StepsOfZero(engine);
                      reports.set(counting);
                      return counting;
                    })
                .withOrders(executor -> new LateCopy(executor, reports.get())),
        FaultContract::hasFailedLate);
  }

  private static boolean hasFailedLate(Run run) {
    int steps = 0;
    boolean gone = false;
    for (EngineEvent event : run.events()) {
      gone |= event instanceof PlaceFailed;
      steps += gone && event instanceof StepPlanned ? 1 : 0;
      if (event instanceof TransferFailed failed && failed.cause().equals("pulled out")) {
        return steps > 0;
      }
    }
    return false;
  }

  static PlaceFailed requireTakenOver(Run run) {
    List<EngineEvent> events = run.events();
    int died = 0;
    while (!(events.get(died) instanceof PlaceFailed)) {
      died++;
    }
    assertThat(events.subList(died, events.size()))
        .noneMatch(event -> event instanceof StepPlanned planned && planned.plan().device() == 0)
        .anyMatch(event -> event instanceof StepPlanned planned && planned.plan().device() == 1);
    return (PlaceFailed) events.get(died);
  }

  /// Passes an executor's orders on, with some copies of blocks that do not exist.
  private static final class WrongBlocks extends Orders {

    private static final int NO_BLOCK = 1 << 20;

    private int copies;

    WrongBlocks(Executor executor) {
      super(executor);
    }

    /// The last block of every fourth transfer.
    private TransferPlan wrong(TransferPlan plan) {
      if (plan.blocks() == 0 || copies++ % 4 != 1) {
        return plan;
      }
      int[] blocks = new int[plan.blocks()];
      for (int i = 0; i < blocks.length; i++) {
        blocks[i] = i < blocks.length - 1 ? plan.sourceBlocks().get(i) : NO_BLOCK;
      }
      return new TransferPlan(
          plan.transfer(),
          plan.kind(),
          plan.mode(),
          plan.from(),
          plan.to(),
          plan.sequences(),
          Ints.of(blocks),
          plan.targetBlocks());
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      super.execute(plan, before.stream().map(this::wrong).toList());
    }

    @Override
    public void transfer(TransferPlan plan) {
      super.transfer(wrong(plan));
    }
  }

  /// Passes an executor's orders on, every twelfth step with a copy of a block that does not exist.
  private static final class WrongSteps extends Orders {

    private int steps;

    WrongSteps(Executor executor) {
      super(executor);
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      List<TransferPlan> all = new ArrayList<>(before);
      if (++steps % 12 == 0) {
        all.add(
            new TransferPlan(
                0,
                TransferKind.SWAP_OUT,
                TransferMode.ORDERED,
                plan.device(),
                1 - plan.device(),
                Ints.of(plan.sequences().get(0)),
                Ints.of(WrongBlocks.NO_BLOCK),
                Ints.of(0)));
      }
      super.execute(plan, all);
    }
  }

  /// Passes an executor's orders on. Of the first copy out of device 0 it says that the device is
  /// gone, and makes it only some steps later.
  private static final class LateCopy extends Orders {

    private static final int STEPS = 4;

    private final StepsOfZero steps;
    private @Nullable TransferPlan late;
    private int later;

    LateCopy(Executor executor, StepsOfZero steps) {
      super(executor);
      this.steps = steps;
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      if (plan.device() == 0 && !steps.begin()) {
        return;
      }
      super.execute(plan, before);
      if (late != null && plan.device() == 1 && ++later == STEPS) {
        super.transfer(late);
      }
    }

    @Override
    public void transfer(TransferPlan plan) {
      if (late == null && plan.from() == 0) {
        late = plan;
        steps.pullOut();
      } else {
        super.transfer(plan);
      }
    }
  }

  /// Says that device 0 is gone once it is pulled out and its steps have ended, as executors do: no
  /// step of a place that is gone writes to others.
  private static final class StepsOfZero extends Reports {

    private int running;
    private boolean pulledOut;

    StepsOfZero(Completions engine) {
      super(engine);
    }

    /// @return whether a step may begin
    synchronized boolean begin() {
      running += pulledOut ? 0 : 1;
      return !pulledOut;
    }

    synchronized void pullOut() {
      pulledOut = true;
      sayOnceAllEnded();
    }

    private synchronized void end(int device) {
      if (device == 0) {
        running--;
        sayOnceAllEnded();
      }
    }

    private void sayOnceAllEnded() {
      if (pulledOut && running == 0) {
        placeFailed(0, "pulled out");
      }
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      super.stepCompleted(device, step, ended, sampledTokens, busyNanos);
      end(device);
    }

    @Override
    public void stepFailed(int device, long step, String cause) {
      super.stepFailed(device, step, cause);
      end(device);
    }
  }

  /// Passes an executor's reports on.
  private static class Reports implements Completions {

    final Completions engine;

    Reports(Completions engine) {
      this.engine = engine;
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      engine.stepCompleted(device, step, ended, sampledTokens, busyNanos);
    }

    @Override
    public void sequenceFailed(int device, long step, int sequence, String cause) {
      engine.sequenceFailed(device, step, sequence, cause);
    }

    @Override
    public void stepFailed(int device, long step, String cause) {
      engine.stepFailed(device, step, cause);
    }

    @Override
    public void transferCompleted(int transfer) {
      engine.transferCompleted(transfer);
    }

    @Override
    public void transferFailed(int transfer, String cause) {
      engine.transferFailed(transfer, cause);
    }

    @Override
    public void placeFailed(int place, String cause) {
      engine.placeFailed(place, cause);
    }
  }

  /// Says that the first step has failed, whose work is done, and now and then a later one or a
  /// copy.
  private static final class Faulty extends Reports {

    private final Random random = new Random(3);
    private final int failingSteps;

    /// @param failingSteps out of a thousand
    Faulty(Completions engine, int failingSteps) {
      super(engine);
      this.failingSteps = failingSteps;
    }

    /// Among the first are those that bring samples to life.
    private boolean first = true;

    private synchronized boolean stepFails() {
      boolean fails = first || fails(failingSteps);
      first = false;
      return fails;
    }

    private synchronized boolean fails(int permille) {
      return random.nextInt(1000) < permille;
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      if (stepFails()) {
        engine.stepFailed(device, step, "by chance");
      } else {
        super.stepCompleted(device, step, ended, sampledTokens, busyNanos);
      }
    }

    @Override
    public void transferCompleted(int transfer) {
      if (fails(200)) {
        engine.transferFailed(transfer, "by chance");
      } else {
        super.transferCompleted(transfer);
      }
    }
  }

  /// At one of its steps, says that device 0 is gone or ends its thread.
  private static final class AtStep extends Reports {

    private final int step;
    private final boolean throwing;

    AtStep(Completions engine, int step, boolean throwing) {
      super(engine);
      this.step = step;
      this.throwing = throwing;
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      if (device == 0 && step == this.step) {
        if (throwing) {
          throw new AssertionError("struck by lightning");
        }
        engine.placeFailed(0, "pulled out");
      }
      super.stepCompleted(device, step, ended, sampledTokens, busyNanos);
    }
  }
}
