package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.whatif.Difference;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Figures of several runs in columns, with what the last has more or less than the one before it.
final class FigureTable {

  private static final double GIB = 1L << 30;
  private static final String MOVED_BYTES = "moved_bytes";

  /// A run's figures by their names in `--json`.
  record Column(String name, Map<String, Object> figures) {}

  /// One line of the table.
  ///
  /// @param always whether it is shown where both sides are 0
  private record Line(String label, String figure, double unit, String format, boolean always) {}

  private static final List<Line> LINES =
      List.of(
          new Line("completed requests", "completed", 1, "%,.0f", true),
          new Line("cancelled requests", "cancelled", 1, "%,.0f", false),
          new Line("rejected or failed", "failed", 1, "%,.0f", false),
          new Line("makespan, s", "duration", 1, "%,.3f", true),
          new Line("requests/s", "request_throughput", 1, "%,.3f", true),
          new Line("output tokens/s", "output_throughput", 1, "%,.1f", true),
          new Line("mean TTFT, ms", "mean_ttft_ms", 1, "%,.1f", true),
          new Line("p99 TTFT, ms", "p99_ttft_ms", 1, "%,.1f", true),
          new Line("mean TPOT, ms", "mean_tpot_ms", 1, "%,.2f", true),
          new Line("p99 TPOT, ms", "p99_tpot_ms", 1, "%,.2f", true),
          new Line("mean ITL, ms", "mean_itl_ms", 1, "%,.2f", true),
          new Line("p99 ITL, ms", "p99_itl_ms", 1, "%,.2f", true),
          new Line("mean E2E, ms", "mean_e2el_ms", 1, "%,.1f", true),
          new Line("p99 E2E, ms", "p99_e2el_ms", 1, "%,.1f", true),
          new Line("preemptions", "preemptions", 1, "%,.0f", true),
          new Line("spilled requests", "preempted_requests", 1, "%,.0f", true),
          new Line("recomputed tokens", "recomputed_tokens", 1, "%,.0f", true),
          new Line("prefix cache hits, tokens", "prefix_cache_hits", 1, "%,.0f", false),
          new Line("swapped-out blocks", "swapped_out_blocks", 1, "%,.0f", false),
          new Line("swapped-in blocks", "swapped_in_blocks", 1, "%,.0f", false),
          new Line("offloaded blocks", "offloaded_blocks", 1, "%,.0f", false),
          new Line("blocks to and from disk", "disk_blocks", 1, "%,.0f", false),
          new Line("moved, GiB", MOVED_BYTES, GIB, "%,.2f", true),
          new Line("tokens by host attention", "remote_decodes", 1, "%,.0f", false),
          new Line("mean running", "mean_running", 1, "%,.1f", true),
          new Line("peak KV usage", "peak_kv_usage", 1, "%,.3f", true));

  private FigureTable() {}

  /// A report's figures, and the bytes of all blocks that were copied between places.
  ///
  /// @param configuration of the run, as `config.json` has it
  static Map<String, Object> figures(RunReport report, JsonNode configuration) {
    RunMetrics metrics = report.metrics();
    long blocks =
        metrics.swappedOutBlocks()
            + metrics.swappedInBlocks()
            + metrics.offloadedBlocks()
            + metrics.diskBlocks();
    Map<String, Object> figures = new LinkedHashMap<>(report.figures());
    figures.put(MOVED_BYTES, blocks * configuration.path("kv").path("block_bytes").asLong());
    return figures;
  }

  /// For each figure that both have, what the second has more: `absolute`, and `percent` of the
  /// first or null where that is 0.
  static ObjectNode differences(Map<String, Object> before, Map<String, Object> after) {
    ObjectNode differences = JsonNodeFactory.instance.objectNode();
    for (Difference difference : Difference.of(before, after)) {
      ObjectNode one = differences.putObject(difference.figure());
      one.put("absolute", difference.absolute());
      if (Double.isNaN(difference.percent())) {
        one.putNull("percent");
      } else {
        one.put("percent", difference.percent());
      }
    }
    return differences;
  }

  /// Prints the table; there are at least two columns.
  static void print(PrintWriter out, List<Column> columns) {
    Table table = new Table();
    List<String> head = new ArrayList<>(List.of(""));
    columns.forEach(column -> head.add(column.name()));
    head.addAll(List.of("diff", "%"));
    table.row(head.toArray(String[]::new));
    for (Line line : LINES) {
      boolean nothing = columns.stream().allMatch(column -> number(column.figures(), line) == 0);
      if (line.always() || !nothing) {
        table.row(cells(line, columns));
      }
    }
    table.print(out);
  }

  private static String[] cells(Line line, List<Column> columns) {
    List<String> cells = new ArrayList<>(List.of(line.label()));
    for (Column column : columns) {
      boolean none = isNone(line, column);
      cells.add(none ? "-" : line.format().formatted(number(column.figures(), line)));
    }
    if (isNone(line, columns.get(columns.size() - 2)) || isNone(line, columns.getLast())) {
      cells.addAll(List.of("-", "-"));
      return cells.toArray(String[]::new);
    }
    Difference difference =
        new Difference(
            line.figure(),
            number(columns.get(columns.size() - 2).figures(), line),
            number(columns.getLast().figures(), line));
    cells.add(signed(line.format().formatted(difference.absolute())));
    cells.add(percent(difference));
    return cells.toArray(String[]::new);
  }

  /// Whether it is a latency of nothing, which is 0 in `--json`: no step takes no time.
  private static boolean isNone(Line line, Column column) {
    return line.figure().endsWith("_ms") && number(column.figures(), line) == 0;
  }

  private static double number(Map<String, Object> figures, Line line) {
    return figures.get(line.figure()) instanceof Number number
        ? number.doubleValue() / line.unit()
        : 0;
  }

  private static String percent(Difference difference) {
    return Double.isNaN(difference.percent())
        ? difference.absolute() == 0 ? "0.0" : "-"
        : signed(String.format(Locale.ROOT, "%,.1f", difference.percent()));
  }

  /// With a plus in front of what is more, and without a sign where the digits shown are all 0.
  static String signed(String number) {
    boolean zero = number.chars().noneMatch(digit -> digit >= '1' && digit <= '9');
    return zero ? number.replace("-", "") : number.startsWith("-") ? number : "+" + number;
  }
}
