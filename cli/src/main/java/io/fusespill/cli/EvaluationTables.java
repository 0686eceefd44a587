package io.fusespill.cli;

import io.fusespill.replay.evaluate.ComparedRow;
import io.fusespill.replay.evaluate.Comparison;
import io.fusespill.replay.evaluate.Standing;
import io.fusespill.replay.evaluate.Statistic;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// Comparisons as people read them: one table for each platform, model and workload.
final class EvaluationTables {

  private static final String[] HEAD = {
    "",
    "tokens/s",
    "gain",
    "TTFT s",
    "p99",
    "TPOT ms",
    "p99 E2E s",
    "preempted",
    "recomputed",
    "swapped",
    "running",
    "completed/rejected"
  };

  private EvaluationTables() {}

  static void print(PrintWriter out, List<Comparison> comparisons) {
    for (Comparison comparison : comparisons) {
      out.println(
          "%s, %s, %s"
              .formatted(
                  comparison.platform().name(), comparison.model(), comparison.workload().name()));
      Table table = new Table().row(HEAD);
      comparison.rows().forEach(row -> table.row(cells(row)));
      table.print(out);
      out.println();
    }
    out.println(
        "best: the baseline with the most output tokens/s, which gains are over. +-: standard deviation over the seeds."
            + " ~: a gain not larger than that.");
    out.println(
        "TTFT and TPOT are means, preempted counts preemptions, recomputed tokens, swapped blocks out, running sequences.");
    if (comparisons.stream()
        .flatMap(comparison -> comparison.rows().stream())
        .anyMatch(row -> row.policy().oracle())) {
      out.println("UPPER BOUND: the row is told true output lengths, which no real run knows.");
    }
  }

  private static String[] cells(ComparedRow row) {
    List<String> cells = new ArrayList<>();
    cells.add(name(row));
    if (row.runs().isEmpty()) {
      cells.add("failed");
      cells.addAll(Collections.nCopies(HEAD.length - 2, "-"));
      return cells.toArray(String[]::new);
    }
    cells.add(spread("%,.1f", row.figure("output_throughput")));
    cells.add(gain(row));
    cells.add(latency("%,.2f", row.figure("mean_ttft_ms").mean() / 1e3));
    cells.add(latency("%,.2f", row.figure("p99_ttft_ms").mean() / 1e3));
    cells.add(latency("%,.1f", row.figure("mean_tpot_ms").mean()));
    cells.add(latency("%,.1f", row.figure("p99_e2el_ms").mean() / 1e3));
    cells.add("%,.0f".formatted(row.figure("preemptions").mean()));
    cells.add("%,.0f".formatted(row.figure("recomputed_tokens").mean()));
    cells.add("%,.0f".formatted(row.figure("swapped_out_blocks").mean()));
    cells.add("%,.1f".formatted(row.figure("mean_running").mean()));
    cells.add(
        "%,.0f/%,.0f".formatted(row.figure("completed").mean(), row.figure("rejected").mean()));
    return cells.toArray(String[]::new);
  }

  /// One of nothing is 0 in `--json`: no step takes no time.
  private static String latency(String format, double value) {
    return value == 0 ? "-" : format.formatted(value);
  }

  private static String name(ComparedRow row) {
    String standing =
        row.policy().standing() == Standing.CONTENDER
            ? ""
            : " (%s)".formatted(row.policy().standing().name().toLowerCase(Locale.ROOT));
    String failed =
        row.failures() == 0 ? "" : " [%s failed]".formatted(Wording.count(row.failures(), "seed"));
    String told = row.policy().oracle() ? " (UPPER BOUND)" : "";
    return row.policy().name() + standing + told + failed;
  }

  private static String gain(ComparedRow row) {
    if (row.gain() == null) {
      return row.best() ? "best" : "-";
    }
    ComparedRow.Gain gain = Objects.requireNonNull(row.gain());
    Statistic share = gain.share();
    Statistic percent =
        new Statistic(tenths(100 * share.mean()), 100 * share.spread(), share.count());
    return (gain.significant() ? "" : "~") + spread("%+,.1f", percent) + "%";
  }

  /// Rounded, and a zero without a minus.
  private static double tenths(double value) {
    return Math.round(10 * value) / 10.0;
  }

  private static String spread(String format, Statistic statistic) {
    return format.formatted(statistic.mean())
        + (statistic.count() < 2 ? "" : " +-%,.1f".formatted(statistic.spread()));
  }
}
