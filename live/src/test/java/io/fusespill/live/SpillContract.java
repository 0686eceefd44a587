package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.live.LiveFixture.Run;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// However a run's KV is spilled, every request gets the tokens that it gets with ample memory.
@Timeout(300)
abstract class SpillContract {

  /// Runs until a policy that goes by real times has done what is looked for.
  private static final int ATTEMPTS = 20;

  private static final int REQUESTS = 24;

  /// Tokens: a quarter of what the requests need at once.
  static final int FEW = 240;

  private static final int AMPLE = 16_384;
  static final double MIB = 1.0 / 1024;

  private final Hardware hardware;

  @TempDir private Path temp;

  SpillContract(Hardware hardware) {
    this.hardware = hardware;
  }

  private static boolean moves(EngineEvent event, TransferKind kind) {
    return event instanceof TransferPlanned planned && planned.plan().kind() == kind;
  }

  private static boolean movesSeveral(EngineEvent event) {
    return event instanceof TransferPlanned planned && planned.plan().sequences().size() > 1;
  }

  private static boolean recomputes(EngineEvent event) {
    return event instanceof SequencePreempted preempted
        && preempted.kind() == PreemptionKind.RECOMPUTE;
  }

  private static boolean attendsRemotely(EngineEvent event) {
    return event instanceof StepPlanned planned && planned.plan().remoteEntries() > 0;
  }

  final LiveSpec spec(PolicySpec policy, int depth, int... tokens) {
    return LiveFixture.spec(policy, depth, hardware, tokens);
  }

  final LiveSpec spec(
      PolicySpec policy,
      int depth,
      boolean attends,
      double swapGib,
      double diskGib,
      int... tokens) {
    return LiveFixture.spec(policy, depth, hardware, attends, swapGib, diskGib, tokens);
  }

  /// @param way what the journal must show to have happened
  final void sameAsAmple(String model, int samples, LiveSpec spec, Predicate<EngineEvent> way) {
    try (LiveFixture live = LiveFixture.open(model, temp)) {
      sameAsAmple(live, live.requests(REQUESTS, samples, 17), spec, way);
    }
  }

