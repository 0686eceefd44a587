package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Figures on the command line, of two runs and of a grid.
class ChartsCommandTest {

  @TempDir private static Path folder;

  private static Path results;

  @BeforeAll
  static void simulate() throws IOException {
    Path trace = folder.resolve("trace.csv");
    Cli.run("trace", "generate", "--lengths", "sharegpt", "-n", 60, "--rate", 4, "-o", trace);
    for (String policy : List.of("continuous", "fusespill")) {
      Cli run =
          Cli.run(
              "simulate",
              "--trace",
              trace,
              "--model",
              "vicuna-7b",
              "--device",
              "a10:blocks=200",
              "--host",
              "xeon-8358p",
              "--policy",
              policy,
              "--out",
              folder.resolve(policy));
      assertThat(run.exitCode()).as(run.err()).isZero();
    }
    Path spec =
        Files.writeString(
            folder.resolve("grid.yaml"),
            """
            platforms:
              - {name: one, devices: [a10:blocks=300], link: pcie4-16gbps, swap-space: 16}
            models: [vicuna-7b]
            workloads:
              - {name: few, trace: trace.csv, limit: 20}
              - {name: more, trace: trace.csv, limit: 40}
            policies:
              - {name: swap, policy: vllm-0.2.7, options: {preemption: swap}, baseline: true}
              - {name: continuous, policy: continuous}
            """);
    results = folder.resolve("grid.csv");
    Cli grid = Cli.run("evaluate", spec, "--csv", results, "--charts", folder.resolve("evaluated"));
    assertThat(grid.exitCode()).as(grid.err()).isZero();
  }

  private static Cli charts(Object... arguments) {
    List<Object> all = new ArrayList<>(List.of("charts"));
    all.addAll(Arrays.asList(arguments));
    return Cli.run(all.toArray());
  }

  private static List<String> files(Path of) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void runs_areComparedAndDrawnOneByOne() throws IOException {
    Path out = folder.resolve("runs");
    Cli drawn =
        charts(
            folder.resolve("continuous"),
            folder.resolve("fusespill"),
            "-o",
            out,
            "--format",
            "svg");

    assertThat(drawn.exitCode()).as(drawn.err()).isZero();
    assertThat(drawn.out()).contains("Latency distributions", "10 figures in ");
    assertThat(files(out))
        .contains(
            "figures.json",
            "throughput.svg",
            "throughput.csv",
            "latency.svg",
            "kv-continuous.svg",
            "kv-fusespill.svg",
            "utilisation-fusespill.svg",
            "lives-fusespill.csv",
            "step-time-fusespill.svg",
            "remaining-length-fusespill.svg")
        .doesNotContain("step-time-continuous.svg", "throughput.png");
  }

  @Test
  void chosenFigure_inBothThemes() throws IOException {
    Path out = folder.resolve("chosen");
    Cli drawn =
        charts(
            folder.resolve("fusespill"),
            "-o",
            out,
            "--figure",
            "kv,lives",
            "--theme",
            "light,dark",
            "--format",
            "png",
            "--window",
            "2..6",
            "--width",
            "12cm",
            "--dpi",
            100,
            "--sequences",
            8);

    assertThat(drawn.exitCode()).as(drawn.err()).isZero();
    assertThat(files(out))
        .containsExactly(
            "figures.json",
            "kv-dark.png",
            "kv.csv",
            "kv.png",
            "lives-dark.png",
            "lives.csv",
            "lives.png");
    assertThat(Files.readAllLines(out.resolve("kv.csv")).get(1)).startsWith("2,2.00");
  }

  @Test
  void results_areDrawnAsTheySuit() throws IOException {
    Path out = folder.resolve("results");
    assertThat(charts(results, "-o", out).exitCode()).isZero();
    assertThat(files(out))
        .contains("throughput.png", "heatmap.svg", "pareto-few.csv", "pareto-more.png");
    assertThat(files(folder.resolve("evaluated"))).isEqualTo(files(out));
    assertThat(folder.resolve("evaluated/heatmap.csv"))
        .hasSameTextualContentAs(out.resolve("heatmap.csv"));
  }

