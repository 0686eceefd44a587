package io.fusespill.replay.explain;

import static io.fusespill.replay.explain.EventScript.GPU;
import static io.fusespill.replay.explain.EventScript.HOST;
import static io.fusespill.replay.explain.EventScript.OTHER_GPU;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.replay.explain.Moment.Stretch;
import io.fusespill.replay.explain.Outcome.Fate;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Given events, the story that they make.
class StoriesTest {

  private static final HandlingEstimate SWAP = new HandlingEstimate(Handling.SWAP, HOST, 8, 500);
  private static final HandlingEstimate RECOMPUTE =
      new HandlingEstimate(Handling.RECOMPUTE, -1, 20, 500);
  private static final HandlingEstimate ATTENTION =
      new HandlingEstimate(Handling.OFFLOAD_ATTENTION, HOST, 5, 900);
  private static final HandlingEstimate DECODE =
      new HandlingEstimate(Handling.OFFLOAD_DECODE, OTHER_GPU, 5, 900);

  private static Story story(EventScript script, int sequence) {
    return tell(Stories.ofSequence(sequence), script).getFirst();
  }

  private static List<Story> tell(Stories stories, EventScript script) {
    long position = 0;
    for (var event : script.events()) {
      stories.accept(position++, event);
    }
    stories.close();
    return stories.stories();
  }

  private static Choice choice(Story story) {
    return story.moments().stream()
        .filter(Moment.Chosen.class::isInstance)
        .map(moment -> ((Moment.Chosen) moment).choice())
        .findFirst()
        .orElseThrow();
  }

  private static long timeIn(Story story, Phase phase, int place) {
    return story.times().stream()
        .filter(time -> time.phase() == phase && time.place() == place)
        .mapToLong(TimeIn::nanos)
        .sum();
  }

  @Test
  void undisturbed_isToldInStretches() {
    EventScript script = new EventScript();
    script.at(1_000).arrives(20).at(1_100).admits(0);
    script.plans(GPU, 0, 0, 16).at(1_200).completes(GPU);
    script.plans(GPU, 0, 16, 4).at(1_250).completes(GPU);
    script.plans(GPU, 0, 20, 1).at(1_260).completes(GPU);
    script.at(1_265).plans(GPU, 0, 21, 1).at(1_280).completes(GPU, 0);
    script.finishes(0, FinishReason.STOP);
    Story story = story(script, 0);
    assertThat(story.moments())
        .containsExactly(
            new Moment.Arrived(story.request()),
            new Stretch(Phase.WAITING, -1, 1_000, 1_100, 0, 0, 0, 0),
            new Moment.Admitted(1_100, GPU, 0),
            new Stretch(Phase.PREFILL, GPU, 1_100, 1_250, 2, 20, 0, 0),
            new Moment.FirstToken(1_250),
            new Stretch(Phase.DECODE, GPU, 1_250, 1_280, 2, 2, 0, 5),
            new Moment.Ended(1_280, FinishReason.STOP));
    assertThat(story.times())
        .containsExactly(
            new TimeIn(Phase.WAITING, -1, 100),
            new TimeIn(Phase.PREFILL, GPU, 150),
            new TimeIn(Phase.DECODE, GPU, 25),
            new TimeIn(Phase.RESTING, GPU, 5));
    assertThat(story.ttftNanos()).isEqualTo(250);
    assertThat(story.tpotNanos()).isEqualTo(15);
    assertThat(story.totalNanos()).isEqualTo(280);
    assertThat(story.outputTokens()).isEqualTo(3);
    assertThat(story.ended()).isTrue();
  }

  @Test
  void routed_waitsOnForItsDevice() {
    EventScript script = new EventScript().at(10).arrives(4).routes(0).at(30).admits(0);
    Story story = story(script, 0);
    assertThat(story.moments())
        .contains(
            new Moment.Bound(10, GPU),
            new Stretch(Phase.WAITING, -1, 10, 30, 0, 0, 0, 0),
            new Moment.Admitted(30, GPU, 0));
  }

