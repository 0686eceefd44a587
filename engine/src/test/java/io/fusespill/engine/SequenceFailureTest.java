package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A sequence for which no token can be sampled ends by itself: its neighbours keep theirs.
class SequenceFailureTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void neighboursInTheStep_shouldKeepTheirTokens() {
    Run run = engine.given().start();
    run.arrives(4, 9).arrives(4, 9).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.sequenceFails(0, 0).then();
    run.completes(0).then("finish 0 FAILED", "step 1@4+1 new 0");
    assertThat(run.sequence(1).outputTokens()).isEqualTo(1);
    assertThat(run.sequence(1).failures()).isZero();
  }

  @Test
  void stepsThatRanAhead_shouldCountForNothing() {
    Run run = engine.given().maxStepsInFlight(3).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
    run.sequenceFails(0, 0).completes(0).then();
    run.completes(0, 0).then();
    run.sequenceFails(0, 0).completes(0).then("finish 0 FAILED");
  }

  @Test
  void samplesToCome_shouldGoWithTheFirst() {
    Run run = engine.given().start();
    run.arrives(4, 9, 3).then("admit 0", "step 0+4 new 0");
    run.refuses(new SequenceFailed(0, 0, 0, 1, ""), "sequence 1 has not come to life");
    run.sequenceFails(0, 0).completes(0).then("finish 0 FAILED");
    assertThat(run.view().request(0)).isNull();
  }

  @Test
  void sequenceThatHasEnded_shouldKeepItsReason() {
    Run run = engine.given().maxStepsInFlight(2).start();
    run.arrives(4, 9).then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1");
    run.completes(0, 0).then();
    run.sequenceFails(0, 0).completes(0).then("finish 0 STOP");
  }

  @Test
  void stepThatFailsAfterwards_shouldNotBringItBack() {
    Run run = engine.given().start();
    run.arrives(4, 9).arrives(4, 9).then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.sequenceFails(0, 0);
    run.placeFails(0).then("preempt 1 RECOMPUTE STEP_FAILED", "finish 0 FAILED");
  }
}
