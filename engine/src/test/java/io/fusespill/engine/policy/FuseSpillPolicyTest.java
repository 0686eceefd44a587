package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Scenarios under `fusespill`, four tokens a block; lines are those of `EventLines`. Device 0,
/// host 1, disk 2. A step takes 10 ms for the weights, in which 8 tokens of prefill ride along (the
/// ridge), and 10 µs for each token of context; a block's copy takes 1 ms.
class FuseSpillPolicyTest {

  private static final StepCosts DEVICE =
      new StepCosts(0, 10_000_000, 1_250_000_000, 0, 0, 10_000_000, 0, 0, 0);

  /// The same with prefill attention so dear that nobody recomputes.
  private static final StepCosts QUADRATIC =
      new StepCosts(0, 10_000_000, 1_250_000_000, 0, 0, 10_000_000, 0, 1_000_000_000, 0);

  private static final StepCosts SLOW =
      new StepCosts(0, 100_000_000, 12_500_000_000L, 0, 0, 100_000_000, 0, 0, 0);

  private static final StepCosts HOST = new StepCosts(0, 0, 0, 0, 0, 20_000_000, 0, 0, 0);

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private Given given(String... options) {
    return engine
        .given()
        .policy(PolicyKind.FUSESPILL.label(), options)
        .predictor("oracle")
        .costs(DEVICE, HOST);
  }

  /// Two sequences fill all but one of the blocks, and both will need more for the next two tokens.
  private static Run twoThatGrow(Given given) {
    Run run = given.start();
    run.arrivesForetold(7, 30).arrivesForetold(7, 30);
    run.thenWhatever();
    return run.completes(0);
  }

  private static HandlingChosen choice(Run run) {
    return run.log().stream()
        .filter(HandlingChosen.class::isInstance)
        .map(HandlingChosen.class::cast)
        .findFirst()
        .orElseThrow();
  }

  private static List<Handling> weighed(Run run) {
    return choice(run).estimates().stream().map(HandlingEstimate::handling).toList();
  }

  // ---------------------------------------------------------------- prefill

  @Test
  void emptyMemory_shouldBeFilledByMoreThanRidesAlong() {
    given()
        .device(16)
        .host(16)
        .start()
        .arrivesForetold(20, 5)
        .then("admit 0", "step 0+20 new 0,1,2,3,4");
  }

  /// Of 64 blocks 64, 48, 36, 29, 24 and 21 are free; a step takes 64 tokens at most.
  @Test
  void prefill_shouldBeLessTheFewerBlocksAreFree() {
    Run run = given().maxModelTokens(1_000).device(64).host(16).start();
    List<Integer> tokens = new ArrayList<>();
    run.arrivesForetold(200, 2).thenWhatever();
    int computed = 0;
    while (computed < 185) {
      int planned = run.state().sequence(0).plannedComputedTokens();
      tokens.add(planned - computed);
      computed = planned;
      run.completes(0).thenWhatever();
    }
    assertThat(tokens).containsExactly(64, 45, 28, 20, 15, 13);
  }

  @Test
  void prefillBudget_shouldSplitAPrompt() {
    Run run = given("prefill-budget", "8").device(16).host(16).start();
    run.arrivesForetold(20, 5).then("admit 0", "step 0+8 new 0,1");
    run.completes(0).then("step 0@8+8 new 2,3");
    run.completes(0).then("step 0@16+4 new 4");
    run.completes(0).then("step 0@20+1 new 5");
  }

  @Test
  void prefill_shouldRideBesideDecodes() {
    Run run = given("prefill-budget", "8").device(16).host(16).start();
    run.arrivesForetold(4, 9).then("admit 0", "step 0+4 new 0");
    run.arrivesForetold(12, 9);
    run.completes(0).then("admit 1", "step 0@4+1 1+8 new 1,2,3");
  }

  // ---------------------------------------------------------------- victims

