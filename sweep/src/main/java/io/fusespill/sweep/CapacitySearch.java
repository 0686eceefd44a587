package io.fusespill.sweep;

import io.fusespill.replay.evaluate.Cell;
import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.sim.workload.Workload;
import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import io.fusespill.tables.Table;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The highest rate at which a machine keeps an objective, by bisection.
///
/// A workload whose arrivals are drawn is drawn at other rates; a trace with its own arrivals has
/// them pushed together or apart. The rate is doubled or halved until one keeps the objective and
/// the next does not, then the gap is halved until it is narrow enough. That a lower rate is always
/// kept where a higher one is, is taken for granted: where luck of the draw decides, more requests
/// or more seeds settle it.
public final class CapacitySearch {

  /// Whether there is a highest rate.
  enum Verdict {
    /// There is, and it was found.
    FOUND,
    /// The objective is kept at every rate that was tried.
    NEVER_BROKEN,
    /// It is broken at every rate that was tried.
    ALWAYS_BROKEN
  }

  /// @param rate the highest that keeps the objective; the lowest tried where none does
  /// @param probe at this rate
  /// @param next what the next higher rate that was tried breaks; empty where it was never broken
  private record Capacity(
      Verdict verdict, double rate, Probe probe, List<String> next, int probes) {}

  private static final int DOUBLINGS_MAX = 16;

  /// The highest that arrivals are drawn with or scaled by.
  private static final double RATE_MAX = 1e6;

  private static final int DIGITS = 4;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double SECONDS_PER_HOUR = 3_600;
  private static final double MILLION = 1e6;

  private final SweepSpec spec;
  private final List<SearchGroup> groups;
  private final double tolerance;
  private final TraceCache traces = new TraceCache();

  /// @param spec with an objective; see [SweepSpec#readWithoutRates]
  /// @param only as `--only` has it; empty for the whole grid
  /// @param tolerance how much higher than the rate found one that breaks the objective may be, as
  ///   a share of it, above 0
  /// @throws SweepException if there is no objective, `only` names what is not there, or a workload
  ///   arrives all at once
  public CapacitySearch(SweepSpec spec, List<String> only, double tolerance) {
    if (spec.slo().isEmpty()) {
      throw new SweepException(
          "%s has no objective to keep: give the key slo, for example slo: {ttft: {p99: 2s}}, or --slo ttft.p99=2s"
              .formatted(spec.name()));
    }
    this.spec = spec;
    this.groups = SearchGroup.of(spec, only);
    this.tolerance = tolerance;
    groups.forEach(group -> requireRate(group.first().workload()));
  }

  private static void requireRate(NamedWorkload workload) {
    if (workload.workload().atOnce()) {
      throw new SweepException(
          "workload \"%s\" arrives all at once, so it has no rate to raise: give it arrivals that have one, gamma, on-off or diurnal, or a rate other than inf, or leave it out with --only"
              .formatted(workload.name()));
    }
  }

  /// Searches.
  ///
  /// @param workers groups at once
  /// @param probed called after each simulation of a rate, by several threads
  public SearchResult run(int workers, Runnable probed) {
    SweepPlan.requireRequests(spec, traces);
    SearchGroup.Answers<Capacity> answers =
        SearchGroup.search(groups, traces, workers, group -> capacity(group, probed));
    List<List<@Nullable Object>> rows = new ArrayList<>();
    answers.found().forEach((group, capacity) -> rows.add(row(group, capacity)));
    Map<String, String> failed = new LinkedHashMap<>();
    answers.failed().forEach((group, message) -> failed.put(group.title(), message));
    return new SearchResult(Table.of(schema(), rows), failed, SweepPlan.notes(spec, traces));
  }

  // -------------------------------------------------------------- bisection

  private Capacity capacity(SearchGroup group, Runnable probed) {
    double start = start(group.first().workload().workload());
    double kept = 0;
    double broken = 0;
    Probe best = null;
    Probe worst = null;
    int probes = 0;
    double rate = start;
    while (probes <= DOUBLINGS_MAX && rate <= RATE_MAX && (kept == 0 || broken == 0)) {
      Probe probe = probe(group, rate);
      probed.run();
      probes++;
      if (probe.passes()) {
        kept = rate;
        best = probe;
        rate = rounded(rate * 2);
      } else {
        broken = rate;
        worst = probe;
        rate = rounded(rate / 2);
      }
    }
    if (worst == null) {
      return new Capacity(Verdict.NEVER_BROKEN, kept, nonNull(best), List.of(), probes);
    }
    if (best == null) {
      return new Capacity(Verdict.ALWAYS_BROKEN, broken, worst, worst.broken(), probes);
    }
    while (broken > kept * (1 + tolerance)) {
      double middle = rounded(Math.sqrt(kept * broken));
      if (middle <= kept || middle >= broken) {
        break;
      }
      Probe probe = probe(group, middle);
      probed.run();
      probes++;
      if (probe.passes()) {
        kept = middle;
        best = probe;
      } else {
        broken = middle;
        worst = probe;
      }
    }
    return new Capacity(Verdict.FOUND, kept, best, worst.broken(), probes);
  }

