package io.fusespill.report.export;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Outcome;
import io.fusespill.replay.explain.Phase;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.timeline.StepSpan;
import io.fusespill.replay.timeline.TimelineListener;
import io.fusespill.replay.timeline.TransferSpan;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A run in the JSON trace event format, which ui.perfetto.dev and chrome://tracing open.
///
/// Processes are the scheduler, each place, the links and groups of [#GROUP] sequences; threads are
/// tracks of slices. Slices are written as they end, so nothing but the live sequences is kept.
/// Times are microseconds with three decimals, that is whole nanoseconds.
///
/// What viewers have to unpack stays small: nothing is said twice in one object or where it is the
/// format's default, and counters of blocks leave out what no graph shows ([#COUNTED_SHARE]).
final class PerfettoTrace implements TimelineListener, AutoCloseable {

  /// Sequences in a group: one collapsible heading in the viewer.
  static final int GROUP = 100;

  /// The counters of a place's blocks move by at least this part of them, or to an end: half a
  /// pixel of a viewer's track. A value for every block would make a fifth of the file.
  static final int COUNTED_SHARE = 50;

  private static final Fields NONE = () -> {};

  private static final int SCHEDULER = 1;
  private static final int PLACES = 10;
  private static final int LINKS = 2_000;
  private static final int GROUPS = 10_000;

  /// What belongs to a process and no thread of it.
  private static final int PROCESS = 0;

  private static final int STEPS = 1;
  private static final int DECISIONS = 2;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double MILLION = 1e6;
  private static final long NANOS_PER_MICRO = 1_000;

  private final JsonGenerator out;
  private @Nullable Topology topology;
  private int groups;
  private int[] usedBlocks = {};
  private int[] leavingBlocks = {};
  private int[] residents = {};
  private int waiting = -1;

  /// @param out closed with this trace
  PerfettoTrace(OutputStream out) throws IOException {
    this.out = new JsonFactory().createGenerator(out);
  }

  @Override
  public void started(RunStarted run) {
    topology = run.config().topology();
    List<Place> places = topology.places();
    usedBlocks = filled(places.size());
    leavingBlocks = filled(places.size());
    residents = filled(places.size());
    write(() -> {
      out.writeStartObject();
      out.writeStringField("displayTimeUnit", "ms");
      out.writeObjectFieldStart("otherData");
      out.writeStringField("producer", "fusespill " + run.engineVersion());
      out.writeStringField("policy", run.config().policy().name());
      out.writeStringField("config_digest", run.configDigest());
      out.writeNumberField("seed", run.seed());
      out.writeEndObject();
      out.writeArrayFieldStart("traceEvents");
    });
    nameProcess(SCHEDULER, "scheduler: " + run.config().policy().name());
    nameThread(SCHEDULER, DECISIONS, "rejections");
    for (Place place : places) {
      nameProcess(
          PLACES + place.id(),
          "%s (%s, %,d KV blocks)".formatted(place.name(), lower(place.kind()), place.blocks()));
      if (place.computes()) {
        nameThread(PLACES + place.id(), STEPS, "steps");
      }
      nameThread(PLACES + place.id(), DECISIONS, "decisions");
    }
    if (!topology.links().isEmpty()) {
      nameProcess(LINKS, "links");
    }
    for (int link = 0; link < topology.links().size(); link++) {
      nameThread(LINKS, link + 1, describe(topology.links().get(link)));
    }
  }

  private static int[] filled(int size) {
    int[] values = new int[size];
    Arrays.fill(values, -1);
    return values;
  }

  private String describe(Link link) {
    return "%s → %s%s"
        .formatted(
            name(link.from()),
            name(link.to()),
            link.hasOwnChannel() ? "" : " (channel %d)".formatted(link.channel()));
  }

  @Override
  public void step(StepSpan step) {
    int rows = step.plan().size();
    String kind =
        rows == 0
            ? "copies"
            : step.prefills() == 0 ? "decode" : step.decodes() == 0 ? "prefill" : "mixed";
    slice(
        PLACES + step.plan().device(),
        STEPS,
        step.startNanos(),
        step.nanos(),
        step.failure() == null ? kind : "failed " + kind,
        () -> {
          out.writeNumberField("step", step.plan().step());
          positive("prefills", step.prefills());
          positive("prefill_tokens", step.prefillTokens());
          positive("decodes", step.decodes());
          positive("remote_decodes", step.plan().remoteEntries());
          positive("new_blocks", step.plan().newBlocks().size());
          positive("copied_blocks", step.plan().copies().size());
          failure(step.failure());
        });
  }

