package io.fusespill.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.codec.EventDecoder;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import io.fusespill.engine.plan.TransferMode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Figures that were computed by hand from the schedule in each test's lines.
class RunMetricsTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private final Heard heard = new Heard();

  /// Every latency as a line.
  private static final class Heard implements LatencyListener {

    private final List<String> latencies = new ArrayList<>();
    private final List<RequestOutcome> outcomes = new ArrayList<>();

    @Override
    public void timeToFirstToken(long nanos) {
      latencies.add("ttft " + nanos);
    }

    @Override
    public void interToken(long nanos, int count) {
      latencies.add("itl " + nanos + " x" + count);
    }

    @Override
    public void timePerOutputToken(long nanos, boolean preempted) {
      latencies.add("tpot " + nanos + (preempted ? " preempted" : ""));
    }

    @Override
    public void ended(RequestOutcome outcome) {
      outcomes.add(outcome);
    }
  }

  private RunMetrics measure(Run run) {
    RunMetrics metrics = new RunMetrics(heard);
    run.log().forEach(metrics::accept);
    return metrics;
  }

  /// A prefill step of 6 tokens, 100 to 200 ns; a step of one decode and 5 prompt tokens, 200 to
  /// 300; a step of two decodes, 300 to 450.
  private Run threeSteps() {
    Run run = engine.given().maxNumBatchedTokens(8).device(8).start();
    run.at(100).arrives(6, 3).then("admit 0", "step 0+6 new 0,1");
    run.at(150).arrives(5, 2).then();
    run.at(200).completes(0).then("admit 1", "step 0@6+1 1+5 new 2,3");
    run.at(300).completes(0).then("step 0@7+1 1@5+1");
    run.at(450).completes(0).then("finish 0 LENGTH", "finish 1 LENGTH");
    return run;
  }

  @Test
  void steps_shouldBeTimedToTheToken() {
    RunMetrics metrics = measure(threeSteps());
    assertThat(heard.latencies)
        .containsExactlyInAnyOrder(
            "ttft 100", "itl 100 x1", "ttft 150", "itl 150 x2", "tpot 125", "tpot 150");
    assertThat(heard.outcomes)
        .containsExactly(
            new RequestOutcome(0, Ending.COMPLETED, 100, 200, 450, 6, 3, 1, 0),
            new RequestOutcome(1, Ending.COMPLETED, 150, 300, 450, 5, 2, 1, 0));
    assertThat(metrics.durationNanos()).isEqualTo(350);
    assertThat(metrics.runningNanos()).isEqualTo(100 + 2 * 100 + 2 * 150);
  }

  /// What the step computed for it was for nothing, and its neighbour has its token.
  @Test
  void sequenceThatFails_shouldHaveNoTokenOfTheStep() {
    Run run = engine.given().start();
    run.at(100).arrives(4, 3).arrives(4, 1).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.at(200).sequenceFails(0, 0).completes(0).then("finish 0 FAILED", "finish 1 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(heard.latencies).containsExactly("ttft 100");
    assertThat(heard.outcomes)
        .extracting(RequestOutcome::ending, RequestOutcome::outputTokens)
        .containsExactly(tuple(Ending.FAILED, 0), tuple(Ending.COMPLETED, 1));
    assertThat(metrics.wastedTokens()).isEqualTo(4);
    assertThat(metrics.failedSteps()).isZero();
  }

  @Test
  void steps_shouldBeCountedByKind() {
    RunMetrics metrics = measure(threeSteps());
    assertThat(metrics.prefillSteps()).isEqualTo(1);
    assertThat(metrics.mixedSteps()).isEqualTo(1);
    assertThat(metrics.decodeSteps()).isEqualTo(1);
    assertThat(metrics.copySteps()).isZero();
    assertThat(metrics.prefillTokens()).isEqualTo(11);
    assertThat(metrics.paddedPrefillTokens()).isEqualTo(11);
    assertThat(metrics.promptTokens()).isEqualTo(11);
    assertThat(metrics.outputTokens()).isEqualTo(5);
    assertThat(metrics.runningMax()).isEqualTo(2);
    assertThat(metrics.waitingMax()).isZero();
    assertThat(metrics.usedBlocksMax(0)).isEqualTo(4);
    assertThat(metrics.poolBlocks(0)).isEqualTo(8);
    assertThat(metrics.recomputedTokens()).isZero();
    assertThat(metrics.preemptions()).isZero();
  }

  /// Sequence 2 has 5 tokens when it is preempted, sequence 1 has 6; both are prefilled again in a
  /// padded step.
  @Test
  void preempted_shouldCountItsTokensAsRecomputed() {
    Run run = engine.given().policy("vllm-0.2.7").device(4).start();
    run.arrives(4, 3).arrives(4, 3).arrives(4, 3);
    run.then("admit 0", "admit 1", "admit 2", "step 0+4 1+4 2+4 new 0,1,2");
    run.completes(0).then("preempt 2 RECOMPUTE", "step 0@4+1 1@4+1 new 2,3");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@5+1");
    run.completes(0)
        .then("finish 0 LENGTH", "admit 1", "admit 2", "step 1+6 2+5 new 0,2,1,3 batched 12");
    run.completes(0).then("finish 1 LENGTH", "step 2@5+1");
    run.completes(0).then("finish 2 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(metrics.preemptions()).isEqualTo(2);
    assertThat(metrics.preemptedRequests()).isEqualTo(2);
    assertThat(metrics.recomputedTokens()).isEqualTo(11);
    assertThat(metrics.prefillTokens()).isEqualTo(12 + 11);
    assertThat(metrics.paddedPrefillTokens()).isEqualTo(12 + 12);
    assertThat(metrics.prefillSteps()).isEqualTo(2);
    assertThat(metrics.decodeSteps()).isEqualTo(3);
    assertThat(metrics.waitingMax()).isEqualTo(2);
    assertThat(metrics.outputTokens()).isEqualTo(9);
    assertThat(heard.outcomes).extracting(RequestOutcome::preemptions).containsExactly(0, 1, 1);
    // A tick is 1000 ns. Sequence 1 waits from its second token at 2 to its third at 4, 2 from its
    // first at 1 to 4.
    assertThat(heard.latencies)
        .containsExactlyInAnyOrder(
            "ttft 1000",
            "ttft 1000",
            "ttft 1000",
            "itl 1000 x2",
            "itl 1000 x1",
            "tpot 1000",
            "itl 2000 x1",
            "itl 3000 x1",
            "tpot 1500 preempted",
            "itl 1000 x1",
            "tpot 2000 preempted");
  }

  @Test
  void samples_shouldHaveOneFirstTokenAndTheirOwnLatencies() {
    Run run = engine.given().start();
    run.at(0).arrives(6, 3, 2).then("admit 0", "step 0+6 new 0,1");
    run.at(10).completes(0).then("step 0@6+1 1@6+1 copy 0:1>2");
    run.at(30).completes(0, 1).then("finish 1 STOP", "step 0@7+1");
    run.at(60).completes(0).then("finish 0 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(heard.latencies)
        .containsExactly("ttft 10", "itl 20 x2", "tpot 20", "itl 30 x1", "tpot 25");
    assertThat(heard.outcomes)
        .containsExactly(new RequestOutcome(0, Ending.COMPLETED, 0, 10, 60, 6, 5, 2, 0));
    assertThat(metrics.outputTokens()).isEqualTo(5);
    assertThat(metrics.promptTokens()).isEqualTo(6);
    assertThat(metrics.copiedBlocks()).isEqualTo(1);
    assertThat(metrics.completed()).isEqualTo(1);
  }

  @Test
  void swaps_shouldBeCountedInBlocksAndStepsOfCopiesApart() {
    Run run = engine.given().policy("vllm-0.2.7", "preemption", "swap").device(4).host(9).start();
    run.arrives(7, 3).arrives(7, 3).then("admit 0", "admit 1", "step 0+7 1+7 new 0,1,2,3");
    run.completes(0).then("preempt 1 SWAP", "swap_out [0>1] 1: 2>0 3>1", "step 0@7+1 after 0");
    run.completes(0).then("step 0@8+1 new 3");
    run.completes(0).then("finish 0 LENGTH", "swap_in [1>0] 1: 0>0 1>1", "step 1@7+1 after 1");
    run.completes(0).then("step 1@8+1 new 3");
    run.completes(0).then("finish 1 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(metrics.swappedOutBlocks()).isEqualTo(2);
    assertThat(metrics.swappedInBlocks()).isEqualTo(2);
    assertThat(metrics.recomputedTokens()).isZero();
    assertThat(metrics.preemptions()).isEqualTo(1);
    assertThat(metrics.poolBlocks(1)).as("blocks of a place without compute").isZero();
    assertThat(metrics.usedBlocksMax(0)).isEqualTo(4);
    assertThat(metrics.copySteps()).isZero();
  }

  @Test
  void stepOfCopiesOnly_shouldCountAsOne() {
    Run run = engine.given().policy("vllm-0.2.7").device(3).host(4).start();
    run.arrives(6, 9, 2).thenWhatever();
    run.completes(0)
        .then("preempt 0 SWAP", "preempt 1 SWAP", "swap_out [0>1] 0,1: 0>0 1>1", "step after 0");
    run.completes(0).then("reject 0 NEVER_FITS 4/3");
    RunMetrics metrics = measure(run);
    assertThat(metrics.copySteps()).isEqualTo(1);
    assertThat(metrics.preemptions()).isEqualTo(2);
    assertThat(metrics.preemptedRequests()).isEqualTo(1);
    assertThat(heard.outcomes)
        .containsExactly(new RequestOutcome(0, Ending.REJECTED, 0, 1_000, 2_000, 6, 2, 2, 2));
    assertThat(metrics.outputTokens()).as("tokens of completed requests").isZero();
  }

  @Test
  void everyRequest_shouldEndInExactlyOneWay() {
    Run run = engine.given().device(4).maxNumSeqs(3).maxAttempts(1).maxModelTokens(20).start();
    run.arrives(21, 1).arrives(17, 1).arrives(1, 1, 4).arrives(4, 2, 2).arrives(4, 9);
    run.then(
        "reject 2 TOO_MANY_SAMPLES 4/3",
        "reject 0 PROMPT_TOO_LONG 21/20",
        "reject 1 NEVER_FITS 5/4",
        "admit 6",
        "admit 8",
        "step 6+4 8+4 new 0,1");
    run.completes(0, 7).cancels(4).then("finish 7 STOP", "finish 8 CANCELLED", "step 6@4+1 new 1");
    run.fails(0).arrives(4, 1).then("finish 6 FAILED", "admit 9", "step 9+4 new 0");
    run.completes(0).then("finish 9 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(metrics.arrived()).isEqualTo(6);
    assertThat(metrics.completed()).isEqualTo(1);
    assertThat(metrics.rejected()).isEqualTo(3);
    assertThat(metrics.cancelled()).isEqualTo(1);
    assertThat(metrics.failed()).isEqualTo(1);
    for (RejectionReason reason : RejectionReason.values()) {
      assertThat(metrics.rejected(reason))
          .as("rejected: %s", reason)
          .isEqualTo(reason == RejectionReason.SWAP_SPACE_EXHAUSTED ? 0 : 1);
    }
    assertThat(metrics.failedSteps()).isEqualTo(1);
    assertThat(heard.outcomes)
        .containsExactly(
            new RequestOutcome(2, Ending.REJECTED, 0, -1, 0, 1, 0, 4, 0),
            new RequestOutcome(0, Ending.REJECTED, 0, -1, 0, 21, 0, 1, 0),
            new RequestOutcome(1, Ending.REJECTED, 0, -1, 0, 17, 0, 1, 0),
            new RequestOutcome(4, Ending.CANCELLED, 0, 1_000, 1_000, 4, 1, 1, 0),
            new RequestOutcome(3, Ending.FAILED, 0, 1_000, 2_000, 4, 2, 2, 0),
            new RequestOutcome(5, Ending.COMPLETED, 2_000, 3_000, 3_000, 4, 1, 1, 0));
  }

  @Test
  void endedByOneTokenOrCancelled_shouldHaveNoTimePerOutputToken() {
    Run run = engine.given().start();
    run.arrives(4, 1).arrives(4, 9).thenWhatever();
    run.completes(0).thenWhatever();
    run.cancels(1).completes(0).then("finish 1 CANCELLED");
    measure(run);
    assertThat(heard.latencies).containsExactly("ttft 1000", "ttft 1000", "itl 1000 x1");
  }

  @Test
  void newestCheckpoint_shouldBeKept() {
    Run run = engine.given().start();
    run.arrives(1, 1).thenWhatever();
    long hash = run.checkpoints();
    assertThat(measure(run).stateHash()).isEqualTo(hash);
  }

  /// A live run shares the lists of sequences from step to step; a decoded journal does not.
  @Test
  void decodedEvents_shouldMeasureTheSame() {
    Run run = threeSteps();
    RunMetrics live = measure(run);
    Heard heardAgain = new Heard();
    RunMetrics replayed = new RunMetrics(heardAgain);
    EventEncoder encoder = new EventEncoder();
    for (int position = 0; position < run.log().size(); position++) {
      int length = encoder.encode(position, run.log().get(position));
      replayed.accept(new EventDecoder().decode(position, encoder.bytes(), length));
    }
    assertThat(replayed).usingRecursiveComparison().ignoringFields("listener").isEqualTo(live);
    assertThat(heardAgain.latencies).isEqualTo(heard.latencies);
  }

  /// Steps of one sequence from 0 to 100, 250 and 300 ns, of which two are planned at 0.
  @Test
  void queuedStep_shouldRunOnlyOnceTheOneBeforeItIsDone() {
    Run run = engine.given().maxStepsInFlight(2).start();
    run.at(0).arrives(4, 3).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    run.at(100).completes(0).then("step 0@5+1");
    run.at(250).completes(0).then();
    run.at(300).completes(0).then("finish 0 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(metrics.runningNanos()).isEqualTo(300);
    assertThat(metrics.wastedTokens()).isZero();
    assertThat(metrics.outputTokens()).isEqualTo(3);
    assertThat(heard.latencies).containsExactly("ttft 100", "itl 150 x1", "itl 50 x1", "tpot 100");
  }

  @Test
  void stepsAheadOfASurpriseEnd_shouldCountAsWasted() {
    Run run = engine.given().maxStepsInFlight(3).start();
    run.arrives(4, 9).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0, 0).thenWhatever();
    run.completes(0, 0).thenWhatever();
    run.completes(0).then("finish 0 STOP");
    RunMetrics metrics = measure(run);
    assertThat(metrics.wastedTokens()).isEqualTo(2);
    assertThat(metrics.outputTokens()).isEqualTo(2);
  }

  /// The end shows at 200 ns, and two steps ahead of it take until 400.
  @Test
  void completedRequest_shouldEndWithItsLastToken() {
    Run run = engine.given().maxStepsInFlight(3).start();
    run.at(0).arrives(4, 9).thenWhatever();
    run.at(100).completes(0).thenWhatever();
    run.at(200).completes(0, 0).thenWhatever();
    run.at(300).completes(0, 0).thenWhatever();
    run.at(400).completes(0).then("finish 0 STOP");
    measure(run);
    assertThat(heard.outcomes)
        .containsExactly(new RequestOutcome(0, Ending.COMPLETED, 0, 100, 200, 4, 2, 1, 0));
  }

  @Test
  void stepsAheadOfALoss_shouldCountAsWastedUntilItIsComputedAgain() {
    Run run = engine.given().maxStepsInFlight(2).start();
    run.arrives(4, 2).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    run.fails(0).then();
    run.completes(0).thenWhatever();
    run.completes(0).then();
    run.completes(0).then("finish 0 LENGTH");
    RunMetrics metrics = measure(run);
    assertThat(metrics.wastedTokens()).isEqualTo(1);
    assertThat(metrics.outputTokens()).isEqualTo(2);
    assertThat(metrics.failedSteps()).isEqualTo(1);
  }

  /// A step from 0 to 100 ns by its own account, one that is planned then and fails at 250, and one
  /// queued behind it that fails at 300.
  @Test
  void failedSteps_shouldCountAsWork() {
    Run run = engine.given().maxStepsInFlight(2).start();
    run.at(0).arrives(4, 9).thenWhatever();
    run.at(100).completes(0).thenWhatever();
    RunMetrics metrics = measure(run);
    long before = metrics.busyNanos(0);
    run.at(250).fails(0).thenWhatever();
    run.at(300).fails(0).thenWhatever();
    assertThat(measure(run).busyNanos(0) - before).isEqualTo(200);
    assertThat(measure(run).failedSteps()).isEqualTo(2);
  }

  /// The first step after the swap fails, and with it the copy; the second one has computed on
  /// nothing.
  @Test
  void stepAheadOfALostTransfer_shouldCountAsWasted() {
    Run run = engine.given().maxStepsInFlight(2).byHand().device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ORDERED, 0).steps(0).thenWhatever();
    run.completes(0).transfers(1, 0, TransferMode.ORDERED, 0).steps(0).steps(0, 0, 1);
    run.thenWhatever();
    run.fails(0).then();
    run.completes(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.cancels(0).then("finish 0 CANCELLED");
    RunMetrics metrics = measure(run);
    assertThat(metrics.wastedTokens()).isEqualTo(1);
    assertThat(heard.outcomes.getFirst().outputTokens()).isEqualTo(1);
  }

  /// The host dies while the device decodes for the sequence whose KV lies there; the prompt and
  /// the token that was sampled from it are computed again.
  @Test
  void stepOnALostHost_shouldCountAsWastedAndWhatLayThereAsRecomputed() {
    Run run = engine.given().byHand().device(8).attendingHost(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0).thenWhatever();
    run.transferCompletes(0).decodesRemotely(0, 0).thenWhatever();
    run.placeFails(1).then();
    run.completes(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.admits(0).steps(0, 0, 5).thenWhatever();
    run.cancels(0).completes(0).then("finish 0 CANCELLED");
    RunMetrics metrics = measure(run);
    assertThat(metrics.wastedTokens()).isEqualTo(1);
    assertThat(metrics.recomputedTokens()).isEqualTo(5);
    assertThat(heard.outcomes.getFirst().outputTokens()).isEqualTo(2);
  }
}
