package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Samples of one request fork when its prompt is done, share its blocks and copy what they write
/// to. Four tokens a block.
class SamplesTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void threeSamples_shouldCopyTheLastBlockAllButOnce() {
    Run run = engine.given().device(8).start();
    run.arrives(6, 4, 3).then("admit 0", "step 0+6 new 0,1");
    run.completes(0).then("step 0@6+1 1@6+1 2@6+1 copy 0:1>2 copy 1:1>3");
    assertThat(run.table(0)).containsExactly(0, 2);
    assertThat(run.table(1)).containsExactly(0, 3);
    assertThat(run.table(2)).containsExactly(0, 1);
    assertThat(run.view().pool(0).holders(0)).isEqualTo(3);
    run.completes(0).then("step 0@7+1 1@7+1 2@7+1");
    run.completes(0).then("step 0@8+1 1@8+1 2@8+1 new 4,5,6");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH", "finish 2 LENGTH");
    assertThat(run.free(0)).isEqualTo(8);
  }

  @Test
  void promptThatFillsItsBlocks_shouldNeedNoCopy() {
    Run run = engine.given().start();
    run.arrives(4, 9, 2).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+1 1@4+1 new 1,2");
  }

  @Test
  void samples_shouldStandBesideTheirParent() {
    Run run = engine.given().start();
    run.arrives(1, 9, 2).arrives(1, 9, 2).then("admit 0", "admit 2", "step 0+1 2+1 new 0,1");
    run.completes(0).thenWhatever();
    assertThat(run.residents(0)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void samples_shouldForkOnlyWhenThePromptIsDone() {
    Run run = engine.given().maxNumBatchedTokens(4).start();
    run.arrives(6, 9, 2).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+2 new 1");
    assertThat(run.sequence(1)).isNull();
    assertThat(run.sequence(0).seats()).isEqualTo(2);
    run.completes(0).then("step 0@6+1 1@6+1 copy 0:1>2");
    assertThat(run.sequence(0).seats()).isEqualTo(1);
    assertThat(run.sequence(0).request().liveSequences()).isEqualTo(2);
  }

  @Test
  void samplesOfOneToken_shouldAllEndWithThePrompt() {
    Run run = engine.given().start();
    run.arrives(6, 1, 3).then("admit 0", "step 0+6 new 0,1");
    run.completes(0).then("finish 0 LENGTH", "finish 1 LENGTH", "finish 2 LENGTH");
    assertThat(run.engine().idle()).isTrue();
    assertThat(run.free(0)).isEqualTo(16);
  }

  @Test
  void firstToken_mayEndSomeOfTheSamples() {
    Run run = engine.given().start();
    run.arrives(6, 9, 3).then("admit 0", "step 0+6 new 0,1");
    run.completes(0, 2, 0).then("finish 2 STOP", "finish 0 STOP", "step 1@6+1");
    assertThat(run.table(1)).containsExactly(0, 1);
  }

  @Test
  void endedTwiceInOneStep_shouldFinishOnce() {
    Run run = engine.given().start();
    run.arrives(6, 1).arrives(6, 9).then("admit 0", "admit 1", "step 0+6 1+6 new 0,1,2,3");
    run.completes(0, 1, 0, 1).then("finish 0 LENGTH", "finish 1 STOP");
  }

  @Test
  void maxModelTokens_shouldCutTheOutputOneTokenLater() {
    Run run = engine.given().maxModelTokens(6).start();
    run.arrives(5, 9).then("admit 0", "step 0+5 new 0,1");
    run.completes(0).then("step 0@5+1");
    run.completes(0).then("finish 0 LENGTH");
  }

  @Test
  void recomputedParent_shouldStillForkLater() {
    Run run = engine.given().maxNumBatchedTokens(4).start();
    run.arrives(6, 9, 2).then("admit 0", "step 0+4 new 0");
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED", "admit 0", "step 0+4 new 0");
    run.completes(0).then("step 0@4+2 new 1");
    run.completes(0).then("step 0@6+1 1@6+1 copy 0:1>2");
  }
}