  @Override
  public void transfer(TransferSpan transfer) {
    var plan = transfer.plan();
    slice(
        LINKS,
        transfer.link() + 1,
        transfer.startNanos(),
        transfer.nanos(),
        lower(plan.kind()),
        () -> {
          out.writeNumberField("transfer", plan.transfer());
          out.writeNumberField("bytes", transfer.bytes());
          out.writeNumberField("blocks", plan.blocks());
          out.writeFieldName("sequences");
          int[] moved = plan.sequences().toArray();
          out.writeArray(moved, 0, moved.length);
          if (transfer.startNanos() > transfer.plannedNanos()) {
            millis("queued_ms", transfer.startNanos() - transfer.plannedNanos());
          }
          if (transfer.estimated()) {
            out.writeStringField("mode", "ordered, as long as the link's bandwidth says");
          }
          failure(transfer.failure());
        });
  }

  @Override
  public void event(long position, EngineEvent event, EngineView before) {
    switch (event) {
      case SequenceAdmitted admitted ->
          decision(
              admitted.device(),
              event.atNanos(),
              "admit " + admitted.sequence(),
              () -> out.writeNumberField("position", position));
      case HandlingChosen chosen ->
          decision(
              chosen.device(),
              event.atNanos(),
              lower(chosen.choice().handling()) + " " + chosen.sequence(),
              () -> {
                out.writeNumberField("position", position);
                estimates(chosen);
              });
      case ShareChosen share ->
          decision(
              share.device(),
              event.atNanos(),
              "share " + name(share.place()),
              () -> {
                out.writeNumberField("position", position);
                out.writeNumberField("share", share.sharePpm() / MILLION);
                out.writeNumberField("closed_form", share.closedFormPpm() / MILLION);
                out.writeNumberField("tokens_per_second", share.tokensPerSecond());
                out.writeNumberField("alone_tokens_per_second", share.aloneTokensPerSecond());
              });
      case RequestRejected rejected ->
          instant(
              SCHEDULER,
              DECISIONS,
              event.atNanos(),
              "reject " + rejected.request(),
              () -> {
                out.writeNumberField("position", position);
                out.writeStringField("reason", lower(rejected.reason()));
                out.writeNumberField("needed", rejected.needed());
                out.writeNumberField("available", rejected.available());
                out.writeStringField("unit", rejected.reason().unit());
              });
      case SequencePreempted preempted -> {
        Sequence sequence = before.sequence(preempted.sequence());
        decision(
            sequence == null ? 0 : sequence.place(),
            event.atNanos(),
            "preempt " + preempted.sequence(),
            () -> {
              out.writeNumberField("position", position);
              out.writeStringField("kind", lower(preempted.kind()));
              out.writeStringField("reason", lower(preempted.reason()));
            });
      }
      default -> {}
    }
  }

  private void estimates(HandlingChosen chosen) throws IOException {
    out.writeNumberField("blocks", chosen.blocks());
    out.writeNumberField("believed_remaining_tokens", chosen.remainingTokens());
    out.writeObjectFieldStart("estimates");
    for (HandlingEstimate estimate : chosen.estimates()) {
      String place = estimate.place() < 0 ? "" : " to " + name(estimate.place());
      out.writeObjectFieldStart(lower(estimate.handling()) + place);
      millis("lost_ms", estimate.lostNanos());
      seconds("free_s", estimate.freeNanos());
      out.writeEndObject();
    }
    out.writeEndObject();
  }

  @Override
  public void instant(EngineView state, int waitingNow) {
    long now = state.nowNanos();
    for (Place place : requireTopology().places()) {
      int id = place.id();
      BlockPool pool = state.pool(id);
      int used = pool.allocated();
      if (counts(used, usedBlocks[id], place.blocks())) {
        usedBlocks[id] = used;
        counter(PLACES + id, now, "KV blocks", () -> out.writeNumberField("used", used));
      }
      int leaving = pool.leaving();
      if (counts(leaving, leavingBlocks[id], place.blocks())) {
        leavingBlocks[id] = leaving;
        counter(PLACES + id, now, "leaving", () -> out.writeNumberField("KV blocks", leaving));
      }
      int size = state.residents(id).size();
      if (size != residents[id]) {
        residents[id] = size;
        counter(PLACES + id, now, "sequences", () -> out.writeNumberField("resident", size));
      }
    }
    if (waitingNow != waiting) {
      waiting = waitingNow;
      counter(SCHEDULER, now, "sequences", () -> out.writeNumberField("waiting", waiting));
    }
  }

