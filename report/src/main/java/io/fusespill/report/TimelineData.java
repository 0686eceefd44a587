package io.fusespill.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.state.EngineView;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Outcome;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.timeline.StepSpan;
import io.fusespill.replay.timeline.TimelineListener;
import io.fusespill.replay.timeline.TransferSpan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// What the page's timeline draws of one run, in bounded memory: a run that has more than fits is
/// thinned evenly. Times of steps, transfers and estimated losses are whole microseconds, all
/// others whole tenths of a millisecond, which a page's width does not show.
///
/// The page's script reads the columns in the order in which [#columns] writes them.
final class TimelineData implements TimelineListener {

  /// How much of all runs of a page is kept.
  ///
  /// @param steps spans of steps
  /// @param transfers spans of transfers
  /// @param levels changes of each level
  /// @param sequences lives
  /// @param choices choices, those with the greatest estimated loss
  record Budget(int steps, int transfers, int levels, int sequences, int choices) {

    /// About 4 MB of a page.
    static final Budget PAGE = new Budget(360_000, 80_000, 48_000, 24_000, 16_000);

    Budget of(int runs) {
      return new Budget(
          even(steps / runs),
          even(transfers / runs),
          even(levels / runs),
          even(sequences / runs),
          even(choices / runs));
    }

    private static int even(int count) {
      return Math.max(2, count / 2 * 2);
    }
  }

  /// What a step's rows are; numbers that the script knows.
  private static final int COPIES = 0;

  private static final int DECODE = 1;
  private static final int PREFILL = 2;
  private static final int MIXED = 3;

  private static final int ENDED_OPEN = -1;
  private static final int ENDED_REJECTED = -2;
  private static final int PHASE_BITS = 3;
  private static final long NANOS_PER_MICRO = 1_000;
  private static final long NANOS_PER_TENTH = 100_000;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /// The cheapest first; of equals the one that was chosen last.
  private static final Comparator<Choice> BY_COST =
      Comparator.comparingLong((Choice choice) -> choice.chosen().choice().lostNanos())
          .thenComparing(Comparator.comparingLong(Choice::position).reversed());

  private final Budget budget;
  private final List<SpanTrack> steps = new ArrayList<>();
  private final List<SpanTrack> transfers = new ArrayList<>();
  private final List<LevelTrack> used = new ArrayList<>();
  private final List<LevelTrack> leaving = new ArrayList<>();
  private final List<LevelTrack> residents = new ArrayList<>();
  private final LevelTrack waiting;
  private final List<Story> lives = new ArrayList<>();
  private final PriorityQueue<Choice> choices = new PriorityQueue<>(BY_COST);
  private @Nullable Topology topology;
  private long choicesSeen;
  private long sequencesSeen;
  private int stride = 1;
  private long endNanos;
  private long lastArrivalNanos;
  private long lastWaitingNanos;

  TimelineData(Budget budget) {
    this.budget = budget;
    this.waiting = new LevelTrack(budget.levels());
  }

  @Override
  public void started(RunStarted run) {
    topology = run.config().topology();
    for (int place = 0; place < topology.places().size(); place++) {
      steps.add(new SpanTrack(budget.steps(), 2, 5));
      used.add(new LevelTrack(budget.levels()));
      leaving.add(new LevelTrack(budget.levels()));
      residents.add(new LevelTrack(budget.levels()));
    }
    for (int link = 0; link < topology.links().size(); link++) {
      transfers.add(new SpanTrack(budget.transfers(), 3, 3));
    }
  }

  @Override
  public void step(StepSpan step) {
    int kind =
        step.plan().size() == 0
            ? COPIES
            : step.prefills() == 0 ? DECODE : step.decodes() == 0 ? PREFILL : MIXED;
    steps
        .get(step.plan().device())
        .add(
            micros(step.startNanos()),
            micros(step.endNanos()),
            kind,
            step.failure() == null ? 0 : 1,
            step.prefills(),
            step.prefillTokens(),
            step.decodes(),
            step.plan().remoteEntries(),
            step.freeBlocks());
  }

