package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Two devices share one waiting queue; each has its own steps.
class TwoDevicesTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void steps_shouldBeInFlightOnBothAndEndInAnyOrder() {
    Run run = engine.given().device(2).device(2).start();
    run.arrives(8, 3).arrives(5, 3);
    run.then("admit 0", "step 0+8 new 0,1", "admit 1 on 1", "step on 1: 1+5 new 0,1");
    run.completes(1).then("step on 1: 1@5+1");
    run.completes(1).then("step on 1: 1@6+1");
    run.completes(0).then("preempt 0 RECOMPUTE", "reject 0 NEVER_FITS 3/2");
    run.completes(1).then("finish 1 LENGTH");
  }

  @Test
  void inputsOfOneInstant_shouldBeSeenTogether() {
    Run run = engine.given().device(2).device(2).start();
    run.arrives(8, 1).arrives(5, 2).thenWhatever();
    run.completes(1).completes(0).arrives(3, 1);
    run.then("finish 0 LENGTH", "admit 2", "step 2+3 new 0", "step on 1: 1@5+1");
  }

  /// Device 0 is asked first and has nothing to do; what device 1 gives up then, device 0 takes at
  /// the same instant.
  @Test
  void whatOneDeviceGivesUp_shouldBeTakenByTheOtherAtOnce() {
    Run run = engine.given().device(4).device(2).start();
    run.arrives(16, 1).arrives(4, 3).arrives(4, 3);
    run.then(
        "admit 0",
        "step 0+16 new 0,1,2,3",
        "admit 1 on 1",
        "admit 2 on 1",
        "step on 1: 1+4 2+4 new 0,1");
    run.completes(0).then("finish 0 LENGTH");
    run.completes(1);
    run.then("preempt 2 RECOMPUTE", "step on 1: 1@4+1 new 1", "admit 2", "step 2+5 new 0,1");
  }

  @Test
  void promptThatFitsOnlyTheOther_shouldWaitForIt() {
    for (String policy : new String[] {"vllm-0.2.7", "continuous"}) {
      Run run = engine.given().policy(policy).device(1).device(3).start();
      run.arrives(9, 1).arrives(1, 1);
      run.then("admit 0 on 1", "step on 1: 0+9 new 0,1,2", "admit 1", "step 1+1 new 0");
      run.completes(0).completes(1).arrives(13, 1);
      run.then(
          "finish 1 LENGTH",
          "finish 0 LENGTH",
          "reject 2 NEVER_FITS 4/" + (policy.startsWith("v") ? 1 : 3));
    }
  }

  @Test
  void failedStep_shouldNotTouchTheOtherDevice() {
    Run run = engine.given().device(2).device(2).start();
    run.arrives(8, 3).arrives(5, 3).thenWhatever();
    run.fails(1).then("preempt 1 RECOMPUTE STEP_FAILED", "admit 1 on 1", "step on 1: 1+5 new 0,1");
    assertThat(run.view().stepInFlight(0).step()).isZero();
    assertThat(run.view().stepInFlight(1).step()).isEqualTo(1);
  }

  @Test
  void swapped_shouldComeBackOnWhicheverDeviceHasRoom() {
    Run run =
        engine
            .given()
            .policy("vllm-0.2.7", "preemption", "swap")
            .device(2)
            .device(4)
            .host(4)
            .start();
    run.arrives(4, 4).arrives(4, 4);
    run.then("admit 0", "admit 1", "step 0+4 1+4 new 0,1");
    run.completes(0);
    run.then("preempt 1 SWAP", "swap_out [0>2] 1: 1>0", "step 0@4+1 new 1 after 0");
    run.completes(0);
    run.then("preempt 0 SWAP", "swap_out [0>2] 0: 0>1 1>2", "sort 2", "step after 1");
    assertThat(run.residents(2)).containsExactly(0, 1);
    run.completes(0);
    run.then(
        "swap_in [2>1] 0: 1>0 2>1",
        "swap_in [2>1] 1: 0>2",
        "step on 1: 0@5+1 1@4+1 new 3 after 2,3");
  }

  @Test
  void eachDevice_shouldHaveItsOwnSeats() {
    Run run = engine.given().maxNumSeqs(1).device(4).device(4).start();
    run.arrives(1, 9).arrives(1, 9).arrives(1, 9);
    run.then("admit 0", "step 0+1 new 0", "admit 1 on 1", "step on 1: 1+1 new 0");
    assertThat(run.waiting()).containsExactly(2);
  }
}
