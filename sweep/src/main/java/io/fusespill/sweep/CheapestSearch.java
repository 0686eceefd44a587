package io.fusespill.sweep;

import io.fusespill.replay.evaluate.Cell;
import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import io.fusespill.tables.Table;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The cheapest machines for a workload under an objective: for each platform and policy how many
/// replicas keep it, and what these cost.
///
/// Replicas stand behind a router that deals requests in turn; each is simulated. That more
/// replicas keep what fewer keep is taken for granted.
public final class CheapestSearch {

  /// @param replicas the fewest that keep the objective, or the most that were tried
  /// @param probe with so many
  private record Fleet(boolean found, int replicas, Probe probe) {}

  private static final double NANOS_PER_SECOND = 1e9;
  private static final double SECONDS_PER_HOUR = 3_600;
  private static final double MILLION = 1e6;

  private final SweepSpec spec;
  private final Prices prices;
  private final List<SearchGroup> groups;
  private final int replicasMax;
  private final TraceCache traces = new TraceCache();

  /// @param spec with an objective and prices of every card
  /// @param only as `--only` has it; empty for the whole grid
  /// @param replicasMax at least 1
  /// @throws SweepException if there is no objective, a card without a price, or `only` names what
  ///   is not there
  public CheapestSearch(SweepSpec spec, List<String> only, int replicasMax) {
    if (spec.slo().isEmpty()) {
      throw new SweepException(
          "%s has no objective to keep: give the key slo, for example slo: {ttft: {p99: 2s}}, or --slo ttft.p99=2s"
              .formatted(spec.name()));
    }
    if (spec.prices() == null) {
      throw new SweepException(
          "%s has no prices, and none come with the program: give the key prices, or a file with --prices; specs/prices.yaml shows the form"
              .formatted(spec.name()));
    }
    this.spec = spec;
    this.prices = spec.prices();
    this.groups = SearchGroup.of(spec, only);
    this.replicasMax = replicasMax;
    Set<String> missing = new TreeSet<>();
    for (SearchGroup group : groups) {
      missing.addAll(prices.missing(group.topology()));
    }
    if (!missing.isEmpty()) {
      throw new SweepException(
          "%s: no price of %s; give it under per-hour"
              .formatted(spec.name(), String.join(", ", missing)));
    }
  }

  /// Searches. The rows of each model, workload and rate go from the cheapest up, equal prices an
  /// hour by the price of a token; those that do not keep the objective come last.
  ///
  /// @param workers groups at once
  /// @param probed called after each simulation of a number of replicas, by several threads
  public SearchResult run(int workers, Runnable probed) {
    SweepPlan.requireRequests(spec, traces);
    SearchGroup.Answers<Fleet> answers =
        SearchGroup.search(groups, traces, workers, group -> fewest(group, probed));
    Map<List<Object>, List<Map.Entry<SearchGroup, Fleet>>> tables = new LinkedHashMap<>();
    for (Map.Entry<SearchGroup, Fleet> answer : answers.found().entrySet()) {
      Cell cell = answer.getKey().first();
      tables
          .computeIfAbsent(List.of(cell.model(), cell.workload()), key -> new ArrayList<>())
          .add(answer);
    }
    List<List<@Nullable Object>> rows = new ArrayList<>();
    for (List<Map.Entry<SearchGroup, Fleet>> table : tables.values()) {
      table.sort(
          Comparator.comparing((Map.Entry<SearchGroup, Fleet> answer) -> !answer.getValue().found())
              .thenComparingDouble(answer -> perHour(answer.getKey(), answer.getValue()))
              .thenComparing(
                  answer -> perMillionTokens(answer.getKey(), answer.getValue()),
                  Comparator.nullsLast(Comparator.naturalOrder())));
      for (int i = 0; i < table.size(); i++) {
        rows.add(row(i + 1, table.get(i).getKey(), table.get(i).getValue()));
      }
    }
    Map<String, String> failed = new LinkedHashMap<>();
    answers.failed().forEach((group, message) -> failed.put(group.title(), message));
    return new SearchResult(Table.of(schema(), rows), failed, SweepPlan.notes(spec, traces));
  }

