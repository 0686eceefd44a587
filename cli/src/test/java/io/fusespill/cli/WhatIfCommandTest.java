package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Alternatives to runs that happened: the same again decision for decision, and what a fresh
/// simulation of the alternative comes to.
class WhatIfCommandTest {

  @TempDir private Path folder;

  static Stream<Arguments> runs() {
    return Stream.of(
        arguments(
            "swap, cancellations and faults",
            List.of("--policy", "vllm-0.2.7", "--policy-option", "preemption=swap"),
            List.of("--faults", "cancel=0.2,step=0.005")),
        arguments(
            "drawn arrivals, and rejected requests",
            List.of("--policy", "continuous"),
            List.of("--rate", "8", "--burstiness", "0.5", "--max-model-len", "500")),
        arguments(
            "samples, checkpoints",
            List.of("--policy", "vllm-0.2.7"),
            List.of("--samples", "3", "--checkpoint-every", "500")),
        arguments(
            "host and disk",
            List.of("--policy", "fusespill"),
            List.of("--swap-space", "0.5", "--disk", "20", "--faults", "cancel=0.1")),
        arguments(
            "true lengths as hints",
            List.of("--policy", "fusespill-artifact"),
            List.of("--aux", "a10:blocks=200", "--faults", "cancel=0.1")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("runs")
  void ownConfiguration_reproducesTheDecisions(
      String name, List<String> policy, List<String> common) throws IOException {
    JsonNode recorded = simulate("run", policy, common);
    JsonNode again = whatIf("run");
    assertThat(again.get("reproduced").asBoolean()).isTrue();
    assertThat(again.get("alternative_digest")).isEqualTo(recorded.get("journal_digest"));
    assertThat(again.get("baseline_digest")).isEqualTo(recorded.get("journal_digest"));
    assertThat(again.get("differences").get("duration").get("absolute").asDouble()).isZero();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("runs")
  void journalAlone_reproducesTheDecisions(String name, List<String> policy, List<String> common)
      throws IOException {
    JsonNode recorded = simulate("run", policy, common);
    JsonNode again = whatIf("run/journal");
    assertThat(again.get("alternative_digest")).isEqualTo(recorded.get("journal_digest"));
  }

  @Test
  void oracleOfLengthsThatNobodyKnows_isNoted() throws IOException {
    simulate("run", List.of(), List.of("--faults", "cancel=0.5", "--rate", "inf"));
    String note = "the oracle is told the lengths that are taken for these";
    assertThat(Cli.run("whatif", folder.resolve("run/journal"), "--predictor", "oracle").out())
        .contains("not served to the end", note);
    assertThat(Cli.run("whatif", folder.resolve("run"), "--predictor", "oracle").out())
        .doesNotContain(note);
  }

  @Test
  void journalAloneOfUnknownProfiles_asksForTheWholeMachine() throws IOException {
    Path host = folder.resolve("host.json");
    try (InputStream xeon =
        HardwareProfiles.class.getResourceAsStream("/io/fusespill/sim/hardware/xeon-8358p.json")) {
      String profile = new String(xeon.readAllBytes(), StandardCharsets.UTF_8);
      Files.writeString(host, profile.replace("\"xeon-8358p\"", "\"mine\""));
    }
    simulate("run", List.of("--policy", "fusespill"), List.of("--host", host.toString()));
    assertOneLine(
        Cli.run("whatif", folder.resolve("run/journal")),
        List.of("unknown hardware \"mine\"", "--device and --host, or with --topology"));
    whatIf("run/journal", "--device", "a10:blocks=400", "--host", host);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("runs")
  void anotherPolicy_isWhatAFreshSimulationComesTo(
      String name, List<String> policy, List<String> common) throws IOException {
    simulate("run", policy, common);
    for (List<String> other :
        List.of(
            List.of("--policy", "continuous", "--policy-option", "reserve-prompt=true"),
            List.of("--policy", "fusespill"),
            List.of("--policy", "vllm-0.2.7", "--policy-option", "preemption=recompute"))) {
      JsonNode fresh = simulate("fresh", other, common);
      JsonNode alternative = whatIf("run", other.toArray());
      assertThat(alternative.get("alternative_digest"))
          .as(other.toString())
          .isEqualTo(fresh.get("journal_digest"));
      assertThat(alternative.get("alternative").get("duration")).isEqualTo(fresh.get("duration"));
      assertThat(alternative.get("reproduced").asBoolean()).isTrue();
    }
  }

  @Test
  void rateDeviceAndModel_areWhatAFreshSimulationComesTo() throws IOException {
    List<String> policy = List.of("--policy", "continuous");
    simulate("run", policy, List.of("--faults", "cancel=0.1"));
    JsonNode fresh =
        simulate("fresh", policy, List.of("--faults", "cancel=0.1", "--rate-scale", "2"));
    JsonNode faster = whatIf("run", "--rate-scale", "2");
    assertThat(faster.get("alternative_digest")).isEqualTo(fresh.get("journal_digest"));
    List<Object> device =
        List.of("--device", "rtx-4090", "--model", "llama-3.1-8b", "--policy", "continuous");
    List<Object> arguments =
        new ArrayList<>(List.of("simulate", "--trace", sample(), "--limit", "150", "--json"));
    arguments.addAll(List.of("--journal", "none", "--faults", "cancel=0.1"));
    arguments.addAll(device);
    assertThat(whatIf("run", device.toArray()).get("alternative_digest"))
        .isEqualTo(Cli.run(arguments.toArray()).json().get("journal_digest"));
  }

  @Test
  void oneDeviceInThePlaceOfLinkedOnes_leavesTheirLinksBehind() throws IOException {
    simulate(
        "run",
        List.of("--policy", "continuous"),
        List.of("--device", "a10:blocks=400", "--peer-link", "pcie4"));

    assertThat(whatIf("run").get("reproduced").asBoolean()).isTrue();
    assertThat(whatIf("run", "--device", "rtx-4090").get("reproduced").asBoolean()).isTrue();
    assertThat(
            Cli.run("whatif", folder.resolve("run"), "--device", "rtx-4090", "--peer-link", "pcie4")
                .err())
        .contains("--peer-link joins devices");
  }

  @Test
  void damagedOptions_areNamedAndNotNeeded() throws IOException {
    JsonNode recorded = simulate("run", List.of("--policy", "continuous"), List.of());
    Path options = folder.resolve("run/options.json");
    Files.writeString(options, Files.readString(options).substring(0, 20));
    assertOneLine(
        Cli.run("whatif", folder.resolve("run")), List.of(options + " is not JSON: delete it"));
    Files.delete(options);
    assertThat(whatIf("run").get("alternative_digest")).isEqualTo(recorded.get("journal_digest"));
  }

  @Test
  void otherRequests_areNoted() throws IOException {
    simulate("run", List.of("--policy", "continuous"), List.of());
    String note = "the two did not serve the same requests";
    for (List<String> reshaped : List.of(List.of("--limit", "50"), List.of("--samples", "2"))) {
      assertThat(whatIf("run", reshaped.toArray()).get("notes").toString())
          .as(reshaped.toString())
          .contains(note);
    }
    for (List<String> same : List.of(List.of("--limit", "150"), List.of("--rate-scale", "2"))) {
      assertThat(whatIf("run", same.toArray()).get("notes").toString())
          .as(same.toString())
          .doesNotContain(note);
    }
    assertThat(Cli.run("whatif", folder.resolve("run"), "--limit", "50").out()).contains(note);
  }

  @Test
  void out_isARunThatVerifiesAndCanBeAskedAgain() throws IOException {
    simulate("run", List.of("--policy", "continuous"), List.of());
    JsonNode first = whatIf("run", "--policy", "fusespill", "--out", folder.resolve("other"));
    assertThat(Cli.run("verify", folder.resolve("other")).exitCode()).isZero();
    assertThat(Cli.run("explain", folder.resolve("other")).exitCode()).isZero();
    assertThat(Files.readAllLines(folder.resolve("other/requests.csv"))).hasSize(151);
    JsonNode again = whatIf("other");
    assertThat(again.get("reproduced").asBoolean()).isTrue();
    assertThat(again.get("baseline_digest")).isEqualTo(first.get("alternative_digest"));
    Cli twice =
        Cli.run(
            "whatif",
            folder.resolve("run"),
            "--policy",
            "fusespill",
            "--out",
            folder.resolve("other"));
    assertThat(twice.exitCode()).isEqualTo(2);
    assertThat(twice.err()).contains("--force");
  }

  @Test
  void out_isNeverTheRunItself() throws IOException {
    simulate("run", List.of("--policy", "continuous"), List.of());
    Path run = folder.resolve("run");
    for (List<Object> more : List.<List<Object>>of(List.of(), List.of("--from", "100"))) {
      for (Path target : List.of(run, run.resolve("journal"))) {
        List<Object> command = new ArrayList<>(List.of("whatif", target, "--policy", "fusespill"));
        command.addAll(List.of("--out", run, "--force"));
        command.addAll(more);
        Cli cli = Cli.run(command.toArray());
        assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
        assertThat(cli.err()).contains("is what the alternative is held against");
      }
    }
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  @Test
  void runOfTheWallClock_isComparedWithItsOwnSimulation() throws IOException {
    Path trace =
        Files.writeString(
            folder.resolve("t.csv"), "prompt_len,output_len\n200,9\n300,4\n100,7\n500,3\n");
    Cli run =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=60",
            "--policy",
            "vllm-0.2.7",
            "--real-time",
            "--out",
            folder.resolve("run"));
    assertThat(run.exitCode()).as(run.err()).isZero();
    JsonNode alternative = whatIf("run", "--policy", "continuous");
    assertThat(alternative.get("reproduced").asBoolean()).isFalse();
    assertThat(alternative.get("baseline_simulated").get("completed").asInt()).isEqualTo(4);
    assertThat(alternative.get("alternative").get("total_output_tokens").asInt()).isEqualTo(23);
  }

  @Test
  void trace_isComparedWithWhatSimulateDoesByDefault() throws IOException {
    JsonNode baseline = simulate("base", List.of(), List.of());
    JsonNode other = simulate("other", List.of("--policy", "fusespill"), List.of());
    Cli cli =
        Cli.run(
            "whatif",
            sample(),
            "--limit",
            "150",
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=400",
            "--policy",
            "fusespill",
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.json().get("baseline_digest")).isEqualTo(baseline.get("journal_digest"));
    assertThat(cli.json().get("alternative_digest")).isEqualTo(other.get("journal_digest"));
  }

  @Test
  void text_saysThatItIsASimulationAndWhichModelTellsTheTimes() throws IOException {
    simulate("run", List.of("--policy", "vllm-0.2.7"), List.of());
    Cli cli = Cli.run("whatif", folder.resolve("run"), "--policy", "continuous");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .contains("SIMULATED, not measured. Step times: roofline of a10")
        .contains("recorded vllm-0.2.7  what if continuous")
        .contains("the recorded run is reproduced")
        .containsPattern("p99 ITL, ms +[0-9.,]+ +[0-9.,]+ +[+-][0-9.,]+ +[+-][0-9.,]+\n");
  }

  @Test
  void from_isABranchWithTheRunsOwnPrefixThatVerifies() throws IOException {
    simulate(
        "run",
        List.of("--policy", "fusespill"),
        List.of("--swap-space", "0.5", "--disk", "20", "--faults", "cancel=0.1,step=0.005"));
    for (int from : List.of(0, 1, 777, 2_500, 4_001)) {
      for (String policy : List.of("vllm-0.2.7", "continuous", "fusespill")) {
        Path branch = folder.resolve("branch");
        JsonNode json =
            whatIf("run", "--from", from, "--policy", policy, "--out", branch, "--force");
        assertThat(json.get("reproduced").asBoolean()).isTrue();
        int behind = json.get("branch").get("behind_position").asInt();
        assertThat(behind).isGreaterThanOrEqualTo(from);
        String range = "0.." + behind;
        assertThat(Cli.run("dump", branch, "--range", range).out())
            .isEqualTo(Cli.run("dump", folder.resolve("run"), "--range", range).out());
        assertThat(Cli.run("dump", branch, "--kind", "ConfigurationChanged").out().lines())
            .singleElement()
            .asString()
            .startsWith("{\"position\":" + (behind + 1) + ",")
            .contains("\"name\":\"" + policy + "\"");
        Cli verified = Cli.run("verify", branch);
        assertThat(verified.exitCode()).as(verified.out()).isZero();
        assertThat(Cli.run("explain", branch).exitCode()).isZero();
        assertThat(Cli.run("inspect", branch, "--at", behind + 5).exitCode()).isZero();
      }
    }
  }

  @Test
  void fromATime_isTheLastEventBeforeIt() throws IOException {
    simulate("run", List.of(), List.of());
    JsonNode json = whatIf("run", "--from", "2.5s", "--policy", "fusespill");
    assertThat(json.get("branch").get("at_nanos").asLong()).isBetween(1L, 2_500_000_000L);
  }

  @Test
  void branchThatCannotBe_isOneLineThatSaysWhy() throws IOException {
    simulate("run", List.of("--policy", "continuous"), List.of());
    assertOneLine(branch("99999999"), List.of("99999999", "last position"));
    assertOneLine(branch("x"), List.of("'x'", "12.5s"));
    assertOneLine(branch("500", "--device", "l4"), List.of("--device", "middle of a run"));
    assertOneLine(branch("500", "--rate-scale", "2"), List.of("--rate-scale"));
    assertOneLine(branch("500", "--max-num-seqs", "1"), List.of("max-num-seqs is 1", "a10"));
    assertOneLine(branch("500", "--policy", "fusespill-artifact"), List.of("oracle", "predictor"));
    assertOneLine(branch("500", "--policy", "vllm-0.2.7", "--depth", "2"), List.of("depth is 2"));
    assertThat(folder.resolve("branch")).doesNotExist();
    assertOneLine(Cli.run("whatif", sample(), "--from", "5"), List.of("is a trace"));
  }

  private Cli branch(String from, String... options) {
    List<Object> arguments =
        new ArrayList<>(List.of("whatif", folder.resolve("run"), "--from", from));
    arguments.addAll(List.of("--out", folder.resolve("branch")));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  static Stream<Arguments> badInput() {
    return Stream.of(
        arguments(List.of("--policy", "vllm-0.2.8"), List.of("vllm-0.2.8", "vllm-0.2.7")),
        arguments(List.of("--policy-option", "preemption=swap"), List.of("preemption")),
        arguments(
            List.of(
                "--policy",
                "vllm-0.2.7",
                "--policy-option",
                "preemption=swap",
                "--swap-space",
                "0"),
            List.of("no host to swap to")),
        arguments(List.of("--rate", "3"), List.of("--rate", "for traces", "--rate-scale")),
        arguments(List.of("--rate-scale", "0"), List.of("rate-scale is 0.0")),
        arguments(List.of("--faults", "cancel=0.5"), List.of("cancel=0.5", "as they came")),
        arguments(List.of("--device", "a11"), List.of("a11", "a10")),
        arguments(List.of("--time-model", "nowhere.json"), List.of("nowhere.json")),
        arguments(List.of("--polic", "x"), List.of("--polic", "--policy")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badInput")
  void badInput_isOneLineThatNamesIt(List<String> options, List<String> named) throws IOException {
    simulate("run", List.of(), List.of());
    List<Object> arguments = new ArrayList<>(List.of("whatif", folder.resolve("run")));
    arguments.addAll(options);
    assertOneLine(Cli.run(arguments.toArray()), named);
  }

  @Test
  void unreadableTargets_areNamed() throws IOException {
    assertOneLine(Cli.run("whatif", folder.resolve("nowhere")), List.of("nowhere"));
    assertOneLine(
        Cli.run("whatif", Files.createDirectories(folder.resolve("empty"))), List.of("no journal"));
    assertOneLine(
        Cli.run("whatif", sample(), "--model", "vicuna-7b", "--device", "a10"),
        List.of("nothing differs"));
  }

  @Test
  void fileThatIsNoTrace_isNamedWithWhatIsExpected() throws IOException {
    Path file = Files.writeString(folder.resolve("README.md"), "# FuseSpill\n");
    assertOneLine(
        Cli.run("whatif", file),
        List.of("neither a run, which is a folder with a journal, nor a trace: " + file, "azure"));
  }

  private JsonNode whatIf(String run, Object... options) {
    List<Object> arguments = new ArrayList<>(List.of("whatif", folder.resolve(run), "--json"));
    arguments.addAll(List.of(options));
    Cli cli = Cli.run(arguments.toArray());
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli.json();
  }

  /// A run of the first requests of the bundled trace on a device too small for them.
  private JsonNode simulate(String name, List<String> policy, List<String> common)
      throws IOException {
    List<Object> arguments =
        new ArrayList<>(List.of("simulate", "--trace", sample(), "--limit", "150", "--json"));
    arguments.addAll(List.of("--model", "vicuna-7b", "--device", "a10:blocks=400", "--force"));
    arguments.addAll(List.of("--out", folder.resolve(name)));
    arguments.addAll(policy);
    arguments.addAll(common);
    Cli cli = Cli.run(arguments.toArray());
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli.json();
  }

  private Path sample() {
    Path file = folder.resolve("sample.csv");
    if (!Files.exists(file)) {
      try (TraceReader reader = SampleTrace.open(ReadOptions.ALL);
          TraceWriter writer = TraceFormat.LENGTHS.create(file)) {
        while (reader.hasNext()) {
          writer.write(reader.next());
        }
      }
    }
    return file;
  }

  private static void assertOneLine(Cli cli, List<String> named) {
    assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.errorLines()).as(cli.err()).hasSize(1);
    assertThat(cli.errorLines().getFirst()).startsWith("fusespill: ").contains(named);
  }
}
