package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.state.Sequence;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A choice marks its sequence until it is carried out, and a share its device.
class HandlingTest {

  private static final List<HandlingEstimate> ESTIMATES =
      List.of(
          new HandlingEstimate(Handling.RECOMPUTE, -1, 500, 100),
          new HandlingEstimate(Handling.SWAP, 1, 200, 90),
          new HandlingEstimate(Handling.STAY, -1, 50, 10));

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  /// Sequence 0 has run on device 0 and rests between two steps; sequence 1 waits.
  private Run run() {
    Run run = engine.given().byHand().device(8).host(8).maxStepsInFlight(2).start();
    run.arrives(4, 9).arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever();
    return run.completes(0);
  }

  private static Run chooses(Run run, int sequence, int chosen) {
    return run.decides(
        (view, decisions) -> decisions.weigh(view.sequence(sequence), 0, 20, ESTIMATES, chosen));
  }

  @Test
  void choice_shouldMarkTheSequence() {
    Run run = chooses(run(), 0, 1);
    run.then("choose SWAP for 0");
    assertThat(run.sequence(0).intent()).isEqualTo(Handling.SWAP);
    assertThat(run.sequence(0).intentPlace()).isEqualTo(1);
  }

  @Test
  void laterChoice_shouldReplaceIt() {
    Run run = chooses(chooses(run(), 0, 1), 0, 0);
    assertThat(run.sequence(0).intent()).isEqualTo(Handling.RECOMPUTE);
    assertThat(run.sequence(0).intentPlace()).isEqualTo(Sequence.NOWHERE);
  }

  @Test
  void stay_shouldTakeItBack() {
    Run run = chooses(chooses(run(), 0, 1), 0, 2);
    run.then("choose SWAP for 0", "choose STAY for 0");
    assertThat(run.sequence(0).intent()).isNull();
  }

  @Test
  void transfer_shouldCarryItOut() {
    Run run = chooses(run(), 0, 1);
    run.transfers(0, 1, TransferMode.ASYNC, 0);
    assertThat(run.sequence(0).intent()).isNull();
    assertThat(run.sequence(0).movedNanos()).isEqualTo(Sequence.NEVER);
    run.transferCompletes(0);
    assertThat(run.sequence(0).movedNanos()).isEqualTo(run.view().nowNanos());
  }

  @Test
  void offloadToADevice_shouldBeRememberedOnTheHost() {
    Run run = engine.given().byHand().device(8).device(8).host(8).start();
    run.arrives(4, 9).admits(0).steps(0, 0, 4).thenWhatever().completes(0);
    List<HandlingEstimate> estimates =
        List.of(new HandlingEstimate(Handling.OFFLOAD_DECODE, 1, 500, 100));
    run.decides((view, decisions) -> decisions.weigh(view.sequence(0), 0, 20, estimates, 0));
    run.transfers(0, 2, TransferMode.ASYNC, 0).transferCompletes(0);
    assertThat(run.sequence(0).intent()).isEqualTo(Handling.OFFLOAD_DECODE);
    run.transfers(2, 1, TransferMode.ASYNC, 0);
    assertThat(run.sequence(0).intent()).isNull();
  }

  @Test
  void recompute_shouldCarryItOut() {
    Run run = chooses(run(), 0, 0);
    run.preempts(0, PreemptionKind.RECOMPUTE);
    assertThat(run.sequence(0).intent()).isNull();
    assertThat(run.sequence(0).movedNanos()).isEqualTo(Sequence.NEVER);
  }

  @Test
  void otherPreemptions_shouldOnlyAnnounceTheTransfer() {
    Run run = chooses(run(), 0, 1);
    run.preempts(0, PreemptionKind.SWAP);
    assertThat(run.sequence(0).intent()).isEqualTo(Handling.SWAP);
  }

  @Test
  void choiceForASequenceInSteps_shouldWait() {
    Run run = run();
    run.steps(0, 0, 1).steps(0, 0, 1);
    chooses(run, 0, 1).thenWhatever();
    run.completes(0).then();
    assertThat(run.sequence(0).intent()).isEqualTo(Handling.SWAP);
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 0);
    assertThat(run.sequence(0).intent()).isNull();
  }

  @Test
  void failedStep_shouldTakeTheChoiceWithTheKv() {
    Run run = run();
    run.steps(0, 0, 1);
    chooses(run, 0, 1).thenWhatever();
    run.fails(0).then("preempt 0 RECOMPUTE STEP_FAILED");
    assertThat(run.sequence(0).intent()).isNull();
  }

  @Test
  void sequenceThatDoesNotRunThere_shouldBeRefused() {
    Run run = run();
    run.refusesDecision(
        "sequence 1 does not run on place 0",
        (view, decisions) -> decisions.weigh(view.sequence(1), 0, 20, ESTIMATES, 0));
    run.refusesDecision(
        "sequence 0 does not run on place 1",
        (view, decisions) -> decisions.weigh(view.sequence(0), 1, 20, ESTIMATES, 0));
  }

  @Test
  void share_shouldMarkTheDevice() {
    Run run = run();
    assertThat(run.view().shareNanos(0)).isEqualTo(Sequence.NEVER);
    run.decides((view, decisions) -> decisions.share(0, 1, 250_000, 300_000, 1_200, 1_000));
    assertThat(run.view().sharePpm(0)).isEqualTo(250_000);
    assertThat(run.view().shareNanos(0)).isEqualTo(run.view().nowNanos());
    assertThat(run.view().sharePpm(1)).isZero();
    run.then("share 250000 of 0 with 1");
  }

  @Test
  void shareOfAPlaceThatDoesNotCompute_shouldBeRefused() {
    run()
        .refusesDecision(
            "place 1 does not compute", (view, decisions) -> decisions.share(1, 0, 0, 0, 0, 0));
  }
}
