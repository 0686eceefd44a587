package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FitErrors;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two devices whose steps take 1,000 ns, and two hosts that attend for both.
class SimulatedExecutorTest {

  private static final HostAttentionModel ATTENTION =
      new HostAttentionModel(
          HardwareProfiles.named("xeon-8358p"),
          LinkProfiles.named("pcie4"),
          1,
          ModelProfiles.named("qwen3-0.6b"));

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

  private final List<InputEvent> results = new ArrayList<>();
  private final long[] nextStep = new long[2];
  private SimulatedExecutor executor;
  private long now;

  @BeforeEach
  void start() {
    start(SubmitLatency.NONE, 0, Faults.NONE);
  }

  private void start(SubmitLatency submits, long seed, Faults faults) {
    start(submits, seed, faults, List.of());
  }

  private void start(SubmitLatency submits, long seed, Faults faults, List<FittedLink> links) {
    List<Place> places =
        List.of(
            Place.device(0, "gpu0", 64),
            Place.device(1, "gpu1", 64),
            Place.attendingHost(2, "host2", 64),
            Place.attendingHost(3, "host3", 64));
    EngineConfig config =
        new EngineConfig(
            new KvLayout(16, 1_000, 1),
            new EngineLimits(8, 64, 1_000, 3, 0, 8),
            new Topology(places, List.of(new Link(0, 2, 1_000_000_000, 0))),
            PolicySpec.of("continuous"));
    List<@Nullable HostAttentionModel> attention = Arrays.asList(null, null, ATTENTION, ATTENTION);
    World world =
        new World(
            List.of(STEP, STEP, STEP, STEP), attention, links, submits, faults, PolicyKind::create);
    executor =
        new SimulatedExecutor(config, world, seed, () -> now, (rank, event) -> results.add(event));
    executor.expect(0, 1, 10, 100);
    executor.expect(1, 1, 10, 100);
  }

  private static StepPlan plan(int device, long step, int sequence, int computed, int tokens) {
    return new StepPlan(
        device,
        step,
        Ints.of(sequence),
        Ints.of(tokens),
        Ints.of(computed),
        Ints.EMPTY,
        List.of(),
        Ints.EMPTY,
        tokens);
  }

  private StepCompleted decode(int device) {
    return execute(plan(device, nextStep[device]++, device, 20, 1));
  }

  private StepCompleted decodeAt(int device, int host) {
    return execute(plan(device, nextStep[device]++, device, 999, 1).withRemote(host, 1));
  }

  private StepCompleted execute(StepPlan plan) {
    executor.execute(plan, List.of());
    return (StepCompleted) results.getLast();
  }

  @Test
  void steps_runOneAfterTheOther() {
    assertThat(decode(0).atNanos()).isEqualTo(1_000);
    StepCompleted second = decode(0);
    assertThat(second.atNanos()).isEqualTo(2_000);
    assertThat(second.busyNanos()).isEqualTo(1_000);
    assertThat(second.step()).isEqualTo(1);
    now = 5_000;
    assertThat(decode(0).atNanos()).isEqualTo(6_000);
  }

  @Test
  void devices_runBesideOneAnother() {
    assertThat(decode(0).atNanos()).isEqualTo(1_000);
    assertThat(decode(1).atNanos()).isEqualTo(1_000);
  }

  /// Planned in answer to the step before, each step costs its own time and the submission.
  @Test
  void submission_isPaidByEachStepThatDoesNotQueue() {
    start(new SubmitLatency(250, 50), 0, Faults.NONE);
    for (int step = 1; step <= 4; step++) {
      StepCompleted done = decode(0);
      assertThat(done.atNanos()).isEqualTo(step * 1_300);
      assertThat(done.busyNanos()).isEqualTo(1_000);
      now = done.atNanos();
    }
  }

  @Test
  void submission_isHiddenByAStepThatRuns() {
    start(new SubmitLatency(250, 50), 0, Faults.NONE);
    long running = decode(0).atNanos();
    assertThat(running).isEqualTo(1_300);
    for (int step = 2; step <= 5; step++) {
      StepCompleted queued = decode(0);
      assertThat(queued.atNanos()).isEqualTo(300 + step * 1_000);
      now = running;
      running = queued.atNanos();
    }
  }

  /// One block is copied in 1,000 ns.
  @Test
  void submission_isPaidBeforeTheCopiesThatAStepWaitsFor() {
    start(new SubmitLatency(250, 50), 0, Faults.NONE);
    executor.execute(plan(0, 0, 0, 20, 1), List.of(swapOut(0, TransferMode.ORDERED)));
    assertThat(results.getLast().atNanos()).isEqualTo(300 + 1_000 + 1_000);
  }

