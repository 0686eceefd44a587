package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.plan.TransferMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A place that fails takes its KV along; its sequences go on elsewhere, or there once it is back.
class PlaceFailureTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void sequencesOfTheDevice_shouldBeRecomputedOnTheOther() {
    Run run = engine.given().device(8).device(8).maxNumSeqs(2).start();
    run.arrives(4, 9).arrives(5, 9).then("admit 0", "admit 1", "step 0+4 1+5 new 0,1,2");
    run.placeFails(0)
        .then(
            "preempt 1 RECOMPUTE STEP_FAILED",
            "preempt 0 RECOMPUTE STEP_FAILED",
            "admit 0 on 1",
            "admit 1 on 1",
            "step on 1: 0+4 1+5 new 0,1,2");
    assertThat(run.view().failed(0)).isTrue();
    assertThat(run.free(0)).isZero();
  }

  @Test
  void failure_shouldNotCountAsAnAttempt() {
    Run run = engine.given().maxAttempts(1).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0");
    run.placeFails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.placeRestored(0).then("admit 0", "step 0+4 new 0");
    assertThat(run.sequence(0).failures()).isZero();
  }

  @Test
  void queuedSteps_shouldComeToNothingOneByOne() {
    Run run = engine.given().maxStepsInFlight(3).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
    run.placeFails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.placeRestored(0).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
  }

  @Test
  void host_shouldTakeSwappedSequencesAlong() {
    Run run = engine.given().byHand().device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0).thenWhatever();
    run.transferCompletes(0).thenWhatever();
    run.placeFails(1).then("preempt 0 RECOMPUTE STEP_FAILED");
    run.admits(0).steps(0, 0, 5).then("admit 0", "step 0+5 new 0,1");
  }

  @Test
  void transferFromTheFailedPlace_shouldLoseWhatItMoved() {
    Run run = engine.given().byHand().device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0).thenWhatever();
    run.placeFails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.free(1)).isEqualTo(8);
    assertThat(run.waiting()).containsExactly(0);
  }

  @Test
  void transferToTheFailedPlace_shouldLeaveItsSourceAlone() {
    Run run = engine.given().byHand().maxAttempts(1).device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0).thenWhatever();
    run.placeFails(1).then();
    assertThat(run.sequence(0).place()).isZero();
    assertThat(run.sequence(0).computedTokens()).isEqualTo(4);
    run.steps(0, 0, 1).then("step 0@4+1 new 1");
  }

  @Test
  void requestsBoundToTheDevice_shouldBeBoundAnew() {
    Run run =
        engine
            .given()
            .device(8)
            .device(8)
            .maxNumSeqs(1)
            .policy("continuous", "routing", "least-loaded")
            .start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).thenWhatever();
    run.placeFails(0).thenWhatever();
    assertThat(run.sequence(0).home()).isEqualTo(1);
    assertThat(run.sequence(2).home()).isEqualTo(1);
    run.placeFails(1).then("preempt 1 RECOMPUTE STEP_FAILED");
    run.placeRestored(0).thenWhatever();
    assertThat(run.sequence(1).home()).isZero();
  }

  @Test
  void failingTwice_orBeingRestoredUnasked_shouldBeRefused() {
    Run run = engine.given().start();
    run.refuses(new PlaceRestored(0, 0), "has not failed");
    run.refuses(new PlaceFailed(0, 7, "x"), "no such place");
    run.placeFails(0).refuses(new PlaceFailed(0, 0, "x"), "has failed already");
  }
}
