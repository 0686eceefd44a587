package io.fusespill.sweep;

import io.fusespill.engine.event.Handling;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.Latency;
import io.fusespill.replay.evaluate.DigestedRun;
import io.fusespill.tables.Column;
import io.fusespill.tables.ColumnType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The figures of a scenario, in the order of their columns.
public final class SweepFigures {

  /// A run and what was asked of it.
  private record Run(DigestedRun run, Slo slo, RequestTally tally) {

    RunMetrics metrics() {
      return run.report().metrics();
    }

    Latencies latencies() {
      return run.report().latencies();
    }

    double perSecond(double amount) {
      return run.report().perSecond(amount);
    }

    double unserved() {
      return (double) (metrics().rejected() + metrics().failed()) / Math.max(1, tally.requests());
    }
  }

  private record Figure(Column column, Function<Run, @Nullable Object> value) {}

  private static final double NANOS_PER_SECOND = 1e9;
  private static final String SECONDS = "seconds";
  private static final String TOKENS = "tokens";
  private static final String BLOCKS = "blocks";
  private static final String STEPS = "steps";
  private static final String REQUESTS = "requests";
  private static final String PREEMPTIONS = "preemptions";
  private static final String RATIO = "ratio";
  private static final String PER_SECOND = "requests_per_second";
  private static final String TOKENS_PER_SECOND = "tokens_per_second";
  private static final List<Integer> PERCENTILES = List.of(50, 90, 95, 99);

  private static final List<Figure> ALL = figures();

  private SweepFigures() {}

  /// The columns of the figures, the same for every sweep.
  public static List<Column> columns() {
    return ALL.stream().map(Figure::column).toList();
  }

  static Map<String, @Nullable Object> of(DigestedRun run, Slo slo, RequestTally tally) {
    Run measured = new Run(run, slo, tally);
    Map<String, @Nullable Object> figures = new LinkedHashMap<>();
    ALL.forEach(figure -> figures.put(figure.column.name(), figure.value.apply(measured)));
    return figures;
  }

  /// Figures whose numbers went through JSON, which does not tell 5 from 5.0, in their types again.
  ///
  /// @throws IllegalArgumentException if one is missing, or of another kind
  static Map<String, @Nullable Object> typed(Map<String, @Nullable Object> figures) {
    Map<String, @Nullable Object> typed = new LinkedHashMap<>();
    for (Column column : columns()) {
      if (!figures.containsKey(column.name())) {
        throw new IllegalArgumentException("no figure " + column.name());
      }
      Object value = figures.get(column.name());
      if (value instanceof Number number && column.type() == ColumnType.WHOLE) {
        value = number.longValue();
      } else if (value instanceof Number number) {
        value = number.doubleValue();
      }
      if (value != null && !column.type().valueClass().isInstance(value)) {
        throw new IllegalArgumentException("%s is '%s'".formatted(column.name(), value));
      }
      typed.put(column.name(), value);
    }
    return typed;
  }