  @Override
  public void transfer(TransferSpan transfer) {
    transfers
        .get(transfer.link())
        .add(
            micros(transfer.startNanos()),
            micros(transfer.endNanos()),
            transfer.plan().kind().ordinal(),
            transfer.plan().sequences().get(0),
            transfer.failure() == null ? 0 : 1,
            transfer.plan().blocks(),
            transfer.plan().sequences().size(),
            micros(transfer.startNanos() - transfer.plannedNanos()));
  }

  @Override
  public void instant(EngineView state, int waitingNow) {
    long now = tenths(state.nowNanos());
    endNanos = state.nowNanos();
    if (waitingNow > 0) {
      lastWaitingNanos = state.nowNanos();
    }
    waiting.at(now, waitingNow);
    for (int place = 0; place < used.size(); place++) {
      used.get(place).at(now, state.pool(place).allocated());
      leaving.get(place).at(now, state.pool(place).leaving());
      residents.get(place).at(now, state.residents(place).size());
    }
  }

  @Override
  public void lived(Story story) {
    sequencesSeen = Math.max(sequencesSeen, story.sequence() + 1L);
    lastArrivalNanos = Math.max(lastArrivalNanos, story.request().atNanos());
    for (Moment moment : story.moments()) {
      if (moment instanceof Moment.Chosen chosen) {
        choicesSeen++;
        choices.add(chosen.choice());
        if (choices.size() > budget.choices()) {
          choices.remove();
        }
      }
    }
    if (story.sequence() % stride == 0) {
      lives.add(story);
      if (lives.size() > budget.sequences()) {
        stride *= 2;
        lives.removeIf(kept -> kept.sequence() % stride != 0);
      }
    }
  }

  /// Choices kept, the dearest first.
  List<Choice> dearest(int count) {
    return choices.stream().sorted(BY_COST.reversed()).limit(count).toList();
  }

  /// Names and limits that go with the columns.
  ObjectNode names(String name) {
    ObjectNode json = JSON.objectNode();
    json.put("name", name);
    json.put("end", micros(endNanos));
    ArrayNode places = json.putArray("places");
    for (Place place : requireTopology().places()) {
      places
          .addObject()
          .put("name", place.name())
          .put("kind", Wording.words(place.kind()))
          .put("computes", place.computes())
          .put("blocks", place.blocks())
          .put("group", steps.get(place.id()).group())
          .put("spacing", used.get(place.id()).spacing());
    }
    ArrayNode links = json.putArray("links");
    List<Link> all = requireTopology().links();
    for (int i = 0; i < all.size(); i++) {
      links
          .addObject()
          .put("from", all.get(i).from())
          .put("to", all.get(i).to())
          .put("channel", all.get(i).channel())
          .put("group", transfers.get(i).group());
    }
    json.put("stride", stride);
    json.put("sequences", sequencesSeen);
    json.put("choices", choicesSeen);
    return json;
  }

  /// All columns.
  String columns() {
    Columns columns = new Columns();
    steps.forEach(track -> track.addTo(columns));
    transfers.forEach(track -> track.addTo(columns));
    for (int place = 0; place < used.size(); place++) {
      used.get(place).addTo(columns);
      leaving.get(place).addTo(columns);
      residents.get(place).addTo(columns);
    }
    waiting.addTo(columns);
    addLives(columns);
    addChoices(columns);
    return columns.text();
  }

