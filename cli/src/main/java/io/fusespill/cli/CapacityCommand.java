package io.fusespill.cli;

import io.fusespill.sweep.CapacitySearch;
import io.fusespill.sweep.SearchResult;
import io.fusespill.sweep.SweepSpec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The highest rate at which latencies are kept.
@Command(
    name = "capacity",
    mixinStandardHelpOptions = true,
    description = {
      "Finds the highest arrival rate at which each platform and policy keeps its latencies.",
      "",
      "Reads the specification of a sweep; 'rates' and 'rate-scales' are left aside, because the",
      "search sets the rate. It doubles or halves it until one keeps every bound and the next does",
      "not, then bisects. A workload whose arrivals are drawn is drawn at other rates; a trace with",
      "its own arrivals has them pushed together. With several seeds, every one keeps the bounds.",
      "The figures are of simulations. A short workload ends before a queue has grown: take so many",
      "requests that a run lasts many times as long as the latencies that are bounded.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  fusespill capacity specs/sweep.yaml --slo ttft.p99=2s,tpot.p90=100ms",
      "",
      "Exit codes: 0 fine, 1 some cells failed (or internal error), 2 wrong usage or input."
    })
final class CapacityCommand extends SearchCommand {

  private static final double TOLERANCE_MIN = 0.0005;

  @Option(
      names = "--tolerance",
      defaultValue = "0.02",
      paramLabel = "SHARE",
      description =
          "How far the rate found may lie below one that breaks a bound (0.0005 to 1, default 0.02: 2 per cent).")
  private double tolerance;

  CapacityCommand() {
    super("rates");
  }

  @Override
  void check() {
    if (!(tolerance >= TOLERANCE_MIN && tolerance <= 1)) {
      throw new UsageException(
          "--tolerance is %s, must be %.4f to 1".formatted(tolerance, TOLERANCE_MIN));
    }
  }

  @Override
  SweepSpec read(Path file) {
    return SweepSpec.readWithoutRates(file);
  }

  @Override
  SearchResult search(SweepSpec sweep, List<String> only, int workers, Runnable probed) {
    return new CapacitySearch(sweep, only, tolerance).run(workers, probed);
  }

  @Override
  void print(PrintWriter out, SweepSpec sweep, SearchResult found) {
    TableText text = new TableText(found.table());
    SequencedMap<String, String> heads =
        TableText.heads(
            "platform", "platform",
            "policy", "policy",
            "rate_requests_per_second", "requests/s");
    text.putIfAny(heads, "rate_scale_ratio", "scale");
    heads.putAll(
        TableText.heads(
            "next_breaks", "more breaks",
            "output_tokens_per_second", "tokens/s",
            "ttft_p99_seconds", "TTFT p99 s",
            "tpot_p99_seconds", "TPOT p99 s",
            "e2e_p99_seconds", "E2E p99 s"));
    if (sweep.prices() != null) {
      heads.put("price_per_hour", sweep.prices().currency() + "/h");
      heads.put("price_per_million_output_tokens", sweep.prices().currency() + "/M tokens");
    }
    out.println("highest rate that keeps %s".formatted(sweep.slo()));
    out.println();
    text.print(
        out,
        row ->
            "%s, %s"
                .formatted(found.table().value(row, "model"), found.table().value(row, "workload")),
        heads,
        (row, column) ->
            column.equals("rate_requests_per_second")
                ? rate(found, row, text.cell(row, column))
                : text.cell(row, column));
  }

  private static String rate(SearchResult found, int row, String rate) {
    return switch (String.valueOf(found.table().value(row, "verdict"))) {
      case "never_broken" -> ">= " + rate;
      case "always_broken" -> "none";
      default -> rate;
    };
  }
}