  private void sameAsAmple(
      LiveFixture live, List<TextRequest> requests, LiveSpec spec, Predicate<EngineEvent> way) {
    Run ample = live.run("ample", spec(PolicySpec.of("continuous"), 1, AMPLE), requests);
    assertThat(ample.outputs()).hasSize(REQUESTS);
    assertThat(ample.events()).noneMatch(SpillContract::recomputes);
    boolean happened = false;
    for (int attempt = 0; attempt < ATTEMPTS && !happened; attempt++) {
      Run tight = live.run("tight-" + attempt, spec, requests);
      happened = tight.events().stream().anyMatch(way);
      hardware.requireAlike(live, requests, ample, tight);
    }
    assertThat(happened).as("it happened").isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama2-mha",
        "llama3-gqa-ropescaled-tied-sharded",
        "mistral-gqa",
        "qwen2-bias-gqa",
        "qwen3-qknorm-gqa"
      })
  void recompute_givesTheSameTokens(String model) {
    sameAsAmple(model, 1, spec(PolicySpec.of("continuous"), 1, FEW), SpillContract::recomputes);
  }

  /// Blocks that nobody has taken since hold what was computed before.
  @Test
  void recomputeFromWhatIsLeft_givesTheSameTokens() {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        spec(PolicySpec.of("continuous").with("prefix-caching", "true"), 1, false, 0, 0, FEW),
        event -> event instanceof SequenceAdmitted admitted && admitted.keptBlocks() > 0);
  }

  /// Sequences read blocks that others computed, of prompts that begin alike.
  @ParameterizedTest
  @CsvSource({"continuous, 1, 0", "continuous, 3, 0", "fusespill, 1, 64", "fusespill, 3, 64"})
  void sharedPrefixes_giveTheSameTokens(String policy, int depth, int hostMib) {
    Set<Integer> preempted = new HashSet<>();
    try (LiveFixture live = LiveFixture.open("llama3-gqa-ropescaled-tied-sharded", temp)) {
      sameAsAmple(
          live,
          live.requestsThatBeginAlike(REQUESTS, 23),
          spec(
              PolicySpec.of(policy).with("prefix-caching", "true"),
              depth,
              hostMib > 0,
              hostMib * MIB,
              0,
              FEW),
          event -> {
            if (event instanceof SequencePreempted victim) {
              preempted.add(victim.sequence());
            }
            return event instanceof SequenceAdmitted admitted
                && admitted.keptBlocks() > 0
                && !preempted.contains(admitted.sequence());
          });
    }
  }

  @ParameterizedTest
  @CsvSource({"vllm-0.2.7, preemption", "fusespill, handling"})
  void swap_givesTheSameTokens(String policy, String option) {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        spec(PolicySpec.of(policy).with(option, "swap"), 1, false, 64 * MIB, 0, FEW),
        event -> moves(event, TransferKind.SWAP_IN));
  }

  /// The host holds a few blocks; the disk takes the rest. Up to 64 prompt tokens a step, so that
  /// enough sequences grow at once.
  @Test
  void swapToDisk_givesTheSameTokens() {
    double hostGib = 24.0 * 4 / hardware.blockTokens() * 2 * 1024 / (1L << 30);
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        spec(
            PolicySpec.of("fusespill").with("attention", "false").with("prefill-budget", "64"),
            1,
            false,
            hostGib,
            64 * MIB,
            FEW),
        event -> moves(event, TransferKind.UNSPILL));
  }

  @Test
  void decodeOnAnotherDevice_givesTheSameTokens() {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        spec(PolicySpec.of("fusespill"), 2, FEW, 2 * FEW),
        event -> moves(event, TransferKind.OFFLOAD));
  }

  @Test
  void artifactsOffload_givesTheSameTokens() {
    sameAsAmple(
        "llama2-mha",
        1,
        spec(PolicySpec.of("fusespill-artifact"), 6, false, 64 * MIB, 0, FEW, 2 * FEW),
        event -> moves(event, TransferKind.OFFLOAD) || moves(event, TransferKind.SWAP_OUT));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3-gqa-ropescaled-tied-sharded", "qwen3-qknorm-gqa"})
  void attentionOnTheHost_givesTheSameTokens(String model) {
    sameAsAmple(
        model,
        1,
        spec(PolicySpec.of("fusespill"), 2, true, 64 * MIB, 0, FEW),
        SpillContract::attendsRemotely);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6})
  void anyDepth_givesTheSameTokens(int depth) {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        spec(PolicySpec.of("fusespill"), depth, true, 64 * MIB, 0, FEW, FEW),
        event -> event instanceof StepPlanned);
  }

  @ParameterizedTest
  @CsvSource({"continuous, 1", "vllm-0.2.7, 1", "fusespill, 1", "fusespill, 3"})
  void parallelSamples_giveTheSameTokens(String policy, int depth) {
    sameAsAmple(
        "llama2-mha",
        3,
        spec(PolicySpec.of(policy), depth, false, 64 * MIB, 0, FEW),
        policy.equals("continuous")
            ? event -> event instanceof StepPlanned
            : SpillContract::movesSeveral);
  }

  @ParameterizedTest
  @CsvSource({"continuous, 1", "continuous, 3", "fusespill, 2"})
  void whatTheHostSamples_isTheSame(String policy, int depth) {
    try (LiveFixture live = LiveFixture.open("llama3-gqa-ropescaled-tied-sharded", temp)) {
      sameAsAmple(
          live,
          live.demandingRequests(REQUESTS, 29),
          spec(PolicySpec.of(policy), depth, false, 64 * MIB, 0, FEW / 2),
          event -> event instanceof SequencePreempted || moves(event, TransferKind.SWAP_OUT));
    }
  }
}