  private static Probe nonNull(@Nullable Probe probe) {
    if (probe == null) {
      throw new IllegalStateException("a search without a probe");
    }
    return probe;
  }

  /// Few digits, so that the rate found can be given to `simulate` as it stands.
  private static double rounded(double rate) {
    return BigDecimal.valueOf(rate)
        .round(new MathContext(DIGITS, RoundingMode.HALF_EVEN))
        .doubleValue();
  }

  /// Whether the search is for a factor on a trace's own arrivals instead of a rate. A factor that
  /// the specification has is where it begins.
  private static boolean isScaled(Workload workload) {
    return workload instanceof TraceWorkload trace && trace.rate() == null;
  }

  private static double start(Workload workload) {
    if (workload instanceof TraceWorkload trace && trace.rateScale() != null) {
      return trace.rateScale();
    }
    Double rate = SweepScenario.rate(workload);
    return rate == null ? 1 : rate;
  }

  private Probe probe(SearchGroup group, double rate) {
    Workload workload = group.first().workload().workload();
    Workload at =
        workload instanceof TraceWorkload trace && isScaled(trace)
            ? trace.withRateScale(rate)
            : workload.atRate(String.valueOf(rate));
    return Probe.of(group.with(at, spec.slo()), 1, traces);
  }

  // ------------------------------------------------------------------ table

  private Schema schema() {
    String currency = spec.prices() == null ? "currency" : spec.prices().currency();
    return Schema.of(
        Column.text("platform", "as the specification calls it"),
        Column.text("model", "model profile"),
        Column.text("workload", "as the specification calls it"),
        Column.text("policy", "as the specification calls the row"),
        Column.whole("seeds", "", "that the rate holds for, every one"),
        Column.text("verdict", "found, never_broken or always_broken"),
        Column.number(
            "rate_requests_per_second",
            "requests_per_second",
            "the highest that keeps the objective; none where none does"),
        Column.number(
            "rate_scale_ratio", "ratio", "the same as a factor on a trace's own arrivals"),
        Column.text("next_breaks", "what the next higher rate that was tried breaks"),
        Column.number(
            "output_tokens_per_second", "tokens_per_second", "at this rate, mean over the seeds"),
        Column.number("ttft_p99_seconds", "seconds", "at this rate, of the worst seed"),
        Column.number("tpot_p99_seconds", "seconds", "at this rate, of the worst seed"),
        Column.number("e2e_p99_seconds", "seconds", "at this rate, of the worst seed"),
        Column.number("slo_attainment_ratio", "ratio", "at this rate, of the worst seed"),
        Column.number("price_per_hour", currency + "_per_hour", "of the platform's cards"),
        Column.number(
            "price_per_million_output_tokens",
            currency + "_per_million_tokens",
            "of the platform's cards at this rate"),
        Column.whole("probes", "", "rates that were simulated"),
        Prices.CURRENCY,
        Prices.SOURCE);
  }

  /// Requests a second; null where a trace's arrivals are all at once, at whatever factor.
  private static @Nullable Double rate(boolean scaled, Capacity capacity) {
    double rate = scaled ? capacity.probe().offered() : capacity.rate();
    return Double.isFinite(rate) ? (Double) rate : null;
  }

  private List<@Nullable Object> row(SearchGroup group, Capacity capacity) {
    Cell cell = group.first();
    Probe probe = capacity.probe();
    boolean scaled = isScaled(cell.workload().workload());
    boolean any = capacity.verdict() != Verdict.ALWAYS_BROKEN;
    Double perHour = spec.prices() == null ? null : spec.prices().perHour(group.topology());
    List<@Nullable Object> row = new ArrayList<>();
    row.add(cell.platform().name());
    row.add(cell.model());
    row.add(cell.workload().name());
    row.add(cell.row().name());
    row.add((long) group.cells().size());
    row.add(capacity.verdict().name().toLowerCase(Locale.ROOT));
    row.add(any ? rate(scaled, capacity) : null);
    row.add(any && scaled ? (Double) capacity.rate() : null);
    row.add(String.join(" ", capacity.next()));
    row.add(any ? (Double) probe.tokensPerSecond() : null);
    row.add(any ? (Double) (probe.ttftP99Nanos() / NANOS_PER_SECOND) : null);
    row.add(any ? (Double) (probe.tpotP99Nanos() / NANOS_PER_SECOND) : null);
    row.add(any ? (Double) (probe.e2eP99Nanos() / NANOS_PER_SECOND) : null);
    row.add(any ? (Double) probe.attainment() : null);
    row.add(perHour);
    row.add(
        any && perHour != null && probe.tokensPerSecond() > 0
            ? (Double) (perHour / SECONDS_PER_HOUR / probe.tokensPerSecond() * MILLION)
            : null);
    row.add((long) capacity.probes());
    row.add(spec.prices() == null ? null : spec.prices().currency());
    row.add(spec.prices() == null ? null : spec.prices().source());
    return row;
  }
}
