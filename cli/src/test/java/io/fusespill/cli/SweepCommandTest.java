package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.tables.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepCommandTest {

  private static final String SPEC =
      """
      platforms:
        - {name: one, devices: [a10:blocks=300], link: pcie4-16gbps, swap-space: 16}
      models: [vicuna-7b]
      workloads:
        - {name: trace, trace: trace.csv, max-total: 1512}
      rates: [1, 3, inf]
      policies:
        - {policy: vllm-0.2.7, options: {preemption: [swap, recompute]}}
        - {policy: continuous}
      seeds: [7, 8]
      slo: {ttft: {p99: 2s}}
      """;

  @TempDir private Path folder;
  private Path spec;
  private Path out;

  @BeforeEach
  void writeSpecAndTrace() throws IOException {
    spec = Files.writeString(folder.resolve("spec.yaml"), SPEC);
    out = folder.resolve("out");
    Path trace = folder.resolve("trace.csv");
    Cli.run("trace", "generate", "--lengths", "sharegpt", "-n", 60, "--rate", 1, "-o", trace);
  }

  @Test
  void rows_areWhatSimulateDoes() {
    Cli swept = Cli.run("sweep", spec, "--out", out, "--json");
    assertThat(swept.exitCode()).as(swept.err()).isZero();
    assertThat(swept.json().get("rows").asInt()).isEqualTo(18);

    Table table = Table.readParquet(out.resolve("results.parquet"));
    assertThat(table.rows()).hasSize(18);
    List<Object> arguments =
        new ArrayList<>(
            List.of("simulate", "--trace", folder.resolve("trace.csv"), "--max-total", 1512));
    arguments.addAll(List.of("--rate", 3, "--seed", 8, "--model", "vicuna-7b"));
    arguments.addAll(List.of("--device", "a10:blocks=300", "--link", "pcie4-16gbps"));
    arguments.addAll(List.of("--swap-space", 16, "--journal", "none", "--json"));
    arguments.addAll(List.of("--policy", "vllm-0.2.7", "--policy-option", "preemption=recompute"));
    JsonNode simulated = Cli.run(arguments.toArray()).json();
    // Scenarios go rate by rate, policy by policy, seed by seed.
    int row = 6 + 2 + 1;
    assertThat(table.value(row, "policy")).isEqualTo("vllm-0.2.7 preemption=recompute");
    assertThat(table.value(row, "seed")).isEqualTo(8L);
    assertThat(table.value(row, "rate_requests_per_second")).isEqualTo(3.0);
    assertThat(table.value(row, "journal_digest"))
        .isEqualTo(simulated.get("journal_digest").asText());
    assertThat(table.value(row, "preemptions")).isEqualTo(simulated.get("preemptions").asLong());
    assertThat((Double) table.value(row, "ttft_p99_seconds") * 1_000)
        .isEqualTo(simulated.get("p99_ttft_ms").asDouble());
  }

  @Test
  void killedAtAnyMoment_andRunAgain_comesToTheSameTables() throws Exception {
    Path whole = folder.resolve("whole");
    assertThat(Cli.run("sweep", spec, "--out", whole, "--workers", 1).exitCode()).isZero();

    long before = 0;
    for (int kill = 0; kill < 3; kill++) {
      before = killAfterSomeMore(before);
    }
    Cli last = Cli.run("sweep", spec, "--out", out, "--workers", 2, "--json");

    assertThat(last.exitCode()).as(last.err()).isZero();
    assertThat(last.json().get("kept").asLong()).isGreaterThanOrEqualTo(3).isEqualTo(before);
    for (String table : List.of("results.csv", "results.parquet", "failures.csv")) {
      assertThat(out.resolve(table)).hasSameBinaryContentAs(whole.resolve(table));
    }
    Cli again = Cli.run("sweep", spec, "--out", out, "--json");
    assertThat(again.json().get("ran").asInt()).isZero();
    assertThat(out.resolve("results.csv")).hasSameBinaryContentAs(whole.resolve("results.csv"));
  }

  /// Runs the sweep in a process of its own and kills it, with SIGKILL, as soon as it has finished
  /// one more scenario than there were.
  private long killAfterSomeMore(long before) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + Path.of("..", "config", "jvm.flags"),
                "-cp",
                System.getProperty("java.class.path"),
                FuseSpill.class.getName(),
                "sweep",
                spec.toString(),
                "--out",
                out.toString(),
                "--workers",
                "1")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("child.log").toFile())
            .start();
    long finished = before;
    while (finished <= before && process.isAlive()) {
      TimeUnit.MILLISECONDS.sleep(1);
      finished = finished();
    }
    process.destroyForcibly().waitFor();
    assertThat(process.exitValue())
        .as(Files.readString(folder.resolve("child.log")))
        .isEqualTo(128 + 9);
    return finished();
  }

  private long finished() throws IOException {
    Path log = out.resolve("scenarios.log");
    return Files.exists(log) ? Files.readString(log).chars().filter(c -> c == '\n').count() : 0;
  }

  @Test
  void workers_doNotChangeTheTables() throws IOException {
    Cli.run("sweep", spec, "--out", out, "--workers", 1);
    Cli.run("sweep", spec, "--out", folder.resolve("three"), "--workers", 3);

    for (String table : List.of("results.csv", "results.parquet")) {
      assertThat(folder.resolve("three").resolve(table)).hasSameBinaryContentAs(out.resolve(table));
    }
    try (Stream<Path> files = Files.list(out)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "sweep.json", "scenarios.log", "results.csv", "results.parquet", "failures.csv");
    }
  }

  @Test
  void scenarioThatFails_isListedAndTheRestIsThere() throws IOException {
    Files.writeString(spec, SPEC.replace("[vicuna-7b]", "[vicuna-7b, llama-2-70b]"));
    Files.writeString(spec, Files.readString(spec).replace("a10:blocks=300", "a10"));

    Cli cli = Cli.run("sweep", spec, "--out", out);

    assertThat(cli.exitCode()).isEqualTo(1);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.out())
        .contains("36 scenarios: 36 run now, 0 finished before, 18 failed")
        .contains(
            "failed: one / llama-2-70b / trace at 1.0 a second / vllm-0.2.7 preemption=swap (seed 7) and")
        .contains("llama-2-70b does not fit a10");
    assertThat(Files.readAllLines(out.resolve("failures.csv")))
        .hasSize(19)
        .element(0)
        .asString()
        .contains(",workload,rate_requests_per_second,rate_scale_ratio,policy,");
    assertThat(Files.readAllLines(out.resolve("failures.csv")).get(1)).contains(",trace,1.0,,");
    assertThat(Table.readParquet(out.resolve("results.parquet")).rows()).hasSize(18);
    assertThat(Cli.run("sweep", spec, "--out", out, "--json").json().get("failures")).hasSize(18);
  }

  @Test
  void allScenariosFail_saysThatTheTablesAreEmpty() throws IOException {
    Files.writeString(spec, SPEC.replace("vicuna-7b", "llama-2-70b").replace(":blocks=300", ""));

    Cli cli = Cli.run("sweep", spec, "--out", out);

    assertThat(cli.exitCode()).isEqualTo(1);
    assertThat(cli.out()).contains("the tables are empty: no scenario has finished");
    assertThat(Cli.run("pareto", out).errorLines())
        .singleElement()
        .asString()
        .contains("the results are empty");
  }

  /// A trace's own arrivals come to a rate, but only the factor makes them do so again.
  @Test
  void capacityOfATracesOwnArrivals_showsTheFactor() {
    Object[] options = {"--only", "policy=continuous", "--tolerance", 0.5, "--slo", "ttft.p99=20s"};
    String text = search("capacity", options).out();
    List<Object> arguments = new ArrayList<>(List.of(options));
    arguments.add("--json");
    JsonNode row = search("capacity", arguments.toArray()).json().at("/rows/0");

    String head = text.lines().filter(line -> line.contains("requests/s")).findFirst().orElse("");
    assertThat(head.strip()).matches("platform +policy +requests/s +scale +more breaks .*");
    assertThat(text.lines().filter(line -> line.contains(" continuous ")))
        .singleElement()
        .asString()
        .contains(" " + TableText.digits(row.get("rate_scale_ratio").asDouble()) + " ");
  }

  @Test
  void platformWithoutAPrice_isTold() throws IOException {
    Files.writeString(
        spec,
        SPEC.replace("[1, 3, inf]", "[0.5]")
            + "prices: {currency: EUR, source: made up, per-hour: {l4: 2}}\n");
    String note = "platform one has no price: none of a10 is given";

    assertThat(Cli.run("sweep", spec, "--out", out).out()).contains(note);
    assertThat(search("capacity", "--only", "policy=continuous", "--tolerance", 0.5).out())
        .contains(note);
    assertThat(Cli.run("pareto", out, "--latency", "price_per_hour").out())
        .contains("3 configurations without price_per_hour left out, of one");
  }

  @Test
  void skippedRows_areToldByEveryCommand() throws IOException {
    Path trace = folder.resolve("trace.csv");
    Files.writeString(trace, Files.readString(trace) + "999,ten,8\n");
    Files.writeString(
        spec,
        SPEC.replace("max-total: 1512", "skip-invalid: true").replace("[1, 3, inf]", "[0.5]")
            + "prices: {currency: EUR, source: made up, per-hour: {a10: 2}}\n");
    String note = "workload trace: skipped 1 row of the trace, the first: " + trace + ":62: ";

    assertThat(Cli.run("sweep", spec, "--out", out, "--dry-run").out()).contains(note);
    assertThat(Cli.run("sweep", spec, "--out", out).out()).contains(note);
    assertThat(Cli.run("sweep", spec, "--out", out, "--json").json().at("/notes/0").asText())
        .startsWith(note);
    Object[] limits = {"--only", "policy=continuous", "--slo", "ttft.p99=20s"};
    assertThat(search("capacity", limits).out()).contains(note);
    assertThat(search("cheapest", limits).out()).contains(note);
  }

  private Cli search(String command, Object... options) {
    List<Object> arguments = new ArrayList<>(List.of(command, spec));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  @Test
  void folderOfAnotherSweep_isRefusedUnlessForced() throws IOException {
    Cli.run("sweep", spec, "--out", out);
    Files.writeString(spec, SPEC.replace("seeds: [7, 8]", "seeds: [8, 9]"));

    Cli refused = Cli.run("sweep", spec, "--out", out);
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.errorLines())
        .singleElement()
        .asString()
        .contains("holds another sweep, with other scenarios: \"spec\" (18, version");
    JsonNode forced = Cli.run("sweep", spec, "--out", out, "--force", "--json").json();
    assertThat(forced.get("kept").asInt()).isEqualTo(9);
    assertThat(forced.get("ran").asInt()).isEqualTo(9);
  }

  @Test
  void folderOfTheSameSweepWithAnotherTrace_isRefusedAndSaysSo() throws IOException {
    Cli.run("sweep", spec, "--out", out);
    Path trace = folder.resolve("trace.csv");
    Files.writeString(trace, Files.readString(trace).replaceAll("\n.*\n$", "\n"));

    Cli refused = Cli.run("sweep", spec, "--out", out);

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.errorLines())
        .singleElement()
        .asString()
        .contains("holds another sweep, with other scenarios: \"spec\" (18, version")
        .contains("as it was before the specification, a profile or a trace changed; choose");
  }

  @Test
  void otherMetricsAndPrices_areTheSameSweep() throws IOException {
    Cli.run("sweep", spec, "--out", out);
    Files.writeString(
        spec,
        SPEC
            + "metrics: [requests]\nprices: {currency: EUR, source: made up, per-hour: {a10: 2}}\n");

    JsonNode again = Cli.run("sweep", spec, "--out", out, "--json").json();

    assertThat(again.get("ran").asInt()).isZero();
    Table table = Table.readParquet(out.resolve("results.parquet"));
    assertThat(table.schema().names()).doesNotContain("ttft_p99_seconds");
    assertThat(table.value(0, "price_per_hour")).isEqualTo(2.0);
    assertThat((Double) table.value(0, "price_per_million_output_tokens")).isPositive();
  }

  @Test
  void searches_printTablesJsonAndCsv() throws IOException {
    Cli.run("sweep", spec, "--out", out);
    Path csv = folder.resolve("table.csv");

    Cli front = Cli.run("pareto", out, "--csv", csv);
    assertThat(front.exitCode()).as(front.err()).isZero();
    assertThat(front.out()).contains("vicuna-7b, trace").contains("e2e_p99_seconds");
    assertThat(Files.readAllLines(csv).getFirst())
        .startsWith("model,workload,platform,policy,rate_requests_per_second");
    assertThat(Cli.run("pareto", out, "--all", "--json").json().get("rows")).hasSize(9);

    Cli capacity =
        Cli.run("capacity", spec, "--only", "policy=continuous", "--tolerance", 0.2, "--json");
    assertThat(capacity.exitCode()).as(capacity.err()).isZero();
    assertThat(capacity.json().at("/rows/0/verdict").asText()).isEqualTo("found");
    assertThat(capacity.json().get("slo").asText()).isEqualTo("ttft.p99=2s");
    Cli text = Cli.run("capacity", spec, "--only", "policy=continuous", "--slo", "ttft.p99=30s");
    assertThat(text.out())
        .contains("highest rate that keeps ttft.p99=30s")
        .contains("simulated, with step times of the roofline model");
  }

  @Test
  void cheapest_needsPrices() throws IOException {
    Path prices =
        Files.writeString(
            folder.resolve("prices.yaml"), "{currency: USD, source: a test, per-hour: {a10: 1.5}}");
    Files.writeString(spec, SPEC.replace("rates: [1, 3, inf]", "rates: [0.5]"));
    List<Object> command =
        new ArrayList<>(List.of("cheapest", spec, "--only", "policy=continuous"));
    command.addAll(List.of("--slo", "ttft.p99=20s", "--max-replicas", 4));

    assertThat(Cli.run(command.toArray()).errorLines())
        .singleElement()
        .asString()
        .contains("has no prices, and none come with the program");
    command.addAll(List.of("--prices", prices));
    Cli cheapest = Cli.run(command.toArray());
    assertThat(cheapest.exitCode()).as(cheapest.err()).isZero();
    assertThat(cheapest.out())
        .contains("vicuna-7b, trace, 0.5000 requests/s")
        .contains("USD/h")
        .contains("prices in USD: a test");
  }

  @Test
  void badInput_isNamedWithCode2() throws IOException {
    assertBad("no file", "sweep", folder.resolve("none.yaml"));
    assertBad("--workers is 0, must be 1 to", "sweep", spec, "--out", out, "--workers", 0);
    assertBad("unknown engine \"spakr\"", "sweep", spec, "--engine", "spakr");
    assertBad("is not for engine local", "sweep", spec, "--master", "spark://x:1");
    assertBad("--slo: 'ttft' must be METRIC", "sweep", spec, "--slo", "ttft");
    assertBad("holds no sweep but spec.yaml", "sweep", spec, "--out", folder);
    assertBad("is a file, must be a folder", "sweep", spec, "--out", spec);
    assertBad("holds no sweep: name the folder", "pareto", folder);
    assertBad("no folder", "pareto", folder.resolve("gone"));
    assertBad("cannot be read as Parquet", "pareto", spec);
    assertBad("--tolerance is 2.0, must be 0.0005 to 1", "capacity", spec, "--tolerance", 2);
    assertBad(
        "cannot write /none/a.csv: there is no folder /none",
        "capacity",
        spec,
        "--csv",
        "/none/a.csv");
    assertBad("is what is read", "capacity", spec, "--csv", spec, "--force");
    assertBad("is what is read", "capacity", spec, "--csv", folder.resolve("trace.csv"), "--force");
    assertBad("is what is read", "cheapest", spec, "--csv", spec, "--force");
    assertBad("did you mean one?", "capacity", spec, "--only", "platform=oen");
    assertBad("--max-replicas is 0, must be 1 to", "cheapest", spec, "--max-replicas", 0);
    Cli.run("sweep", spec, "--out", out);
    Path held = out.resolve("results.csv");
    assertBad("results.csv exists: choose another file", "capacity", spec, "--csv", held);
    assertBad("results.csv exists: choose another file", "pareto", out, "--csv", held);
    assertBad("did you mean e2e_p99_seconds", "pareto", out, "--latency", "e2e_p99_second");
    assertBad("stands on both sides", "pareto", out, "--throughput", "e2e_p99_seconds");
    assertBad(
        "is part of what is compared", "pareto", out, "--throughput", "rate_requests_per_second");
    Files.delete(out.resolve("results.parquet"));
    assertBad("holds a sweep that is not finished", "pareto", out);
    Files.writeString(spec, SPEC.replace("trace.csv", "gone.csv"));
    assertBad("gone.csv", "sweep", spec, "--out", folder.resolve("other"));
  }

  private static void assertBad(String message, Object... command) {
    Cli cli = Cli.run(command);
    assertThat(cli.exitCode()).as(cli.out() + cli.err()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains(message);
  }
}
