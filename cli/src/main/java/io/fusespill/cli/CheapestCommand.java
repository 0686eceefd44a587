package io.fusespill.cli;

import io.fusespill.sweep.CheapestSearch;
import io.fusespill.sweep.SearchResult;
import io.fusespill.sweep.SweepSpec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The cheapest machines for a workload.
@Command(
    name = "cheapest",
    mixinStandardHelpOptions = true,
    description = {
      "Finds the cheapest platform for each workload: how many replicas of it keep the latencies, and what they cost.",
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
final class CheapestCommand extends SearchCommand {

  private static final int REPLICAS_MAX = 1_024;

  @Option(
      names = "--max-replicas",
      defaultValue = "64",
      paramLabel = "N",
      description = "Give up beyond so many replicas, at most 1,024 (default 64).")
  private int replicasMax;

  CheapestCommand() {
    super("fleets");
  }

  @Override
  void check() {
    if (replicasMax < 1 || replicasMax > REPLICAS_MAX) {
      throw new UsageException(
          "--max-replicas is %d, must be 1 to %,d".formatted(replicasMax, REPLICAS_MAX));
    }
  }

  @Override
  SweepSpec read(Path file) {
    return SweepSpec.read(file);
  }

  @Override
  SearchResult search(SweepSpec sweep, List<String> only, int workers, Runnable probed) {
    return new CheapestSearch(sweep, only, replicasMax).run(workers, probed);
  }

  @Override
  void print(PrintWriter out, SweepSpec sweep, SearchResult found) {
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
  }
}
