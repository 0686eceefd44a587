package io.fusespill.cli;

import io.fusespill.sweep.CheapestSearch;
import io.fusespill.sweep.SearchResult;
import io.fusespill.sweep.SweepSpec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The cheapest machines for a workload.
@Command(
    name = "cheapest",
    mixinStandardHelpOptions = true,
    description = {
      "Finds the cheapest platform for each workload: how many replicas of it keep the latencies,",
      "and what they cost.",
      "",
      "Reads the specification of a sweep. Requests are dealt to the replicas in turn, each replica",
      "is simulated, and the bounds hold for all requests together. Prices are yours: none come",
      "with the program (key 'prices' or --prices, specs/prices.yaml shows the form).",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  fusespill cheapest specs/sweep.yaml --prices specs/prices.yaml --slo ttft.p99=2s",
      "",
      "Exit codes: 0 fine, 1 some cells failed (or internal error), 2 wrong usage or input."
    })
final class CheapestCommand implements Callable<Integer> {

  private static final int REPLICAS_MAX = 1_024;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SPEC", description = "Specification of a sweep, a YAML file.")
  private Path file;

  @Mixin private SearchOptions search;

  @Option(
      names = "--max-replicas",
      defaultValue = "64",
      paramLabel = "N",
      description = "Give up beyond so many replicas, at most 1,024 (default 64).")
  private int replicasMax;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "AXIS=NAME",
      description = "Search only these: platform, model, workload or policy, as for 'evaluate'.")
  private List<String> only = new ArrayList<>();

  @Mixin private ResultOptions result;

  @Option(names = "--quiet", description = "No progress.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  CheapestCommand() {}

  @Override
  public Integer call() {
    if (replicasMax < 1 || replicasMax > REPLICAS_MAX) {
      throw new UsageException(
          "--max-replicas is %d, must be 1 to %,d".formatted(replicasMax, REPLICAS_MAX));
    }
    SweepSpec sweep = search.apply(SweepSpec.read(SearchOptions.require(file)));
    SearchResult found;
    try (ProgressLine progress = new ProgressLine("cheapest", "fleets", 0, quiet)) {
      AtomicLong probes = new AtomicLong();
      found =
          new CheapestSearch(sweep, only, replicasMax)
              .run(search.workers(), () -> progress.at(probes.incrementAndGet()));
    }
    PrintWriter out = spec.commandLine().getOut();
    result.writeCsv(found.table());
    if (result.json()) {
      out.println(
          ResultOptions.json(found.table(), found.failed()).put("slo", sweep.slo().toString()));
    } else {
      print(out, sweep, found);
    }
    out.flush();
    return found.failed().isEmpty() ? 0 : 1;
  }

  private static void print(PrintWriter out, SweepSpec sweep, SearchResult found) {
    String currency = Objects.requireNonNull(sweep.prices()).currency();
    TableText text = new TableText(found.table());
    out.println("fewest replicas that keep %s, the cheapest first".formatted(sweep.slo()));
    out.println();
    text.print(
        out,
        row ->
            "%s, %s, %s requests/s"
                .formatted(
                    found.table().value(row, "model"),
                    found.table().value(row, "workload"),
                    text.cell(row, "rate_requests_per_second")),
        TableText.heads(
            "platform", "platform",
            "policy", "policy",
            "replicas", "replicas",
            "price_per_hour", currency + "/h",
            "price_per_million_output_tokens", currency + "/M tokens",
            "output_tokens_per_second", "tokens/s",
            "ttft_p99_seconds", "TTFT p99 s",
            "tpot_p99_seconds", "TPOT p99 s",
            "e2e_p99_seconds", "E2E p99 s",
            "slo_attainment_ratio", "attained",
            "breaks", "breaks"),
        (row, column) ->
            column.equals("replicas") && Boolean.FALSE.equals(found.table().value(row, "slo_met"))
                ? "> " + text.cell(row, column)
                : text.cell(row, column));
    SearchOptions.printRest(out, sweep, found);
  }
}
