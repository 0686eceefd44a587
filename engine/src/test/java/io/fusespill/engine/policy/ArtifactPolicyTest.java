package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.config.EngineConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Scenarios under `fusespill-artifact`, four tokens a block; lines are those of `EventLines`.
/// Device 0 is the main one, device 1 the auxiliary one, place 2 the host.
class ArtifactPolicyTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given given(String... options) {
    return engine.given().policy("fusespill-artifact", options).predictor("oracle");
  }

  /// Both devices reach the host, and nothing else.
  private static Given throughHost(Given given, int main, int auxiliary, int host) {
    given.device(main).device(auxiliary).host(host);
    return given.link(0, 2).link(2, 0).link(1, 2).link(2, 1);
  }

  // ------------------------------------------------------ moving to the other

  /// Nothing is away, so the first decode step sends the ones with most to do for each token held.
  @Test
  void unbalanced_shouldMoveTheMostRemainingPerTokenThroughTheHost() {
    Run run = throughHost(given(), 16, 16, 16).start();
    run.arrivesForetold(4, 20).arrivesForetold(4, 40).arrivesForetold(8, 20);
    run.then("admit 0", "admit 1", "admit 2", "step 0+4 1+4 2+8 new 0,1,2,3 batched 24");
    run.completes(0);
    run.then(
        "preempt 1 OFFLOAD OFFLOADED",
        "swap_out [0>2] 1: 1>0",
        "preempt 0 OFFLOAD OFFLOADED",
        "swap_out [0>2] 0: 0>1",
        "preempt 2 OFFLOAD OFFLOADED",
        "swap_out [0>2] 2: 2>2 3>3",
        "step after 0,1,2",
        "sort 2");
  }

  @Test
  void swapped_shouldDecodeOnTheAuxiliaryDeviceWithItsCopies() {
    Run run = throughHost(given(), 16, 16, 16).start();
    run.arrivesForetold(4, 20).then("admit 0", "step 0+4 new 0");
    run.completes(0);
    run.then("preempt 0 OFFLOAD OFFLOADED", "swap_out [0>2] 0: 0>0", "step after 0");
    run.completes(0).then("swap_in [2>1] 0: 0>0", "step on 1: 0@4+1 new 1 after 1");
    assertThat(run.residents(1)).containsExactly(0);
    run.completes(1).then("step on 1: 0@5+1");
  }

  @Test
  void linkedDevices_shouldCopyWithoutAHostBesideTheSteps() {
    Run run = given().device(16).device(16).start();
    run.arrivesForetold(4, 20).then("admit 0", "step 0+4 new 0");
    run.completes(0).then("preempt 0 OFFLOAD OFFLOADED", "async offload [0>1] 0: 0>0");
    run.transferCompletes(0).then("step on 1: 0@4+1 new 1");
  }

  /// Two of eleven blocks are in use: ratio (2/11 · 0.28 + 0.2) / 0.52 is 0.48, and 1 is no more
  /// than 0.48 times the three that are away.
  @Test
  void balanced_shouldKeepTheRest() {
    Run run = throughHost(given(), 16, 11, 16).start();
    run.arrivesForetold(1, 20).arrivesForetold(1, 20).arrivesForetold(1, 20).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0).thenWhatever();
    assertThat(run.residents(1)).containsExactly(0, 1, 2);
    run.arrivesForetold(1, 20).then("admit 3", "step 3+1 new 2");
    run.completes(0).then("step 3@1+1");
  }

  /// Watermark 2 of 20: the auxiliary device keeps 12 of its 20 blocks free, so that 7 and one more
  /// may come.
  @Test
  void auxiliaryReserve_shouldStayFreeWhenSomebodyComes() {
    Given given = throughHost(given("watermark", "0.1"), 30, 20, 40);
    Run run = given.start();
    run.arrivesForetold(28, 20).then("admit 0", "step 0+28 new 0,1,2,3,4,5,6");
    run.completes(0).thenWhatever();
    assertThat(run.residents(2)).containsExactly(0);
    run = given.start();
    run.arrivesForetold(29, 20).then("admit 0", "step 0+29 new 0,1,2,3,4,5,6,7");
    run.completes(0).then("step 0@29+1");
  }

  @Test
  void mainDevice_shouldAdmitNobodyWhileTheAuxiliaryHasNoFreeBlock() {
    Run run = throughHost(given(), 16, 3, 16).start();
    run.arrivesForetold(7, 20).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(1).then("step on 1: 0@8+1 new 2");
    run.arrivesForetold(2, 2).then();
    run.completes(1);
    run.then("preempt 0 RECOMPUTE", "admit 0", "admit 1", "step 0+10 1+2 new 1,0,2,3 batched 20");
  }

  // ---------------------------------------------------------------- pressure

  @Test
  void withoutRoom_nearlyDoneAndLarge_shouldBeRecomputed() {
    Run run = given().device(4).start();
    run.arrivesForetold(8, 5).arrivesForetold(4, 40);
    run.then("admit 0", "admit 1", "step 0+8 1+4 new 0,1,2 batched 16");
    run.completes(0).then("preempt 0 RECOMPUTE", "step 1@4+1 new 0");
    assertThat(run.waiting()).containsExactly(0);
  }

  /// The auxiliary device has no room for two blocks beside what it decodes, but will have.
  @Test
  void withoutRoom_shouldWaitOnTheHostForTheAuxiliaryDevice() {
    Run run = throughHost(given(), 5, 4, 8).start();
    run.arrivesForetold(4, 2).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0).then("swap_in [2>1] 0: 0>0", "step on 1: 0@4+1 new 1 after 1");
    run.arrivesForetold(8, 20).arrivesForetold(8, 10);
    run.then("admit 1", "admit 2", "step 1+8 2+8 new 0,1,2,3");
    run.completes(0)
        .then("preempt 2 SWAP", "swap_out [0>2] 2: 2>1 3>2", "step 1@8+1 new 3 after 2");
    run.completes(0).then("step 1@9+1");
    assertThat(run.residents(2)).containsExactly(2);
    run.completes(1)
        .then("finish 0 LENGTH", "swap_in [2>1] 2: 1>0 2>1", "step on 1: 2@8+1 new 2 after 3");
  }

  @Test
  void whatTheAuxiliaryDeviceCouldNeverHold_shouldBeRecomputed() {
    Run run = throughHost(given(), 5, 2, 8).start();
    run.arrivesForetold(8, 20).arrivesForetold(8, 10);
    run.then("admit 0", "admit 1", "step 0+8 1+8 new 0,1,2,3");
    run.completes(0).then("preempt 1 RECOMPUTE", "step 0@8+1 new 2");
  }

  @Test
  void auxiliaryDeviceWithoutRoom_shouldGiveItsNewestBackToTheMainOne() {
    Run run = throughHost(given(), 16, 4, 16).start();
    run.arrivesForetold(4, 20).arrivesForetold(4, 20).thenWhatever();
    run.completes(0).thenWhatever();
    run.completes(0).thenWhatever();
    assertThat(run.residents(1)).containsExactly(0, 1);
    assertThat(run.free(1)).isZero();
    run.completes(1);
    run.then("preempt 1 RECOMPUTE", "step on 1: 0@5+1", "admit 1", "step 1+6 new 1,0");
  }

  // ------------------------------------------------------------------- depth

  @Test
  void deepQueue_shouldPlanNoTokenBeyondTheForetoldEnd() {
    Run run = given().maxStepsInFlight(4).device(16).start();
    run.arrivesForetold(4, 3);
    run.then("admit 0", "step 0+4 new 0", "step 0@4+1 new 1", "step 0@5+1");
  }

  /// The victim's blocks are in the steps in flight: no more are planned until they are done.
  @Test
  void deepQueue_shouldRunDryBeforeSomebodyMoves() {
    Run run = throughHost(given().maxStepsInFlight(3), 16, 16, 16).start();
    run.arrivesForetold(4, 20).then("admit 0", "step 0+4 new 0");
    run.completes(0);
    run.then("preempt 0 OFFLOAD OFFLOADED", "swap_out [0>2] 0: 0>0", "step after 0");
  }

  // ----------------------------------------------------------- configuration

  @Test
  void create_withoutAWayToTheAuxiliaryDevice_isRefused() {
    EngineConfig config = given().device(4).device(4).link(1, 0).config();
    assertThatThrownBy(() -> PolicyKind.create(config))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll("no way for KV from gpu0 to gpu1", "swap space");
  }

  @Test
  void create_threeDevices_isRefused() {
    EngineConfig config = given().device(4).device(4).device(4).config();
    assertThatThrownBy(() -> PolicyKind.create(config))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll("3 devices", "at most 2");
  }

  @Test
  void create_sharesOfOneAndMore_isRefused() {
    EngineConfig config = given("spill-share", "0.5", "offload-share", "0.5").device(4).config();
    assertThatThrownBy(() -> PolicyKind.create(config))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll("spill-share and offload-share", "10000 / 10000", "below 1");
  }
}