  private void addLives(Columns columns) {
    lives.sort(Comparator.comparingInt(Story::sequence));
    Longs sequences = new Longs();
    Longs requests = new Longs();
    Longs arrivals = new Longs();
    Longs prompts = new Longs();
    Longs outputs = new Longs();
    Longs firsts = new Longs();
    Longs endings = new Longs();
    Longs spanCounts = new Longs();
    Longs phases = new Longs();
    Longs durations = new Longs();
    Longs tokens = new Longs();
    Longs preemptionCounts = new Longs();
    Longs preemptionTimes = new Longs();
    Longs preemptionKinds = new Longs();
    for (Story story : lives) {
      long arrival = tenths(story.request().atNanos());
      sequences.add(story.sequence());
      requests.add(story.request().request());
      arrivals.add(arrival);
      prompts.add(story.request().promptTokens());
      outputs.add(story.outputTokens());
      firsts.add(story.ttftNanos() < 0 ? -1 : tenths(story.ttftNanos()));
      endings.add(ending(story));
      List<Story.Span> spans = story.spans();
      spanCounts.add(spans.size());
      for (Story.Span span : spans) {
        phases.add(((long) span.place() + 1) << PHASE_BITS | span.phase().ordinal());
        durations.add(tenths(span.untilNanos()) - tenths(span.fromNanos()));
        tokens.add(
            span.moved() != null
                ? span.moved().blocks()
                : span.stretch() == null ? 0 : span.stretch().tokens());
      }
      preemptionCounts.add(story.preemptions());
      for (Moment moment : story.moments()) {
        if (moment instanceof Moment.Preempted preempted) {
          preemptionTimes.add(tenths(preempted.atNanos()) - arrival);
          preemptionKinds.add(preempted.kind().ordinal());
        }
      }
    }
    columns.addDeltas(sequences);
    columns.addDeltas(requests);
    columns.addDeltas(arrivals);
    for (Longs column :
        List.of(
            prompts,
            outputs,
            firsts,
            endings,
            spanCounts,
            phases,
            durations,
            tokens,
            preemptionCounts,
            preemptionTimes,
            preemptionKinds)) {
      columns.add(column);
    }
  }

  private static long ending(Story story) {
    return switch (story.moments().getLast()) {
      case Moment.Ended m -> m.reason().ordinal();
      case Moment.Rejected m -> ENDED_REJECTED;
      default -> ENDED_OPEN;
    };
  }

  private void addChoices(Columns columns) {
    Longs[] rows = new Longs[16];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new Longs();
    }
    Longs handlings = new Longs();
    Longs places = new Longs();
    Longs lost = new Longs();
    Longs free = new Longs();
    List<Choice> inOrder =
        choices.stream().sorted(Comparator.comparingLong(Choice::position)).toList();
    for (Choice choice : inOrder) {
      var chosen = choice.chosen();
      Outcome outcome = choice.outcome();
      long[] values = {
        choice.position(),
        tenths(chosen.atNanos()),
        chosen.sequence(),
        chosen.device(),
        chosen.blocks(),
        chosen.remainingTokens(),
        choice.outputTokens(),
        outcome.remainingKnown() ? outcome.remainingTokens() : -1,
        outcome.fate().ordinal(),
        outcome.carriedOut() == null ? -1 : outcome.carriedOut().ordinal(),
        tenths(outcome.copyNanos()),
        tenths(outcome.awayNanos()),
        outcome.elsewhereTokens(),
        outcome.recomputedTokens(),
        chosen.chosen(),
        chosen.estimates().size()
      };
      for (int i = 0; i < values.length; i++) {
        rows[i].add(values[i]);
      }
      for (HandlingEstimate estimate : chosen.estimates()) {
        handlings.add(estimate.handling().ordinal());
        places.add(estimate.place());
        lost.add(micros(estimate.lostNanos()));
        free.add(tenths(estimate.freeNanos()));
      }
    }
    columns.addDeltas(rows[0]);
    columns.addDeltas(rows[1]);
    for (int i = 2; i < rows.length; i++) {
      columns.add(rows[i]);
    }
    List.of(handlings, places, lost, free).forEach(columns::add);
  }

  private static long micros(long nanos) {
    return nanos < 0 ? -1 : nanos / NANOS_PER_MICRO;
  }

  private static long tenths(long nanos) {
    return nanos < 0 ? -1 : nanos / NANOS_PER_TENTH;
  }

  /// Time of the run's last event.
  long endNanos() {
    return endNanos;
  }

  /// When the last request came whose sequence ended.
  long lastArrivalNanos() {
    return lastArrivalNanos;
  }

  /// Until when sequences waited, 0 if none ever did.
  long lastWaitingNanos() {
    return lastWaitingNanos;
  }

  Topology requireTopology() {
    if (topology == null) {
      throw new IllegalStateException("the run has not started");
    }
    return topology;
  }
}