  @Test
  void lackOfRoom_shouldBeSeenAheadAndSwappedBesideTheStep() {
    Run run = twoThatGrow(given().device(5).host(8));
    run.then(
        "choose SWAP for 1", "preempt 1 SWAP", "async swap_out [0>1] 1: 2>0 3>1", "step 0@7+1");
    assertThat(weighed(run)).containsExactly(Handling.RECOMPUTE, Handling.SWAP, Handling.STAY);
  }

  /// Of 30 tokens foretold the longest context leaves 14, of which one is there.
  @Test
  void remainingTokens_shouldEndWithTheLongestContext() {
    Run run = twoThatGrow(given().maxModelTokens(20).device(5).host(8));
    run.thenWhatever();
    assertThat(choice(run).remainingTokens()).isEqualTo(13);
  }

  @Test
  void withoutHost_shouldRecompute() {
    Run run =
        twoThatGrow(engine.given().policy("fusespill").predictor("oracle").costs(DEVICE).device(5));
    run.then("choose RECOMPUTE for 1", "preempt 1 RECOMPUTE", "step 0@7+1");
  }

  @Test
  void handlingRecompute_shouldNotSwapThoughThatCostsLess() {
    Run run = twoThatGrow(given("handling", "recompute").device(5).host(8));
    run.then("choose RECOMPUTE for 1", "preempt 1 RECOMPUTE", "step 0@7+1");
    HandlingEstimate swap = choice(run).estimates().get(1);
    assertThat(swap.cheaperThan(choice(run).choice())).isTrue();
  }

  @Test
  void oldest_shouldNeverLeave() {
    Run run = given("victims", "oldest_last").device(5).host(8).start();
    run.arrivesForetold(7, 30).arrivesForetold(7, 30).thenWhatever();
    run.completes(0).thenWhatever();
    assertThat(choice(run).sequence()).isEqualTo(1);
  }

  /// Copies cost next to nothing of what memory is worth for as many steps.
  @Test
  void victimsThatCostNextToTheSame_shouldBeTheNewest() {
    Run run = given().maxNumBatchedTokens(64).maxModelTokens(200).device(16).host(32).start();
    run.arrivesForetold(7, 90).arrivesForetold(7, 90).arrivesForetold(23, 90).thenWhatever();
    playUntilSomebodyHasToGo(run);
    assertThat(choice(run).sequence()).isEqualTo(2);
  }

  /// The same where any difference counts: fewer blocks are copied sooner.
  @Test
  void victimsThatCostMore_shouldNotGoThoughTheyAreTheNewest() {
    Run run =
        given("hysteresis", "0")
            .maxNumBatchedTokens(64)
            .maxModelTokens(200)
            .device(16)
            .host(32)
            .start();
    run.arrivesForetold(7, 90).arrivesForetold(7, 90).arrivesForetold(23, 90).thenWhatever();
    playUntilSomebodyHasToGo(run);
    assertThat(choice(run).sequence()).isEqualTo(1);
  }

  /// Samples 0 and 1 hold 5 blocks each, of which they share 4, and 0 is the oldest; sequence 2
  /// holds 6 alone.
  @Test
  void sampleOfTheOldest_shouldCountForTheBlocksThatItDoesNotShare() {
    Run run = given().predictor("none").maxNumBatchedTokens(64).device(12).host(32).start();
    run.arrives(16, 60, 2).arrives(22, 60).thenWhatever();
    playUntilSomebodyHasToGo(run);
    assertThat(choice(run).sequence()).isEqualTo(2);
  }