  /// Whether a counter of a place's blocks moves: to both ends, and else by a share of them.
  private static boolean counts(int now, int shown, int blocks) {
    boolean first = shown < 0;
    boolean end = now == 0 || now == blocks;
    return now != shown && (first || end || (long) Math.abs(now - shown) * COUNTED_SHARE >= blocks);
  }

  @Override
  public void lived(Story story) {
    int process = GROUPS + story.sequence() / GROUP;
    int thread = story.sequence() + 1;
    nameGroups(story.sequence() / GROUP);
    nameThread(process, thread, "sequence " + story.sequence());
    slice(
        process,
        thread,
        story.request().atNanos(),
        story.totalNanos(),
        "sequence " + story.sequence(),
        () -> {
          out.writeNumberField("request", story.request().request());
          out.writeNumberField("prompt_tokens", story.request().promptTokens());
          out.writeNumberField("output_tokens", story.outputTokens());
          positive("preemptions", story.preemptions());
          out.writeStringField("ending", ending(story));
          if (story.ttftNanos() >= 0) {
            millis("ttft_ms", story.ttftNanos());
          }
          if (story.tpotNanos() >= 0) {
            millis("tpot_ms", story.tpotNanos());
          }
        });
    for (Story.Span span : story.spans()) {
      boolean bare = span.phase() == Phase.WAITING || span.phase() == Phase.RESTING;
      Fields arguments = bare ? NONE : () -> arguments(span);
      slice(process, thread, span.fromNanos(), span.nanos(), title(span), arguments);
    }
    for (Moment moment : story.moments()) {
      mark(process, thread, moment);
    }
  }

  private static String ending(Story story) {
    return switch (story.moments().getLast()) {
      case Moment.Ended m -> lower(m.reason());
      case Moment.Rejected m -> "rejected";
      default -> "the journal ends first";
    };
  }

  /// Viewers list processes in the order in which they are named.
  private void nameGroups(int last) {
    for (; groups <= last; groups++) {
      nameProcess(
          GROUPS + groups, "sequences %,d–%,d".formatted(groups * GROUP, (groups + 1) * GROUP - 1));
    }
  }

  private String title(Story.Span span) {
    return switch (span.phase()) {
      case WAITING -> "waiting";
      case PREFILL -> "prefill on " + name(span.place());
      case DECODE -> "decode on " + name(span.place());
      case RESTING -> "in " + name(span.place());
      case MOVING ->
          span.moved() == null
              ? "moving"
              : lower(span.moved().kind()) + " to " + name(span.place());
    };
  }

  private void arguments(Story.Span span) throws IOException {
    if (span.stretch() != null) {
      positive("steps", span.stretch().steps());
      positive("tokens", span.stretch().tokens());
      positive("recomputed_tokens", span.stretch().recomputedTokens());
      if (span.stretch().pausedNanos() > 0) {
        millis("paused_ms", span.stretch().pausedNanos());
      }
    }
    if (span.moved() != null) {
      out.writeNumberField("blocks", span.moved().blocks());
      failure(span.moved().failure());
    }
  }

  private void mark(int process, int thread, Moment moment) {
    switch (moment) {
      case Moment.FirstToken m -> {}
      case Moment.Cancelled m -> instant(process, thread, m.atNanos(), "cancelled", NONE);
      case Moment.StepLost m ->
          instant(process, thread, m.atNanos(), "step lost", () -> failure(m.cause()));
      case Moment.Unsampled m ->
          instant(process, thread, m.atNanos(), "no token", () -> failure(m.cause()));
      case Moment.Rejected m ->
          instant(process, thread, m.atNanos(), "rejected: " + lower(m.reason()), NONE);
      case Moment.Ended m -> {}
      case Moment.Preempted m -> {}
      case Moment.Chosen m ->
          instant(
              process,
              thread,
              m.atNanos(),
              "chosen: " + lower(m.choice().chosen().choice().handling()),
              () -> outcome(m.choice()));
      case Moment.Arrived m -> {}
      case Moment.Bound m -> {}
      case Moment.Admitted m -> {}
      case Moment.Stretch m -> {}
      case Moment.Forked m -> {}
      case Moment.Moved m -> {}
    }
  }

