package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// From one live run to simulations of other policies, pools and requests on its machine.
@Timeout(180)
class CalibratedMachineCommandTest {

  @TempDir private static Path folder;

  private static Path run = Path.of("");
  private static Path profile = Path.of("");
  private static final Path MODEL = TinyModel.LLAMA_2.resolve("config.json");

  @BeforeAll
  static void runAndCalibrate() {
    run = folder.resolve("live");
    profile = folder.resolve("p.json");
    succeed(
        "bench",
        "throughput",
        "--model",
        TinyModel.LLAMA_2,
        "--device",
        "host:threads=1,blocks=20",
        "--aux",
        "host:threads=1,blocks=20",
        "--swap-space",
        "0.01",
        "--policy",
        "fusespill",
        "--max-num-seqs",
        "8",
        "--num-prompts",
        "48",
        "--input-len",
        "24",
        "--output-len",
        "32",
        "-o",
        run);
    succeed("calibrate", run, "-o", profile);
  }

  private static Cli succeed(Object... arguments) {
    Cli cli = Cli.run(arguments);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli;
  }

  private static JsonNode whatIf(Path target, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("whatif", target, "--json"));
    arguments.addAll(List.of(more));
    return succeed(arguments.toArray()).json();
  }

  private static void assertOneLine(String part, Object... arguments) {
    Cli cli = Cli.run(arguments);
    assertThat(cli.exitCode()).as(cli.out()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains(part);
  }

  @Test
  void simulate_takesOtherRequestsPolicyAndPool() throws IOException {
    Path trace =
        Files.writeString(
            folder.resolve("t.csv"), "prompt_len,output_len\n40,30\n60,20\n90,50\n30,40\n");
    Path out = folder.resolve("simulated");
    succeed(
        "simulate",
        "--trace",
        trace,
        "--model",
        MODEL,
        "--device",
        "host:threads=1,blocks=16",
        "--policy",
        "continuous",
        "--time-model",
        profile,
        "-o",
        out);

    assertThat(RunDirectory.summaryOf(out).path("completed").asInt()).isEqualTo(4);
    succeed("verify", out);
    assertThat(whatIf(out).path("reproduced").asBoolean()).isTrue();
  }

  /// The same machine and beliefs as `compare` has, so the same simulation.
  @Test
  void whatIf_keepsTheMachineOfTheJournal() {
    JsonNode compared = succeed("compare", run, "--profile", profile, "--json").json();
    JsonNode same = whatIf(run, "--time-model", profile);
    JsonNode other = whatIf(run, "--time-model", profile, "--policy", "continuous");

    for (JsonNode json : List.of(same, other)) {
      assertThat(json.path("baseline_simulated").path("output_throughput").asDouble())
          .isEqualTo(
              compared.path("figures").path("output_throughput").path("simulated").asDouble());
    }
    assertThat(same.path("alternative")).isEqualTo(same.path("baseline_simulated"));
    assertThat(other.path("alternative_policy").asText()).isEqualTo("continuous");
    assertThat(other.path("alternative").path("completed").asInt()).isEqualTo(48);
    assertThat(other.path("time_model").asText()).isEqualTo("p.json");
  }

  @Test
  void whatIf_ofAnotherPool_isHeldAgainstTheRunsOwnSimulation() {
    JsonNode json = whatIf(run, "--time-model", profile, "--device", "host:threads=1,blocks=90");

    assertThat(json.path("baseline_simulated").isObject()).isTrue();
    assertThat(json.path("alternative").path("completed").asInt()).isEqualTo(48);
  }

  @Test
  void whatIf_leavesARunThatIsAskedAgain() {
    Path out = folder.resolve("alternative");
    JsonNode first = whatIf(run, "--time-model", profile, "--policy", "continuous", "--out", out);
    JsonNode again = whatIf(out, "--policy", "fusespill");

    succeed("verify", out);
    succeed("explain", out);
    assertThat(again.path("reproduced").asBoolean()).isTrue();
    assertThat(again.path("baseline_digest")).isEqualTo(first.path("alternative_digest"));
  }

  @Test
  void whatIf_fromAPosition_goesOnOnTheMachine() {
    Path out = folder.resolve("branch");
    JsonNode json =
        whatIf(run, "--from", 200, "--time-model", profile, "--policy", "continuous", "--out", out);

    String shared = "0.." + json.path("branch").path("behind_position").asInt();
    assertThat(succeed("dump", out, "--range", shared).out())
        .isEqualTo(succeed("dump", run, "--range", shared).out());
    assertThat(json.path("time_model").asText()).isEqualTo("p.json");
    succeed("verify", out);
    assertThat(whatIf(out, "--from", 300, "--policy", "vllm-0.2.7").path("branch").isObject())
        .isTrue();
  }

  /// All that the options say is in the journal, but for the model's shape.
  @Test
  void whatIf_ofAJournalAlone_isThatOfTheRun() throws IOException {
    Path alone = Files.createDirectories(folder.resolve("alone"));
    try (Stream<Path> files = Files.list(run.resolve("journal"))) {
      for (Path file : files.toList()) {
        Files.copy(file, alone.resolve(file.getFileName()));
      }
    }
    for (String policy : List.of("fusespill", "continuous", "vllm-0.2.7")) {
      assertThat(
              whatIf(alone, "--policy", policy, "--time-model", profile, "--model", MODEL)
                  .path("alternative"))
          .isEqualTo(whatIf(run, "--policy", policy, "--time-model", profile).path("alternative"));
    }
    assertThat(whatIf(alone, "--device", "a10", "--model", MODEL).path("alternative"))
        .isEqualTo(whatIf(run, "--device", "a10").path("alternative"));
    assertOneLine(
        "give the path of its config.json with --model",
        "whatif",
        alone,
        "--policy",
        "continuous",
        "--time-model",
        profile);
    assertOneLine("--time-model", "whatif", alone, "--policy", "continuous");
    for (String command : List.of("verify", "explain", "compare", "inspect")) {
      succeed(command, alone);
    }
    succeed("report", alone, "-o", folder.resolve("alone.html"));
    succeed("charts", alone, "-o", folder.resolve("charts"));
    succeed("export", alone, "--to", "csv", "-o", folder.resolve("csv"));
    assertOneLine("is not the folder of a run", "resume", alone);
  }

  @Test
  void wrongInput_isOneLineAnd2() {
    assertOneLine(
        "with --time-model, or another machine with --device",
        "whatif",
        run,
        "--policy",
        "continuous");
    assertOneLine(
        "--swap-space is part of a machine",
        "whatif",
        run,
        "--time-model",
        profile,
        "--swap-space",
        "1");
    assertOneLine("blocks of 8", "whatif", run, "--time-model", profile, "--block-size", "8");
    assertOneLine(
        "--swap-space cannot change in the middle of a run",
        "whatif",
        run,
        "--from",
        "200",
        "--time-model",
        profile,
        "--swap-space",
        "1");
  }
}