  /// The second step is planned while the first runs, and the third after the end is certain to the
  /// model alone.
  @Test
  void stepsAhead_areOneStretchAndCountNoTokenAfterTheEnd() {
    EventScript script = new EventScript().runs(4, 1);
    script.plans(GPU, 0, 4, 1).plans(GPU, 0, 5, 1);
    script.at(210).completes(GPU).plans(GPU, 0, 6, 1);
    script.at(220).completes(GPU, 0).at(230).completes(GPU).finishes(0, FinishReason.STOP);
    Story story = story(script, 0);
    assertThat(story.moments()).contains(new Stretch(Phase.DECODE, GPU, 200, 230, 3, 2, 0, 0));
    assertThat(story.outputTokens()).isEqualTo(3);
    assertThat(story.lastTokenNanos()).isEqualTo(220);
  }

  @Test
  void swapped_isAwayUntilItIsBackOnADevice() {
    EventScript script = new EventScript().runs(4, 3);
    long position = script.position();
    script.chooses(0, 9, SWAP, RECOMPUTE).plans(GPU, 0, 6, 1).at(230).completes(GPU);
    script.preempts(0, PreemptionKind.SWAP).moves(0, TransferKind.SWAP_OUT, GPU, HOST);
    script.at(237).arrivesThere();
    script.at(300).moves(0, TransferKind.SWAP_IN, HOST, GPU).at(306).arrivesThere();
    script.at(310).plans(GPU, 0, 7, 1).at(320).completes(GPU, 0).finishes(0, FinishReason.STOP);
    Story story = story(script, 0);
    Choice choice = choice(story);
    assertThat(choice.position()).isEqualTo(position);
    assertThat(choice.outputTokens()).isEqualTo(3);
    assertThat(choice.outcome())
        .isEqualTo(new Outcome(Fate.BACK, PreemptionKind.SWAP, 10, 7, 76, 0, 0, 0, 2, true));
    assertThat(story.moments())
        .containsSequence(
            new Moment.Preempted(230, PreemptionKind.SWAP, PreemptionReason.OUT_OF_BLOCKS),
            new Moment.Moved(
                230, 237, TransferKind.SWAP_OUT, TransferMode.ASYNC, GPU, HOST, 2, null),
            new Stretch(Phase.RESTING, HOST, 237, 300, 0, 0, 0, 0),
            new Moment.Moved(
                300, 306, TransferKind.SWAP_IN, TransferMode.ASYNC, HOST, GPU, 2, null),
            new Stretch(Phase.RESTING, GPU, 306, 310, 0, 0, 0, 0),
            new Stretch(Phase.DECODE, GPU, 310, 320, 1, 1, 0, 0));
    assertThat(timeIn(story, Phase.MOVING, -1)).isEqualTo(13);
    assertThat(timeIn(story, Phase.RESTING, HOST)).isEqualTo(63);
    assertThat(story.totalNanos()).isEqualTo(320);
  }

  @Test
  void offloadedAttention_countsTheHostsTokensAndTheirPace() {
    EventScript script = new EventScript().runs(4, 2);
    script.chooses(0, 50, ATTENTION, SWAP).preempts(0, PreemptionKind.OFFLOAD);
    script.moves(0, TransferKind.SWAP_OUT, GPU, HOST).at(215).arrivesThere();
    script.plansRemote(0, 5).at(240).completes(GPU);
    script.at(250).plansRemote(0, 6).at(275).completes(GPU, 0).finishes(0, FinishReason.LENGTH);
    Story story = story(script, 0);
    assertThat(choice(story).outcome())
        .isEqualTo(new Outcome(Fate.ENDED, PreemptionKind.OFFLOAD, 0, 5, 65, 2, 50, 0, 2, true));
    assertThat(story.moments()).contains(new Stretch(Phase.DECODE, HOST, 215, 275, 2, 2, 0, 10));
    assertThat(timeIn(story, Phase.DECODE, HOST)).isEqualTo(50);
  }

  @Test
  void offloadedDecode_throughTheHost_isThereWhenTheOtherDeviceHasIt() {
    EventScript script = new EventScript().runs(4, 2);
    script.chooses(0, 50, DECODE, SWAP).preempts(0, PreemptionKind.OFFLOAD);
    script.moves(0, TransferKind.SWAP_OUT, GPU, HOST).at(215).arrivesThere();
    script.moves(0, TransferKind.SWAP_IN, HOST, OTHER_GPU).at(222).arrivesThere();
    script.plans(OTHER_GPU, 0, 5, 1).at(242).completes(OTHER_GPU, 0);
    script.finishes(0, FinishReason.STOP);
    assertThat(choice(story(script, 0)).outcome())
        .isEqualTo(new Outcome(Fate.ENDED, PreemptionKind.OFFLOAD, 0, 12, 32, 1, 20, 0, 1, true));
  }