  /// Doubles the replicas until they keep the objective, then bisects.
  private Fleet fewest(SearchGroup group, Runnable probed) {
    List<SweepScenario> scenarios = group.with(group.first().workload().workload(), spec.slo());
    int broken = 0;
    int replicas = 1;
    Probe probe = probe(scenarios, replicas, probed);
    while (!probe.passes() && replicas < replicasMax) {
      broken = replicas;
      replicas = Math.min(2 * replicas, replicasMax);
      probe = probe(scenarios, replicas, probed);
    }
    if (!probe.passes()) {
      return new Fleet(false, replicas, probe);
    }
    while (replicas - broken > 1) {
      int middle = (replicas + broken) / 2;
      Probe tried = probe(scenarios, middle, probed);
      if (tried.passes()) {
        replicas = middle;
        probe = tried;
      } else {
        broken = middle;
      }
    }
    return new Fleet(true, replicas, probe);
  }

  private Probe probe(List<SweepScenario> scenarios, int replicas, Runnable probed) {
    Probe probe = Probe.of(scenarios, replicas, traces);
    probed.run();
    return probe;
  }

  private double perHour(SearchGroup group, Fleet fleet) {
    return BigDecimal.valueOf(Objects.requireNonNull(prices.perHour(group.topology())))
        .multiply(BigDecimal.valueOf(fleet.replicas()))
        .doubleValue();
  }

  /// Null where no token came out.
  private @Nullable Double perMillionTokens(SearchGroup group, Fleet fleet) {
    double tokensPerSecond = fleet.probe().tokensPerSecond();
    return tokensPerSecond > 0
        ? (Double) (perHour(group, fleet) / SECONDS_PER_HOUR / tokensPerSecond * MILLION)
        : null;
  }

  private Schema schema() {
    String currency = prices.currency();
    return Schema.of(
        Column.text("model", "model profile"),
        Column.text("workload", "as the specification calls it"),
        Column.number(
            "rate_requests_per_second",
            "requests_per_second",
            "that arrive at all replicas together"),
        Column.whole("rank", "", "1 for the cheapest"),
        Column.text("platform", "as the specification calls it"),
        Column.text("policy", "as the specification calls the row"),
        Column.flag("slo_met", "whether so many replicas keep the objective"),
        Column.whole("replicas", "", "the fewest that keep it; the most tried where none do"),
        Column.number("price_per_hour", currency + "_per_hour", "of all replicas"),
        Column.number(
            "price_per_million_output_tokens",
            currency + "_per_million_tokens",
            "of all replicas while the workload lasts"),
        Column.number(
            "output_tokens_per_second",
            "tokens_per_second",
            "of all replicas, mean over the seeds"),
        Column.number("ttft_p99_seconds", "seconds", "of the worst seed"),
        Column.number("tpot_p99_seconds", "seconds", "of the worst seed"),
        Column.number("e2e_p99_seconds", "seconds", "of the worst seed"),
        Column.number("slo_attainment_ratio", "ratio", "of the worst seed"),
        Column.text("breaks", "bounds that are not kept"),
        Prices.CURRENCY,
        Prices.SOURCE);
  }

  private List<@Nullable Object> row(int rank, SearchGroup group, Fleet fleet) {
    Cell cell = group.first();
    Probe probe = fleet.probe();
    List<@Nullable Object> row = new ArrayList<>();
    row.add(cell.model());
    row.add(cell.workload().name());
    row.add(rate(cell, probe));
    row.add(fleet.found() ? (Long) (long) rank : null);
    row.add(cell.platform().name());
    row.add(cell.row().name());
    row.add(fleet.found());
    row.add((long) fleet.replicas());
    row.add(perHour(group, fleet));
    row.add(perMillionTokens(group, fleet));
    row.add(probe.tokensPerSecond());
    row.add(probe.ttftP99Nanos() / NANOS_PER_SECOND);
    row.add(probe.tpotP99Nanos() / NANOS_PER_SECOND);
    row.add(probe.e2eP99Nanos() / NANOS_PER_SECOND);
    row.add(probe.attainment());
    row.add(String.join(" ", probe.broken()));
    row.add(prices.currency());
    row.add(prices.source());
    return row;
  }

  /// What the specification says, or what a trace's own arrivals come to; null for all at once.
  private static @Nullable Double rate(Cell cell, Probe probe) {
    Double drawn = SweepScenario.rate(cell.workload().workload());
    return drawn == null && Double.isFinite(probe.offered()) ? (Double) probe.offered() : drawn;
  }
}