  /// Samples 1 and 2 hold 6 blocks each, of which they share 4: eight copies in one transfer, and
  /// as many back.
  @Test
  void samples_shouldLeaveAndComeBackTogether() {
    Run run = given().predictor("none").maxNumBatchedTokens(64).device(12).host(32).start();
    run.arrives(7, 40).arrives(16, 60, 2).thenWhatever();
    playUntilSomebodyHasToGo(run);
    play(run, 3);
    run.completes(0, 0).thenWhatever();
    play(run, 3);
    assertThat(run.lines())
        .containsSubsequence(
            "choose SWAP for 1",
            "choose SWAP for 2",
            "preempt 1 SWAP",
            "preempt 2 SWAP",
            "async swap_out [0>1] 1,2: 2>0 3>1 4>2 5>3 6>4 9>5 7>6 10>7",
            "finish 0 STOP",
            "async swap_in [1>0] 1,2: 0>0 1>1 2>8 3>11 4>10 5>7 6>5 7>4",
            "step 1@23+1 2@23+1");
  }

  private static void playUntilSomebodyHasToGo(Run run) {
    for (int i = 0; i < 20 && run.log().stream().noneMatch(HandlingChosen.class::isInstance); i++) {
      run.completes(0).thenWhatever();
    }
  }

  /// Both prompts begin with the same eight tokens; what the first computed costs the second
  /// nothing, neither blocks nor tokens.
  @Test
  void promptThatBeginsAlike_shouldShareFullBlocks() {
    Run run = given("prefix-caching", "true").predictor("none").device(6).host(8).start();
    run.arrivesWith(9, 1, 2, 3, 4, 5, 6, 7, 8, 9).then("admit 0", "step 0+9 new 0,1,2");
    run.arrivesWith(9, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6).then();
    run.completes(0).then("admit 1 keeping 2", "step 0@9+1 1@8+2 new 3");
  }

  /// What stays with others is found again, so only the rest is computed anew; a copy would come
  /// back with blocks of its own.
  @Test
  void victimThatSharesItsPrompt_shouldRecomputeTheRestOfIt() {
    Run run = given("prefix-caching", "true").predictor("none").device(8).host(32).start();
    int[] prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    run.arrivesWith(30, prompt).thenWhatever();
    run.completes(0).thenWhatever();
    prompt[17] = 1;
    run.arrivesWith(30, prompt).thenWhatever();
    playUntilSomebodyHasToGo(run);
    assertThat(choice(run).sequence()).isEqualTo(1);
    assertThat(choice(run).choice().handling()).isEqualTo(Handling.RECOMPUTE);
    run.drains();
    assertThat(run.lines()).containsSubsequence("preempt 1 RECOMPUTE", "admit 1 keeping 4");
  }

  @Test
  void fullHost_shouldSendTheNewestThatRestsOnToTheDisk() {
    Run run =
        engine
            .given()
            .policy("fusespill")
            .predictor("oracle")
            .costs(QUADRATIC, StepCosts.NONE, StepCosts.NONE)
            .device(9)
            .host(4)
            .disk(8)
            .link(0, 1)
            .link(1, 0)
            .link(1, 2)
            .link(2, 1)
            .start();
    run.arrivesForetold(7, 30).arrivesForetold(7, 30).arrivesForetold(7, 30).thenWhatever();
    run.completes(0).thenWhatever();
    for (int i = 0; i < 12; i++) {
      if (run.view().transfersInFlight() > 0) {
        run.transferCompletes(run.state().firstTransfer());
      }
      if (run.view().stepInFlight(0) != null) {
        run.completes(0);
      }
      run.thenWhatever();
    }
    assertThat(run.lines()).anyMatch(line -> line.startsWith("choose SPILL"));
    assertThat(run.lines()).anyMatch(line -> line.startsWith("async spill [1>2]"));
  }

  /// Device 1 is in the midst of a step until sequence 0 has left device 0.
  @Test
  void sequenceThatOutgrowsItsDevice_shouldGoOnOnALargerOne() {
    Run run = given().device(3).device(16).costs(DEVICE, DEVICE).start();
    run.arrivesForetold(7, 30).arrivesForetold(20, 30).thenWhatever();
    for (int i = 0; i < 8 && run.view().stepInFlight(0) != null; i++) {
      run.completes(0).thenWhatever();
    }
    assertThat(run.lines()).contains("preempt 0 RECOMPUTE");
    run.completes(1).thenWhatever();
    assertThat(run.lines()).contains("admit 0 on 1");
  }

