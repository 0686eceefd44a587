package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.replay.explain.Wording;
import io.fusespill.traces.LengthAccuracy;
import io.fusespill.traces.TokenSummary;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceSummary;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// What a trace is like.
@Command(
    name = "describe",
    mixinStandardHelpOptions = true,
    description = {
      "Says what a trace is like: requests, rate, burstiness, prompt and output lengths.",
      ""
    })
final class TraceDescribeCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "Trace file, plain or gzip.")
  private Path file;

  @Mixin private WorkloadOptions workloadOptions;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  TraceDescribeCommand() {}

  @Override
  public Integer call() {
    TraceSummary summary;
    String reason;
    try (TraceReader reader = workloadOptions.open(file, 0)) {
      WorkloadOptions.requireRequest(file, reader);
      summary = TraceSummary.of(reader);
      reason = reader.skippedReason();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(toJson(summary));
    } else {
      print(out, summary, reason);
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, TraceSummary summary, String reason) {
    out.println(
        "%s in %s s, %s"
            .formatted(
                Wording.count(summary.requests(), "request"),
                TableText.seconds(summary.durationNanos() / 1e9),
                summary.durationNanos() == 0
                    ? "all at once, no rate"
                    : "%s a second, CV of the gaps %.2f"
                        .formatted(
                            TableText.digits(summary.requestsPerSecond()),
                            summary.interArrivalCv())));
    new Table()
        .row("tokens", "total", "min", "mean", "p50", "p90", "p99", "max")
        .row(cells("prompt", summary.prompt()))
        .row(cells("output", summary.output()))
        .print(out);
    if (summary.declared().requests() > 0) {
      out.println(declared(summary));
    }
    if (summary.skipped() > 0) {
      out.println(WorkloadOptions.skipped(summary.skipped(), reason));
    }
    if (summary.adjusted() > 0) {
      out.println("corrected the arrival of " + Wording.count(summary.adjusted(), "row"));
    }
  }

  private static String declared(TraceSummary summary) {
    LengthAccuracy.Summary declared = summary.declared();
    return "declared output: %.1f %% of the requests, mean error %.1f tokens, median %,d, %s"
        .formatted(
            100 * summary.declaredShare(),
            declared.meanAbsoluteError(),
            declared.medianAbsoluteError(),
            Double.isNaN(declared.pairwiseAccuracy())
                ? "no two of different length"
                : "%.1f %% of the pairs in the right order"
                    .formatted(100 * declared.pairwiseAccuracy()));
  }

  private static String[] cells(String name, TokenSummary tokens) {
    return new String[] {
      name,
      "%,d".formatted(tokens.total()),
      "%,d".formatted(tokens.min()),
      "%,.1f".formatted(tokens.mean()),
      "%,d".formatted(tokens.p50()),
      "%,d".formatted(tokens.p90()),
      "%,d".formatted(tokens.p99()),
      "%,d".formatted(tokens.max())
    };
  }

  private static ObjectNode toJson(TraceSummary summary) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("requests", summary.requests());
    node.put("duration_seconds", summary.durationNanos() / 1e9);
    putOrNull(node, "requests_per_second", summary.requestsPerSecond());
    node.put("inter_arrival_cv", summary.interArrivalCv());
    node.set("prompt_tokens", toJson(summary.prompt()));
    node.set("output_tokens", toJson(summary.output()));
    node.set("declared_output_tokens", declaredJson(summary));
    node.put("skipped_rows", summary.skipped());
    node.put("adjusted_rows", summary.adjusted());
    return node;
  }

  private static ObjectNode declaredJson(TraceSummary summary) {
    LengthAccuracy.Summary declared = summary.declared();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("requests", declared.requests());
    node.put("share", summary.declaredShare());
    node.put("mean_absolute_error", declared.meanAbsoluteError());
    node.put("median_absolute_error", declared.medianAbsoluteError());
    putOrNull(node, "pairwise_accuracy", declared.pairwiseAccuracy());
    return node;
  }

  /// NaN as null, which JSON has no number for.
  static void putOrNull(ObjectNode node, String key, double value) {
    if (Double.isNaN(value)) {
      node.putNull(key);
    } else {
      node.put(key, value);
    }
  }

  private static ObjectNode toJson(TokenSummary tokens) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("total", tokens.total());
    node.put("min", tokens.min());
    node.put("mean", tokens.mean());
    node.put("p50", tokens.p50());
    node.put("p90", tokens.p90());
    node.put("p99", tokens.p99());
    node.put("max", tokens.max());
    return node;
  }
}