  @Test
  void linkLatency_isPaidByATransferThatFindsItIdle_andHiddenByAQueue() {
    FitErrors errors = new FitErrors(1, 0, 0, 0, 0);
    start(
        SubmitLatency.NONE,
        0,
        Faults.NONE,
        List.of(new FittedLink("gpu0", "host2", 500, 1, new FeatureRange(1, 9), errors)));
    assertThat(swapOut(0)).isEqualTo(1_500);
    assertThat(swapOut(1)).isEqualTo(2_500);
    now = 2_200;
    assertThat(swapOut(2)).isEqualTo(3_700);
    now = 10_000;
    assertThat(swapOut(3)).isEqualTo(11_500);
  }

  private long swapOut(int transfer) {
    executor.transfer(swapOut(transfer, TransferMode.ASYNC));
    return results.getLast().atNanos();
  }

  private static TransferPlan swapOut(int transfer, TransferMode mode) {
    return new TransferPlan(
        transfer,
        TransferKind.SWAP_OUT,
        mode,
        0,
        2,
        Ints.of(0),
        Ints.of(transfer),
        Ints.of(transfer));
  }

  @Test
  void failure_takesWhatWasQueuedBeforeItWasKnown_andNothingElse() {
    start(SubmitLatency.NONE, seedOfOneFailure(), new Faults(500_000, 0, 0, 1));
    for (int step = 0; step < 3; step++) {
      executor.execute(plan(0, step, 0, 20, 1), List.of());
    }
    now = 1_000;
    executor.execute(plan(0, 3, 0, 20, 1), List.of());
    assertThat(results)
        .extracting(result -> result.getClass().getSimpleName() + " " + result.atNanos())
        .containsExactly(
            "StepFailed 1000", "StepFailed 2000", "StepFailed 3000", "StepCompleted 4000");
    assertThat(((StepFailed) results.getFirst()).cause()).isEqualTo("injected fault");
  }

  @Test
  void failure_ofOneDevice_leavesTheOtherAlone() {
    start(SubmitLatency.NONE, seedOfOneFailure(), new Faults(500_000, 0, 0, 1));
    executor.execute(plan(0, 0, 0, 20, 1), List.of());
    executor.execute(plan(1, 0, 1, 20, 1), List.of());
    assertThat(results.getFirst()).isInstanceOf(StepFailed.class);
    assertThat(results.getLast()).isInstanceOf(StepCompleted.class);
  }

  /// A seed under which the first step is struck, by even chances, and the second is not.
  private static long seedOfOneFailure() {
    return LongStream.range(0, 1_000)
        .filter(seed -> {
          SeededRandom luck = new SeededRandom(seed, "step faults");
          return luck.nextInt(1, 1_000_000) <= 500_000 && luck.nextInt(1, 1_000_000) > 500_000;
        })
        .findFirst()
        .orElseThrow();
  }

  @Test
  void hostThatAttendsForTwoDevices_sharesItsBandwidth() {
    long alone = ATTENTION.nanos(1, 1_000, 1);
    long shared = ATTENTION.nanos(1, 1_000, 2);
    assertThat(decodeAt(0, 2).busyNanos()).isEqualTo(1_000 + alone);
    assertThat(decodeAt(1, 2).busyNanos()).isEqualTo(1_000 + shared);
    now = 10_000_000;
    assertThat(decodeAt(1, 2).busyNanos()).isEqualTo(1_000 + alone);
  }

  @Test
  void hosts_doNotShareWithEachOther() {
    long alone = ATTENTION.nanos(1, 1_000, 1);
    decodeAt(0, 2);
    assertThat(decodeAt(1, 3).busyNanos()).isEqualTo(1_000 + alone);
  }

  @Test
  void end_isToldOnceByTheStepThatSamplesTheLastToken() {
    executor.expect(2, 1, 10, 3);
    assertThat(execute(plan(0, 0, 2, 0, 10)).ended()).isEqualTo(Ints.EMPTY);
    assertThat(execute(plan(0, 1, 2, 10, 1)).ended()).isEqualTo(Ints.EMPTY);
    assertThat(execute(plan(0, 2, 2, 11, 1)).ended()).isEqualTo(Ints.of(2));
    assertThat(execute(plan(0, 3, 2, 12, 1)).ended()).isEqualTo(Ints.EMPTY);
  }

  /// Samples come to life once, however often the prompt is computed again.
  @Test
  void sampleThatHasEnded_isNotExpectedAgain() {
    executor.expect(2, 2, 10, 3);
    execute(plan(0, 0, 2, 0, 10));
    execute(plan(0, 1, 3, 10, 1));
    executor.release(3);
    execute(plan(0, 2, 2, 0, 10));
    assertThatThrownBy(() -> execute(plan(0, 3, 3, 10, 1)))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining("sequence 3, which is not expected");
  }
}