  // ------------------------------------------------------ who takes a prompt

  /// A device that is ten times as slow, first in the order of asking.
  private Given besideASlowOne() {
    return given().predictor("none").device(16).device(16).costs(SLOW, DEVICE);
  }

  @Test
  void slowDevice_shouldLeaveAPromptToAnIdleFastOne() {
    besideASlowOne().start().arrives(20, 9).then("admit 0 on 1", "step on 1: 0+20 new 0,1,2,3,4");
  }

  @Test
  void slowDevice_shouldLeaveAPromptToABusyFastOneThatHasRoom() {
    Run run = besideASlowOne().start();
    run.arrives(20, 9).thenWhatever();
    run.arrives(8, 9).then();
    run.completes(1).thenWhatever();
    assertThat(run.lines()).contains("admit 1 on 1");
  }

  @Test
  void slowDevice_shouldTakeAPromptForWhichTheFastOneHasNoRoom() {
    Run run = besideASlowOne().start();
    run.arrives(50, 9).thenWhatever();
    run.arrives(20, 9).thenWhatever();
    assertThat(run.lines()).contains("admit 0 on 1", "admit 1");
  }

  // -------------------------------------------------------- host attention

  @Test
  void attendingHost_shouldDecodeWhatWasMovedThere() {
    Run run = twoThatGrow(given().device(5).attendingHost(32));
    run.arrivesForetold(16, 30);
    run.then(
        "choose OFFLOAD_ATTENTION for 1",
        "preempt 1 OFFLOAD OFFLOADED",
        "async swap_out [0>1] 1: 2>0 3>1",
        "step 0@7+1");
    run.transferCompletes(0);
    run.completes(0)
        .then(
            "share 875000 of 0 with 1",
            "choose OFFLOAD_ATTENTION for 0",
            "step 0@8+1 1@7+1 last 1 at 1 new 3");
  }

  @Test
  void attentionOff_shouldLeaveItAtRest() {
    Run run = twoThatGrow(given("attention", "false").device(5).attendingHost(32));
    run.thenWhatever();
    assertThat(weighed(run)).doesNotContain(Handling.OFFLOAD_ATTENTION);
    run.transferCompletes(0);
    run.completes(0).thenWhatever();
    assertThat(run.lines()).noneMatch(line -> line.contains("last 1 at 1"));
  }

  @Test
  void offload_shouldNeedRoomForThePredictedFinalLength() {
    Run run = twoThatGrow(given().device(5).attendingHost(9));
    run.thenWhatever();
    assertThat(weighed(run)).doesNotContain(Handling.OFFLOAD_ATTENTION);
  }

  /// Lets device 0 take steps and copies end.
  private static void play(Run run, int steps) {
    for (int i = 0; i < steps; i++) {
      if (run.view().transfersInFlight() > 0) {
        run.transferCompletes(run.state().firstTransfer());
      }
      if (run.view().stepInFlight(0) != null) {
        run.completes(0);
      }
      run.thenWhatever();
    }
  }

  /// Sequence 1 is attended for on the host and grows beyond what the device has, which is empty
  /// once 0 has ended.
  @Test
  void attendedSequence_shouldGoOnThoughAnEmptyDeviceIsTooSmallForIt() {
    Run run = given().device(8).attendingHost(64).start();
    run.arrivesForetold(7, 60).arrivesForetold(7, 60).thenWhatever();
    play(run, 25);
    assertThat(run.state().sequence(1).totalTokens()).isGreaterThan(28);
    run.completes(0, 0).thenWhatever();
    assertThat(run.lines().getLast()).contains("last 1 at 1");
    play(run, 10);
    assertThat(run.lines())
        .noneMatch(line -> line.contains("RECOMPUTE") || line.contains("reject"));
  }

