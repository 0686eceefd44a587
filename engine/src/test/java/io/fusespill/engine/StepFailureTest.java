package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A failed step costs its sequences their KV, and after `maxAttempts` in a row their life.
class StepFailureTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void sequencesOfTheStep_shouldBeRecomputedInTheirOrder() {
    Run run = engine.given().start();
    run.arrives(4, 9).arrives(5, 9).then("admit 0", "admit 1", "step 0+4 1+5 new 0,1,2");
    run.completes(0).arrives(1, 9).then("admit 2", "step 0@4+1 1@5+1 2+1 new 3,4");
    run.fails(0)
        .then(
            "preempt 2 RECOMPUTE STEP_FAILED",
            "preempt 1 RECOMPUTE STEP_FAILED",
            "preempt 0 RECOMPUTE STEP_FAILED",
            "admit 0",
            "admit 1",
            "admit 2",
            "step 0+5 1+6 2+1 new 0,1,2,4,3");
  }

  @Test
  void waitingOnes_shouldStayBehind() {
    Run run = engine.given().maxNumSeqs(1).start();
    run.arrives(4, 9).arrives(4, 9).then("admit 0", "step 0+4 new 0");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0");
    assertThat(run.waiting()).containsExactly(1);
  }

  @Test
  void blocksThatTheStepTook_shouldComeBack() {
    Run run = engine.given().byHand().device(8).start();
    run.arrives(6, 9, 3).admits(0).steps(0, 0, 6).thenWhatever();
    run.completes(0).steps(0, 0, 1, 1, 1, 2, 1);
    run.then("step 0@6+1 1@6+1 2@6+1 copy 0:1>2 copy 1:1>3");
    run.fails(0).thenWhatever();
    assertThat(run.free(0)).isEqualTo(8);
    assertThat(run.waiting()).containsExactly(0, 1, 2);
  }

  /// Sample 0 copies, sample 1 is not in the step and keeps the shared blocks.
  @Test
  void sampleBesideTheStep_shouldKeepWhatItShared() {
    Run run = engine.given().byHand().device(8).start();
    run.arrives(6, 9, 2).admits(0).steps(0, 0, 6).thenWhatever();
    run.completes(0).steps(0, 0, 1).then("step 0@6+1 copy 0:1>2");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.table(1)).containsExactly(0, 1);
    assertThat(run.view().pool(0).holders(1)).isEqualTo(1);
    assertThat(run.free(0)).isEqualTo(6);
    run.steps(0, 1, 1).then("step 1@6+1");
  }

  @Test
  void residentBesideTheStep_shouldKeepItsKv() {
    Run run = engine.given().byHand().start();
    run.arrives(4, 9).arrives(4, 9).admits(0, 1).steps(0, 0, 4, 1, 4).thenWhatever();
    run.completes(0).steps(0, 1, 1).thenWhatever();
    run.fails(0).then("preempt 1 RECOMPUTE STEP_FAILED");
    assertThat(run.sequence(0).computedTokens()).isEqualTo(4);
  }

  @Test
  void chunk_shouldLoseTheChunksBeforeItToo() {
    Run run = engine.given().maxNumBatchedTokens(4).start();
    run.arrives(10, 9).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+4 new 1");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0");
    assertThat(run.sequence(0).failures()).isEqualTo(1);
  }

  @Test
  void maxAttemptsInARow_shouldCostTheSequence() {
    Run run = engine.given().maxAttempts(2).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+1 new 1");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+5 new 0,1");
    run.fails(0).then("finish 0 FAILED");
    assertThat(run.engine().idle()).isTrue();
  }

  @Test
  void oneAttempt_shouldFailAtOnce() {
    Run run = engine.given().maxAttempts(1).start();
    run.arrives(4, 9).arrives(4, 9).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.fails(0).then("finish 1 FAILED", "finish 0 FAILED");
  }

  @Test
  void failedSample_shouldNotCostTheOthers() {
    Run run = engine.given().byHand().maxAttempts(1).start();
    run.arrives(4, 9, 2).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).steps(0, 1, 1).thenWhatever();
    run.fails(0).then("finish 1 FAILED");
    run.steps(0, 0, 1).then("step 0@4+1 new 1");
  }

  @Test
  void nextStep_shouldHaveTheNextNumber() {
    Run run = engine.given().start();
    run.arrives(4, 9).thenWhatever();
    run.fails(0).thenWhatever();
    assertThat(run.view().stepInFlight(0).step()).isEqualTo(1);
  }
}