  /// Of 4 + 3 tokens 6 had KV; the newest is computed again too, in the chunk that samples one
  /// more.
  @Test
  void recomputed_isBackWithTheNextToken() {
    EventScript script = new EventScript().runs(4, 3);
    script.chooses(0, 9, RECOMPUTE, SWAP).preempts(0, PreemptionKind.RECOMPUTE);
    script.at(320).admits(0).plans(GPU, 0, 0, 5).at(330).completes(GPU);
    script.plans(GPU, 0, 5, 2).at(345).completes(GPU);
    script.plans(GPU, 0, 7, 1).at(355).completes(GPU, 0).finishes(0, FinishReason.STOP);
    Story story = story(script, 0);
    assertThat(choice(story).outcome())
        .isEqualTo(new Outcome(Fate.BACK, PreemptionKind.RECOMPUTE, 0, -1, 125, 0, 0, 7, 2, true));
    assertThat(story.moments())
        .containsSequence(
            new Stretch(Phase.WAITING, -1, 220, 320, 0, 0, 0, 0),
            new Moment.Admitted(320, GPU, 0),
            new Stretch(Phase.PREFILL, GPU, 320, 345, 2, 7, 7, 0),
            new Stretch(Phase.DECODE, GPU, 345, 355, 1, 1, 0, 0));
  }

  @Test
  void choice_thatFindsNoRoom_isRecomputedInstead() {
    EventScript script = new EventScript().runs(4, 3);
    script.chooses(0, 9, SWAP).preempts(0, PreemptionKind.RECOMPUTE);
    script.at(320).admits(0).plans(GPU, 0, 0, 7).at(330).completes(GPU, 0);
    script.finishes(0, FinishReason.STOP);
    Outcome outcome = choice(story(script, 0)).outcome();
    assertThat(outcome.carriedOut()).isEqualTo(PreemptionKind.RECOMPUTE);
    assertThat(outcome.fate()).isEqualTo(Fate.BACK);
    assertThat(outcome.recomputedTokens()).isEqualTo(7);
  }

  @Test
  void choice_overtakenByTheEnd_isNotBegun() {
    EventScript script = new EventScript().runs(4, 3);
    script.plans(GPU, 0, 6, 1).chooses(0, 9, SWAP).at(230).completes(GPU, 0);
    script.finishes(0, FinishReason.STOP);
    assertThat(choice(story(script, 0)).outcome())
        .isEqualTo(new Outcome(Fate.NOT_BEGUN, null, -1, -1, -1, 0, 0, 0, 1, true));
  }

  @Test
  void choice_whoseSequenceIsCancelled_doesNotKnowWhatRemained() {
    EventScript script = new EventScript().runs(4, 3);
    script.chooses(0, 9, SWAP).add(new RequestCancelled(220, 0));
    script.finishes(0, FinishReason.CANCELLED);
    Story story = story(script, 0);
    assertThat(choice(story).outcome().remainingKnown()).isFalse();
    assertThat(story.moments()).contains(new Moment.Cancelled(220));
  }

  @Test
  void failures_areTold() {
    EventScript script = new EventScript().runs(4, 3);
    script.chooses(0, 9, SWAP).preempts(0, PreemptionKind.SWAP);
    script.moves(0, TransferKind.SWAP_OUT, GPU, HOST).at(228).getsLost();
    script.plans(GPU, 0, 6, 1).at(240).fails(GPU).preempts(0, PreemptionKind.RECOMPUTE);
    Story story = story(script, 0);
    assertThat(choice(story).outcome().fate()).isEqualTo(Fate.FAILED);
    assertThat(choice(story).outcome().awayNanos()).isEqualTo(8);
    assertThat(story.moments())
        .contains(
            new Moment.Moved(
                220, 228, TransferKind.SWAP_OUT, TransferMode.ASYNC, GPU, HOST, 2, "broken"),
            new Moment.StepLost(240, GPU, "broken"));
    assertThat(story.ended()).isFalse();
  }