  @Test
  void sequenceThatOutgrowsItsDevice_shouldGoOnAtAHostThatAttends() {
    Run run = given().device(3).attendingHost(64).start();
    run.arrivesForetold(7, 60).thenWhatever();
    play(run, 12);
    assertThat(run.lines()).contains("preempt 0 OFFLOAD OFFLOADED");
    assertThat(run.lines().getLast()).startsWith("step 0@").contains("at 1");
    assertThat(run.state().sequence(0).totalTokens()).isGreaterThan(12);
  }

  /// Requests wait for one of three seats, and none for memory: nobody leaves the device, not even
  /// while one prefills and two decode.
  @Test
  void waitingForASeat_shouldMoveNobodyToTheHost() {
    Run run = given("prefill-budget", "4").maxNumSeqs(3).device(64).attendingHost(64).start();
    for (int i = 0; i < 6; i++) {
      run.arrivesForetold(12, 40);
    }
    run.thenWhatever();
    play(run, 20);
    assertThat(run.lines()).noneMatch(line -> line.startsWith("choose"));
  }

  // ------------------------------------------------------- other devices

  /// Three sequences of 100 tokens come to device 0 while device 1 computes a prompt, which is all
  /// that it ever does by itself: 13 ms a step against 12 and 11 ms with one moved. KV goes over
  /// host 2, 26 ms each way. Runs until all have ended.
  private List<String> threeOnOneOfTwoDevices(int outputTokens, String... options) {
    Run run =
        engine
            .given()
            .policy(PolicyKind.FUSESPILL.label(), options)
            .predictor("oracle")
            .costs(DEVICE, DEVICE, StepCosts.NONE)
            .maxModelTokens(1_000)
            .device(200)
            .device(200)
            .host(40)
            .link(0, 2)
            .link(2, 0)
            .link(1, 2)
            .link(2, 1)
            .start();
    run.arrivesForetold(100, outputTokens).arrivesForetold(50, 1).thenWhatever();
    run.arrivesForetold(100, outputTokens).arrivesForetold(100, outputTokens).thenWhatever();
    for (int step = 1; step < 9; step++) {
      run.completes(0).thenWhatever();
    }
    run.completes(1, 1).thenWhatever();
    for (int round = 0; round < 8; round++) {
      if (run.view().transfersInFlight() > 0) {
        run.transferCompletes(run.state().firstTransfer());
      }
      for (int device = 0; device < 2; device++) {
        if (run.view().stepInFlight(device) != null) {
          run.completes(device);
        }
      }
      run.thenWhatever();
    }
    return run.lines();
  }

  @Test
  void idleDevice_shouldTakeOneOverThroughTheHost() {
    List<String> lines = threeOnOneOfTwoDevices(80);
    assertThat(lines)
        .filteredOn(line -> line.startsWith("choose"))
        .containsExactly("choose OFFLOAD_DECODE for 2");
    assertThat(lines)
        .filteredOn(line -> line.startsWith("async"))
        .satisfiesExactly(
            out -> assertThat(out).startsWith("async swap_out [0>2] 2:"),
            in -> assertThat(in).startsWith("async swap_in [2>1] 2:"));
    assertThat(lines).last().asString().contains("step on 1: 2@");
  }

  @Test
  void copyThatTakesLongerThanItSaves_shouldNotBeMade() {
    assertThat(threeOnOneOfTwoDevices(6)).noneMatch(line -> line.startsWith("choose"));
  }

  @Test
  void offloadOff_shouldLeaveAllWhereTheyAre() {
    assertThat(threeOnOneOfTwoDevices(80, "offload", "false"))
        .noneMatch(line -> line.startsWith("choose"));
    assertThat(threeOnOneOfTwoDevices(80, "proactive", "false"))
        .noneMatch(line -> line.startsWith("choose"));
  }

