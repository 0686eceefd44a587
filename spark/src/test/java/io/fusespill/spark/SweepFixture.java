package io.fusespill.spark;

import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sweep.ScenarioResult;
import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.sweep.SweepEngine;
import io.fusespill.sweep.SweepPlan;
import io.fusespill.sweep.SweepRows;
import io.fusespill.sweep.SweepSpec;
import io.fusespill.sweep.SweepTask;
import io.fusespill.sweep.TraceCache;
import io.fusespill.tables.TableFormat;
import io.fusespill.tables.TableWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// A sweep of a hundred small scenarios, with a trace and a topology in files of their own.
final class SweepFixture {

  private static final String SPEC =
      """
      platforms:
        - {name: one, devices: ["%s:blocks=300"], link: pcie4-16gbps, swap-space: 16}
      models: [vicuna-7b]
      workloads:
        - {name: trace, trace: trace.csv}
        - {name: drawn, lengths: sharegpt, max-prompt: 1024, max-total: 1512, requests: 30}
      rates: [1, 2, 4, 8, inf]
      policies:
        - {policy: vllm-0.2.7, options: {preemption: swap}}
        - {policy: fusespill}
      seeds: [%s]
      slo:
        ttft: {p99: 2s}
      """;

  final SweepPlan plan;
  final SweepRows rows;
  private final TraceCache traces = new TraceCache();
  private final Path folder;

  /// @param seeds of 20 scenarios each
  SweepFixture(Path folder, int requests, String seeds) throws IOException {
    this.folder = folder;
    StringBuilder trace = new StringBuilder("prompt_len,output_len,arrived_at\n");
    for (int i = 0; i < requests; i++) {
      trace.append("%d,%d,%d\n".formatted(100 + 13 * (i % 50), 50 + 7 * (i % 40), i));
    }
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("trace.csv"), trace);
    Path card = folder.resolve("card.json");
    try (InputStream a10 =
        HardwareProfiles.class.getResourceAsStream("/io/fusespill/sim/hardware/a10.json")) {
      Files.write(card, a10.readAllBytes());
    }
    SweepSpec spec =
        SweepSpec.read(Files.writeString(folder.resolve("spec.yaml"), SPEC.formatted(card, seeds)));
    plan = SweepPlan.of(spec, traces);
    rows = SweepRows.of(spec);
  }

  /// Runs the sweep in a folder of this name.
  ///
  /// @param ended hears how many have, after each
  Run run(SweepEngine engine, String name, String master, Consumer<Integer> ended)
      throws IOException {
    Path directory = Files.createDirectories(folder.resolve(name));
    Map<String, ScenarioResult> results = new ConcurrentHashMap<>();
    List<String> twice = new ArrayList<>();
    AtomicLong requests = new AtomicLong();
    engine.run(
        new SweepEngine.Job(plan.distinct(), 2, master, traces, directory, rows),
        new SweepEngine.Listener() {
          @Override
          public void progress(long ended) {
            requests.addAndGet(ended);
          }

          @Override
          public void result(ScenarioResult result) {
            if (results.put(result.key(), result) != null) {
              twice.add(result.key());
            }
            ended.accept(results.size());
          }
        });
    return new Run(directory, results, twice, requests.get());
  }

  /// Takes the sweep's files away, or puts them back.
  void moveFiles(boolean away) {
    Path hidden = folder.resolve("hidden");
    try {
      Files.createDirectories(hidden);
      for (String name : List.of("trace.csv", "card.json")) {
        Files.move((away ? folder : hidden).resolve(name), (away ? hidden : folder).resolve(name));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// What a run told.
  ///
  /// @param twice keys that it told more than once
  record Run(
      Path directory, Map<String, ScenarioResult> results, List<String> twice, long requests) {}

  /// The rows of a run in one file, in the order of the plan.
  Path table(Run run) {
    Path file = run.directory().resolve("results.parquet");
    try (TableWriter writer =
        TableFormat.PARQUET.create(file, rows.schema(), rows.metadata("test"))) {
      for (SweepTask task : plan.tasks()) {
        if (run.results().get(task.key()) instanceof Finished finished) {
          writer.write(rows.row(task, finished));
        }
      }
      writer.finish();
    }
    return file;
  }

  /// The rows of two tables, either of them one file or several, that are not in both; and which
  /// columns differ in name or type.
  static List<String> differences(String one, String other) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      String each = "SELECT * FROM read_parquet('%s')";
      String columns = "SELECT column_name, column_type FROM (DESCRIBE %s)".formatted(each);
      for (String query : List.of(columns, each)) {
        String left = query.formatted(one);
        String right = query.formatted(other);
        for (String minus : List.of("%s EXCEPT ALL %s", "%2$s EXCEPT ALL %1$s")) {
          try (ResultSet result = statement.executeQuery(minus.formatted(left, right))) {
            while (result.next()) {
              found.add(result.getString(1) + " " + result.getString(2));
            }
          }
        }
      }
    }
    return found;
  }

  static long rowsOf(String files) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT count(*) FROM read_parquet('%s')".formatted(files))) {
      result.next();
      return result.getLong(1);
    }
  }
}