  @Test
  void figuresOfASweep_mayLieInItsFolder() throws IOException {
    Path sweep = Files.createDirectories(folder.resolve("sweep"));
    Files.copy(results, sweep.resolve("results.csv"));
    Cli cli = charts(sweep, "-o", sweep.resolve("figures"));
    assertThat(cli.exitCode()).as(cli.err()).isZero();
  }

  @Test
  void fileOfResults_isNotReplacedByAFigure() throws IOException {
    Path own = Files.createDirectories(folder.resolve("own"));
    Path input = Files.copy(results, own.resolve("throughput.csv"));
    Cli cli = charts(input, "-o", own);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err()).contains("throughput.csv is what is read: choose another file");
    assertThat(input).hasSameTextualContentAs(results);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          RUN --figure nope                | no figure 'nope': there are throughput, latency, kv,
          RUN --figure pareto              | figure 'pareto' is drawn from results of many runs
          CSV --figure kv                  | figure 'kv' is drawn from runs, and
          PLAIN --figure step-time         | nothing to draw in figure 'step-time': it needs a policy that estimates costs
          RUN --figure kv --window 900..   | nothing to draw in figure 'kv': it needs some time in --window
          GONE                             | gone: no such directory, so no journal
          RUN RUN                          | a run is given twice
          RUN CSV                          | is a file of results, and figures are of one such file or of runs
          RUN --width 1in                  | --width is 1in, must be 2.5in to 20in
          RUN --width wide                 | --width is 'wide', must be a number with in, cm, mm or pt
          RUN --theme blue                 | --theme is 'blue', must be light or dark
          RUN --format pdf                 | --format is 'pdf', must be png or svg
          RUN --dpi 9                      | --dpi is 9, must be 36 to 1,200
          RUN --window 5                   | --window is '5', must be FROM..TO in seconds
          RUN --window 5..5                | --window is '5..5', must end after it begins
          RUN --sequences 0                | --sequences is 0, must be 1 to 1,000
          RUN --x policy                   | --x is for figures of results: leave it away
          CSV --window 1..2                | --window is for figures of runs: leave it away
          CSV --only policy=none           | column 'policy' never is 'none': it is swap, continuous
          CSV --only policy                | --only is 'policy', must be COLUMN=VALUE
          CSV --figure heatmap --x nope    | no column 'nope': there are platform, model
          EMPTY                            | empty.csv: holds no results
          TEXT                             | grid.yaml: is no CSV of results: line 2: Too many entries: expected at most 1
          BINARY                           | results.parquet is Parquet, and figures are drawn from CSV: give
          --figure kv                      | no INPUT: name run directories or a CSV file of results
          """)
  void whatCannotBeDrawn_isSaidInOneLine(String line, String message) throws IOException {
    Files.writeString(folder.resolve("empty.csv"), "policy,seed\n");
    Files.write(folder.resolve("results.parquet"), new byte[] {'P', 'A', 'R', '1', (byte) 0xff});
    List<Object> arguments = new ArrayList<>(List.of("-o", folder.resolve("never")));
    for (String word : line.split(" ")) {
      arguments.add(
          switch (word) {
            case "RUN" -> folder.resolve("fusespill");
            case "PLAIN" -> folder.resolve("continuous");
            case "CSV" -> results;
            case "GONE" -> folder.resolve("gone");
            case "EMPTY" -> folder.resolve("empty.csv");
            case "TEXT" -> folder.resolve("grid.yaml");
            case "BINARY" -> folder.resolve("results.parquet");
            default -> word;
          });
    }
    Cli refused = charts(arguments.toArray());

    assertThat(refused.exitCode()).as(refused.err()).isEqualTo(2);
    assertThat(refused.err().strip())
        .startsWith("fusespill: ")
        .contains(message)
        .doesNotContain("\n", "value #");
    assertThat(folder.resolve("never")).doesNotExist();
  }
}