  @Test
  void sequenceWithoutATokenToSample_isToldWhy() {
    EventScript script = new EventScript().at(10).arrives(4).admits(0).plans(GPU, 0, 0, 4);
    script.at(20).fails(GPU, 0).at(21).completes(GPU);
    script.add(new SequenceFinished(21, 0, FinishReason.FAILED));
    Story story = story(script, 0);
    assertThat(story.moments())
        .endsWith(
            new Moment.Unsampled(20, GPU, "no number"), new Moment.Ended(21, FinishReason.FAILED));
    assertThat(story.ttftNanos()).isEqualTo(-1);
  }

  @Test
  void rejected_endsTheStory() {
    EventScript script = new EventScript().at(10).arrives(4);
    script.add(new RequestRejected(30, 0, 0, 1, RejectionReason.NEVER_FITS, 7, 5));
    Story story = story(script, 0);
    assertThat(story.moments())
        .endsWith(
            new Stretch(Phase.WAITING, -1, 10, 30, 0, 0, 0, 0),
            new Moment.Rejected(30, RejectionReason.NEVER_FITS, 7, 5));
    assertThat(story.ended()).isTrue();
    assertThat(story.ttftNanos()).isEqualTo(-1);
  }

  @Test
  void sample_sharesItsPastWithTheFirst() {
    EventScript script = new EventScript().arrives(4, 2).at(100).admits(0);
    script.plans(GPU, 0, 0, 4).at(200).completes(GPU);
    script.plans(GPU, 1, 4, 1).at(210).completes(GPU, 1).finishes(1, FinishReason.STOP);
    script.plans(GPU, 0, 4, 1).at(220).completes(GPU, 0).finishes(0, FinishReason.STOP);
    Story story = story(script, 1);
    assertThat(story.moments())
        .contains(
            new Stretch(Phase.PREFILL, GPU, 100, 200, 1, 4, 0, 0),
            new Moment.FirstToken(200),
            new Moment.Forked(200, 0),
            new Stretch(Phase.DECODE, GPU, 200, 210, 1, 1, 0, 0),
            new Moment.Ended(210, FinishReason.STOP));
    assertThat(story.totalNanos()).isEqualTo(210);
    assertThat(tell(Stories.ofRequest(0), script))
        .extracting(Story::sequence)
        .containsExactly(0, 1);
  }

  /// The first sequence is recomputed before it forks and ends last, with 3 tokens.
  @Test
  void choiceBeforeTheFork_isTheFirstOnesAndToldAlikeOfAll() {
    EventScript script = new EventScript().arrives(4, 2).at(100).admits(0);
    script.plans(GPU, 0, 0, 2).at(110).completes(GPU);
    script.chooses(0, 9, RECOMPUTE).preempts(0, PreemptionKind.RECOMPUTE).at(150).admits(0);
    script.plans(GPU, 0, 0, 4).at(200).completes(GPU);
    script.plans(GPU, 1, 4, 1).at(210).completes(GPU, 1).finishes(1, FinishReason.STOP);
    script.plans(GPU, 0, 4, 1).at(220).completes(GPU);
    script.plans(GPU, 0, 5, 1).at(230).completes(GPU, 0).finishes(0, FinishReason.STOP);
    Story first = story(script, 0);
    Story sample = story(script, 1);
    assertThat(choice(sample)).isEqualTo(choice(first));
    assertThat(choice(sample).outcome().remainingTokens()).isEqualTo(3);
    assertThat(choice(sample).outcome().remainingKnown()).isTrue();
    assertThat(first.preemptions()).isEqualTo(1);
    assertThat(sample.preemptions()).isZero();
    assertThat(tell(Stories.ofRequest(0), script)).containsExactly(first, sample);
  }

  @Test
  void sampleThatNeverCameToLife_endsWithTheFirst() {
    EventScript script = new EventScript().arrives(4, 3).add(new RequestCancelled(50, 0));
    script.at(50).finishes(0, FinishReason.CANCELLED);
    Story story = story(script, 2);
    assertThat(story.sequence()).isEqualTo(2);
    assertThat(story.moments()).endsWith(new Moment.Ended(50, FinishReason.CANCELLED));
    assertThat(tell(Stories.ofRequest(0), script)).hasSize(3);
  }

  @Test
  void unknownSequence_hasNoStory() {
    Stories stories = Stories.ofSequence(7);
    assertThat(tell(stories, new EventScript().runs(4, 1))).isEmpty();
    assertThat(stories.sequences()).isEqualTo(1);
  }
}
