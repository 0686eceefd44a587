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
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.live.LiveFixture.Run;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// However a run's KV is spilled, every request gets the tokens that it gets with ample memory.
@Timeout(300)
class SpillTest {

  private static final int REQUESTS = 24;

  /// Of four tokens each: a quarter of what the requests need at once.
  private static final int FEW = 60;

  private static final double MIB = 1.0 / 1024;

  @TempDir private Path temp;

  private static boolean moves(EngineEvent event, TransferKind kind) {
    return event instanceof TransferPlanned planned && planned.plan().kind() == kind;
  }

  private static boolean recomputes(EngineEvent event) {
    return event instanceof SequencePreempted preempted
        && preempted.kind() == PreemptionKind.RECOMPUTE;
  }

  private static boolean attendsRemotely(EngineEvent event) {
    return event instanceof StepPlanned planned && planned.plan().remoteEntries() > 0;
  }

  /// @param way what the journal must show to have happened
  private void sameAsAmple(String model, int samples, LiveSpec spec, Predicate<EngineEvent> way) {
    try (Checkpoint checkpoint = GoldenModel.open(model)) {
      LiveFixture live = new LiveFixture(checkpoint, temp);
      List<TextRequest> requests = live.requests(REQUESTS, samples, 17);
      Run ample = live.run("ample", LiveFixture.spec("continuous", 1, 4096), requests);
      Run tight = live.run("tight", spec, requests);
      assertThat(ample.outputs()).hasSize(REQUESTS);
      assertThat(ample.events()).noneMatch(SpillTest::recomputes);
      assertThat(tight.events().stream().anyMatch(way)).as("it happened").isTrue();
      assertThat(tight.outputs()).isEqualTo(ample.outputs());
    }
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
    sameAsAmple(model, 1, LiveFixture.spec("continuous", 1, FEW), SpillTest::recomputes);
  }

  /// Blocks that nobody has taken since hold what was computed before.
  @Test
  void recomputeFromWhatIsLeft_givesTheSameTokens() {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        LiveFixture.spec(
            PolicySpec.of("continuous").with("reuse-preempted", "true"), 1, false, 0, 0, FEW),
        event -> event instanceof SequenceAdmitted admitted && admitted.keptBlocks() > 0);
  }

  @ParameterizedTest
  @CsvSource({"vllm-0.2.7, preemption", "fusespill, handling"})
  void swap_givesTheSameTokens(String policy, String option) {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        LiveFixture.spec(PolicySpec.of(policy).with(option, "swap"), 1, false, 64 * MIB, 0, FEW),
        event -> moves(event, TransferKind.SWAP_IN));
  }

  /// The host holds a few blocks; the disk takes the rest.
  @Test
  void swapToDisk_givesTheSameTokens() {
    double hostGib = 24.0 * 2 * 1024 / (1L << 30);
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        LiveFixture.spec(
            PolicySpec.of("fusespill").with("attention", "false"),
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
        LiveFixture.spec(PolicySpec.of("fusespill"), 2, false, 0, 0, FEW, 2 * FEW),
        event -> moves(event, TransferKind.OFFLOAD));
  }

  @Test
  void artifactsOffload_givesTheSameTokens() {
    sameAsAmple(
        "llama2-mha",
        1,
        LiveFixture.spec(PolicySpec.of("fusespill-artifact"), 6, false, 64 * MIB, 0, FEW, 2 * FEW),
        event -> moves(event, TransferKind.OFFLOAD) || moves(event, TransferKind.SWAP_OUT));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3-gqa-ropescaled-tied-sharded", "qwen3-qknorm-gqa"})
  void attentionOnTheHost_givesTheSameTokens(String model) {
    sameAsAmple(
        model,
        1,
        LiveFixture.spec(PolicySpec.of("fusespill"), 2, true, 64 * MIB, 0, FEW),
        SpillTest::attendsRemotely);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6})
  void anyDepth_givesTheSameTokens(int depth) {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        LiveFixture.spec(PolicySpec.of("fusespill"), depth, true, 64 * MIB, 0, FEW, FEW),
        event -> event instanceof StepPlanned);
  }

  @ParameterizedTest
  @ValueSource(strings = {"continuous", "vllm-0.2.7", "fusespill"})
  void parallelSamples_giveTheSameTokens(String policy) {
    sameAsAmple(
        "llama2-mha",
        3,
        LiveFixture.spec(PolicySpec.of(policy), 1, false, 64 * MIB, 0, FEW),
        event -> event instanceof StepPlanned);
  }
}