  private void outcome(Choice choice) throws IOException {
    Outcome outcome = choice.outcome();
    out.writeNumberField("position", choice.position());
    out.writeNumberField("believed_remaining_tokens", choice.chosen().remainingTokens());
    if (outcome.remainingKnown()) {
      out.writeNumberField("true_remaining_tokens", outcome.remainingTokens());
    }
    out.writeStringField("fate", lower(outcome.fate()));
    if (outcome.carriedOut() != null) {
      out.writeStringField("carried_out", lower(outcome.carriedOut()));
    }
    if (outcome.copyNanos() >= 0) {
      millis("copy_ms", outcome.copyNanos());
    }
    if (outcome.awayNanos() >= 0) {
      seconds("away_s", outcome.awayNanos());
    }
    positive("tokens_elsewhere", outcome.elsewhereTokens());
    positive("recomputed_tokens", outcome.recomputedTokens());
  }

  /// Ends the trace, even one of a log that has no event.
  @Override
  public void close() {
    write(() -> {
      if (topology == null) {
        out.writeStartObject();
        out.writeArrayFieldStart("traceEvents");
      }
      out.writeEndArray();
      out.writeEndObject();
      out.writeRaw('\n');
      out.close();
    });
  }

  private void nameProcess(int process, String name) {
    metadata("process_name", process, PROCESS, () -> out.writeStringField("name", name));
    metadata(
        "process_sort_index", process, PROCESS, () -> out.writeNumberField("sort_index", process));
  }

  /// Without a number to sort by, chrome://tracing sorts tracks by name: 1, 10, 11, 2.
  private void nameThread(int process, int thread, String name) {
    metadata("thread_name", process, thread, () -> out.writeStringField("name", name));
    metadata(
        "thread_sort_index", process, thread, () -> out.writeNumberField("sort_index", thread));
  }

  private void metadata(String what, int process, int thread, Fields arguments) {
    object('M', process, thread, what, NONE, arguments);
  }

  /// A slice that ends a nanosecond early: readers add start and duration as floating point, and
  /// one that seems to reach into the next is taken for its parent.
  private void slice(
      int process, int thread, long fromNanos, long nanos, String name, Fields arguments) {
    object(
        'X',
        process,
        thread,
        name,
        () -> {
          micros("ts", fromNanos);
          micros("dur", Math.max(0, nanos - 1));
        },
        arguments);
  }

  private void decision(int place, long atNanos, String name, Fields arguments) {
    instant(PLACES + place, DECISIONS, atNanos, name, arguments);
  }

  private void instant(int process, int thread, long atNanos, String name, Fields arguments) {
    object('i', process, thread, name, () -> micros("ts", atNanos), arguments);
  }

  private void counter(int process, long atNanos, String name, Fields values) {
    object('C', process, PROCESS, name, () -> micros("ts", atNanos), values);
  }

  /// One trace event on a line of its own.
  private void object(
      char phase, int process, int thread, String name, Fields times, Fields arguments) {
    write(() -> {
      out.writeRaw('\n');
      out.writeStartObject();
      out.writeStringField("ph", String.valueOf(phase));
      out.writeNumberField("pid", process);
      if (thread != PROCESS) {
        out.writeNumberField("tid", thread);
      }
      times.write();
      out.writeStringField("name", name);
      if (arguments != NONE) {
        out.writeObjectFieldStart("args");
        arguments.write();
        out.writeEndObject();
      }
      out.writeEndObject();
    });
  }

  private void positive(String name, int value) throws IOException {
    if (value > 0) {
      out.writeNumberField(name, value);
    }
  }

  private void failure(@Nullable String cause) throws IOException {
    if (cause != null) {
      out.writeStringField("failure", cause);
    }
  }

  private void millis(String name, long nanos) throws IOException {
    out.writeNumberField(name, nanos / NANOS_PER_MILLI);
  }

  private void seconds(String name, long nanos) throws IOException {
    out.writeNumberField(name, nanos / NANOS_PER_SECOND);
  }

  private void micros(String name, long nanos) throws IOException {
    out.writeFieldName(name);
    long fraction = nanos % NANOS_PER_MICRO;
    out.writeNumber(
        fraction == 0
            ? Long.toString(nanos / NANOS_PER_MICRO)
            : nanos / NANOS_PER_MICRO + "." + Long.toString(1_000 + fraction).substring(1));
  }

  private String name(int place) {
    return requireTopology().place(place).name();
  }

  private Topology requireTopology() {
    if (topology == null) {
      throw new IllegalStateException("the run has not started");
    }
    return topology;
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static void write(Fields fields) {
    try {
      fields.write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Writes some fields.
  @FunctionalInterface
  private interface Fields {
    void write() throws IOException;
  }
}