  /// Device 0 lacks room for three sequences, of 8, 8 and 20 tokens, and a fourth waits, while
  /// device 1 computes a prompt and will take from host 2 what is swapped there.
  private int firstToLeaveBeside(StepCosts other) {
    Run run =
        engine
            .given()
            .policy(PolicyKind.FUSESPILL.label())
            .predictor("oracle")
            .costs(DEVICE, other, StepCosts.NONE)
            .maxModelTokens(1_000)
            .device(13)
            .device(200)
            .host(40)
            .link(0, 2)
            .link(2, 0)
            .link(1, 2)
            .link(2, 1)
            .start();
    run.arrivesForetold(7, 30).arrivesForetold(50, 30).thenWhatever();
    run.completes(1).thenWhatever();
    run.arrivesForetold(7, 30).arrivesForetold(19, 30).arrivesForetold(40, 30).thenWhatever();
    for (int i = 0; i < 20 && run.log().stream().noneMatch(HandlingChosen.class::isInstance); i++) {
      run.completes(0).thenWhatever();
    }
    assertThat(choice(run).choice().handling()).isEqualTo(Handling.SWAP);
    return choice(run).sequence();
  }

  @Test
  void besideALikeDevice_shouldSwapWhatIsLeastToCopy() {
    assertThat(firstToLeaveBeside(DEVICE)).isEqualTo(2);
  }

  /// A row more costs the other one 1 ms for each token of context.
  @Test
  void besideASlowDevice_shouldSwapWhatHoldsMost() {
    StepCosts slow = new StepCosts(0, 10_000_000, 1_250_000_000, 0, 0, 1_000_000_000, 0, 0, 0);
    assertThat(firstToLeaveBeside(slow)).isEqualTo(3);
  }

  // ----------------------------------------------------- coming back, admission

  @Test
  void swapped_shouldComeBackIntoLeftoversAndBeforeAnybodyNew() {
    Run run = twoThatGrow(given().device(5).host(8)).thenWhatever();
    run.transferCompletes(0).arrivesForetold(4, 4);
    run.completes(0).then("step 0@8+1 new 3");
    run.completes(0, 0)
        .then("finish 0 STOP", "async swap_in [1>0] 1: 0>0 1>1", "admit 2", "step 2+4 new 3");
    run.transferCompletes(1);
    run.completes(0).then("sort 0", "step 1@7+1 2@4+1 new 2");
  }

  @Test
  void predictedAdmission_shouldKeepOutWhoseGrowthWillNotFit() {
    Run run = given("admission", "predicted").device(8).host(8).start();
    run.arrivesForetold(7, 20).arrivesForetold(7, 20).then("admit 0", "step 0+7 new 0,1");
    Run greedy = given("admission", "greedy").device(8).host(8).start();
    greedy.arrivesForetold(7, 20).arrivesForetold(7, 20);
    greedy.then("admit 0", "admit 1", "step 0+7 1+7 new 0,1,2,3");
  }

  @Test
  void whatExactlyFillsTheDevice_shouldRun() {
    given()
        .device(4)
        .host(8)
        .start()
        .arrivesForetold(16, 3)
        .then("admit 0", "step 0+16 new 0,1,2,3");
  }

  @Test
  void whatCanNeverFit_shouldBeTurnedAway() {
    given().device(4).host(8).start().arrivesForetold(17, 3).then("reject 0 NEVER_FITS 5/4");
  }

  // -------------------------------------------------------------- queued steps

  @Test
  void victimInAStepInFlight_shouldLeaveOnceThatIsDone() {
    Run run = given().maxStepsInFlight(2).device(5).host(8).start();
    run.arrivesForetold(7, 30).arrivesForetold(7, 30).thenWhatever();
    assertThat(run.lines()).contains("choose SWAP for 1");
    assertThat(run.lines()).noneMatch(line -> line.startsWith("async"));
    run.completes(0).thenWhatever();
    assertThat(run.lines()).anyMatch(line -> line.startsWith("async swap_out [0>1] 1:"));
  }
}
