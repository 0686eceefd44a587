package io.fusespill.cli;

import io.fusespill.sweep.ParetoFront;
import io.fusespill.sweep.SweepDirectory;
import io.fusespill.tables.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// What a finished sweep offers, without what something else of it beats.
@Command(
    name = "pareto",
    mixinStandardHelpOptions = true,
    description = {
      "Shows the configurations of a finished sweep that no other beats in throughput and in latency both.",
      "For each model and workload; figures are means over the seeds.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill pareto sweeps/sweep",
      "  fusespill pareto sweeps/sweep --throughput goodput_requests_per_second --latency price_per_hour",
      "",
      "The columns: docs/sweeps.md."
    })
final class ParetoCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "DIR|FILE",
      description = "Folder of a finished sweep, or its results.parquet.")
  private Path path;

  @Option(
      names = "--throughput",
      defaultValue = "output_tokens_per_second",
      paramLabel = "COLUMN",
      description = "What is better when larger (default output_tokens_per_second).")
  private String throughput;

  @Option(
      names = "--latency",
      defaultValue = "e2e_p99_seconds",
      paramLabel = "COLUMN",
      description = "What is better when smaller (default e2e_p99_seconds).")
  private String latency;

  @Option(names = "--all", description = "Show what is beaten too; '*' marks what is not.")
  private boolean all;

  @Mixin private ResultOptions result;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  ParetoCommand() {}

  @Override
  public Integer call() {
    result.csv().check(SweepDirectory.results(path));
    Table results = Table.readParquet(SweepDirectory.results(path));
    ParetoFront pareto = new ParetoFront(results, throughput, latency);
    Table front = pareto.table(all);
    PrintWriter out = spec.commandLine().getOut();
    if (result.json()) {
      out.println(ResultOptions.json(front, Map.of(), pareto.notes()));
    } else {
      print(out, front);
      pareto.notes().forEach(out::println);
    }
    out.flush();
    result.writeCsv(front);
    return 0;
  }

  private void print(PrintWriter out, Table front) {
    SequencedMap<String, String> heads =
        TableText.heads("platform", "platform", "policy", "policy");
    TableText text = new TableText(front);
    text.putIfAny(heads, "rate_requests_per_second", "requests/s");
    text.putIfAny(heads, "rate_scale_ratio", "scale");
    heads.put(throughput, throughput);
    heads.put(latency, latency);
    heads.put("seeds", "seeds");
    if (all) {
      heads.put("front", "front");
    }
    text.print(
        out,
        row -> "%s, %s".formatted(front.value(row, "model"), front.value(row, "workload")),
        heads,
        (row, column) ->
            column.equals("front")
                ? Boolean.TRUE.equals(front.value(row, column)) ? "*" : ""
                : text.cell(row, column));
  }
}