  private static List<Figure> figures() {
    List<Figure> all = new ArrayList<>();
    whole(all, "requests", REQUESTS, "that arrived", run -> run.tally().requests());
    whole(all, "completed", REQUESTS, "that ran to their end", run -> run.metrics().completed());
    whole(all, "rejected", REQUESTS, "refused", run -> run.metrics().rejected());
    whole(all, "failed", REQUESTS, "given up after failures", run -> run.metrics().failed());
    number(
        all,
        "duration_seconds",
        SECONDS,
        "simulated time from the first arrival to the last event",
        run -> run.run().report().durationSeconds());
    number(
        all,
        "offered_requests_per_second",
        PER_SECOND,
        "arrivals over the time in which they arrive; none where all come at once",
        SweepFigures::offered);
    whole(
        all,
        "input_tokens",
        TOKENS,
        "prompt tokens of completed requests",
        run -> run.metrics().promptTokens());
    whole(
        all,
        "output_tokens",
        TOKENS,
        "output tokens of completed requests",
        run -> run.metrics().outputTokens());
    number(
        all,
        "requests_per_second",
        PER_SECOND,
        "completed requests over the duration",
        run -> run.perSecond((double) run.metrics().completed()));
    number(
        all,
        "output_tokens_per_second",
        TOKENS_PER_SECOND,
        "output tokens over the duration",
        run -> run.perSecond((double) run.metrics().outputTokens()));
    number(
        all,
        "total_tokens_per_second",
        TOKENS_PER_SECOND,
        "prompt and output tokens over the duration",
        run -> run.perSecond((double) run.metrics().promptTokens() + run.metrics().outputTokens()));
    latency(all, "ttft", "time to first token", Latencies::ttft);
    latency(all, "tpot", "time per output token after the first", Latencies::tpot);
    latency(all, "itl", "time between two tokens of a sequence", Latencies::itl);
    latency(all, "e2e", "arrival to last token", Latencies::e2e);
    latency(all, "spilled_tpot", "TPOT of preempted sequences", Latencies::spilledTpot);
    latency(all, "spilled_e2e", "E2E of requests with a preempted sequence", Latencies::spilledE2e);
    all.add(
        new Figure(
            Column.flag("slo_met", "whether the run keeps every bound; none without bounds"),
            run ->
                run.slo().isEmpty()
                    ? null
                    : run.slo().broken(run.latencies(), run.unserved()).isEmpty()));
    all.add(
        new Figure(
            Column.text("slo_broken", "the bounds that it does not keep, with spaces between"),
            run ->
                run.slo().isEmpty()
                    ? null
                    : String.join(" ", run.slo().broken(run.latencies(), run.unserved()))));
    number(
        all,
        "slo_attainment_ratio",
        RATIO,
        "share of the requests that completed within every bound; none without bounds",
        run ->
            run.slo().isEmpty()
                ? null
                : (double) run.tally().good() / Math.max(1, run.tally().requests()));
    number(
        all,
        "goodput_requests_per_second",
        PER_SECOND,
        "requests completed within every bound over the duration; none without bounds",
        run -> run.slo().isEmpty() ? null : run.perSecond((double) run.tally().good()));
    whole(
        all,
        "preemptions",
        PREEMPTIONS,
        "of sequences, each time counted",
        run -> run.metrics().preemptions());
    whole(
        all,
        "preempted_requests",
        REQUESTS,
        "preempted at least once",
        run -> run.metrics().preemptedRequests());
    for (Handling handling : Handling.values()) {
      String label = handling.name().toLowerCase(Locale.ROOT);
      whole(
          all,
          "chosen_" + label,
          PREEMPTIONS,
          "times that weighing handlings chose %s".formatted(label),
          run -> run.metrics().handlings(handling));
    }
    whole(
        all,
        "recomputed_tokens",
        TOKENS,
        "prefilled again after a preemption",
        run -> run.metrics().recomputedTokens());
    whole(
        all,
        "prefix_cache_hits",
        TOKENS,
        "found computed at admission",
        run -> run.metrics().prefixCacheHits());
    whole(
        all,
        "prefill_tokens",
        TOKENS,
        "of all prefill entries",
        run -> run.metrics().prefillTokens());
    whole(
        all, "wasted_tokens", TOKENS, "computed for nothing", run -> run.metrics().wastedTokens());
    whole(
        all,
        "swapped_out_blocks",
        BLOCKS,
        "copied from devices to hosts, failed copies included",
        run -> run.metrics().swappedOutBlocks());
    whole(
        all,
        "swapped_in_blocks",
        BLOCKS,
        "copied from hosts to devices",
        run -> run.metrics().swappedInBlocks());
    whole(
        all,
        "offloaded_blocks",
        BLOCKS,
        "copied between computing places",
        run -> run.metrics().offloadedBlocks());
    whole(
        all,
        "disk_blocks",
        BLOCKS,
        "copied to the disk or back",
        run -> run.metrics().diskBlocks());
    whole(
        all,
        "remote_decode_tokens",
        TOKENS,
        "decoded with the KV on a host that attends",
        run -> run.metrics().remoteDecodes());
    whole(all, "prefill_steps", STEPS, "of prefills alone", run -> run.metrics().prefillSteps());
    whole(all, "decode_steps", STEPS, "of decodes alone", run -> run.metrics().decodeSteps());
    whole(all, "mixed_steps", STEPS, "of both", run -> run.metrics().mixedSteps());
    whole(all, "copy_steps", STEPS, "that only copy", run -> run.metrics().copySteps());
    number(
        all,
        "peak_kv_usage_ratio",
        RATIO,
        "largest share of a computing place's blocks in use at once",
        run -> run.run().report().peakKvUsage());
    number(
        all,
        "mean_utilisation_ratio",
        RATIO,
        "share of the duration at work on steps, mean over the places that ran any",
        SweepFigures::utilisation);
    number(
        all,
        "mean_running_sequences",
        "sequences",
        "in steps, mean over the duration, summed over devices",
        run -> run.run().report().meanRunning());
    whole(
        all,
        "max_running_sequences",
        "sequences",
        "in one step at most",
        run -> run.metrics().runningMax());
    whole(
        all,
        "max_waiting_sequences",
        "sequences",
        "waiting at most",
        run -> run.metrics().waitingMax());
    whole(
        all,
        "extrapolated_steps",
        STEPS,
        "outside what the cost model was made from",
        run -> run.run().extrapolatedSteps());
    whole(all, "journal_events", "events", "in the log", run -> run.run().events());
    all.add(
        new Figure(
            Column.text("journal_digest", "SHA-256 of the log, as 'simulate' and 'verify' tell it"),
            run -> run.run().digest()));
    return List.copyOf(all);
  }

  private static @Nullable Object offered(Run run) {
    long nanos = run.tally().lastArrivalNanos();
    return nanos == 0 ? null : (run.tally().requests() - 1) * NANOS_PER_SECOND / nanos;
  }

  private static Object utilisation(Run run) {
    double sum = 0;
    int busy = 0;
    for (int place = 0; place < run.metrics().places(); place++) {
      if (run.metrics().steps(place) > 0) {
        sum += run.run().report().utilisation(place);
        busy++;
      }
    }
    return busy == 0 ? 0.0 : sum / busy;
  }

  private static void whole(
      List<Figure> all, String name, String unit, String what, Function<Run, Long> value) {
    all.add(new Figure(Column.whole(name, unit, what), value::apply));
  }

  private static void number(
      List<Figure> all,
      String name,
      String unit,
      String what,
      Function<Run, @Nullable Object> value) {
    all.add(new Figure(Column.number(name, unit, what), value));
  }

  private static void latency(
      List<Figure> all, String name, String what, Function<Latencies, Latency> latency) {
    number(
        all,
        name + "_mean_seconds",
        SECONDS,
        what + ", mean",
        run -> seconds(latency.apply(run.latencies()), Latency::meanNanos));
    for (int percentile : PERCENTILES) {
      number(
          all,
          "%s_p%d_seconds".formatted(name, percentile),
          SECONDS,
          "%s, %d per cent are not above".formatted(what, percentile),
          run ->
              seconds(
                  latency.apply(run.latencies()),
                  each -> (double) each.percentileNanos(percentile)));
    }
  }

  private static @Nullable Object seconds(Latency latency, Function<Latency, Double> nanos) {
    return latency.count() == 0 ? null : nanos.apply(latency) / NANOS_PER_SECOND;
  }
}
