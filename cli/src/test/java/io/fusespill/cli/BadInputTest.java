package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import java.io.IOException;
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

/// Whatever a user gets wrong ends in one line that names the value, exit code 2, and nothing lost.
class BadInputTest {

  private static final String GOOD_TRACE = "prompt_len,output_len\n100,10\n";

  @TempDir private Path folder;

  static Stream<Arguments> badTraces() {
    return Stream.of(
        arguments(
            "malformed number",
            "prompt_len,output_len\n100,10\n12x,5\n",
            List.of("trace.csv", "3", "prompt_len", "12x")),
        arguments("missing column", "prompt_len,output_len\n100\n", List.of("trace.csv", "2")),
        arguments(
            "negative length", "prompt_len,output_len\n-5,10\n", List.of("trace.csv", "2", "-5")),
        arguments("zero length", "prompt_len,output_len\n0,10\n", List.of("trace.csv", "2", "0")),
        arguments(
            "absurd length",
            "prompt_len,output_len\n99999999999,10\n",
            List.of("trace.csv", "2", "99999999999")),
        arguments(
            "time going back",
            "prompt_len,output_len,arrived_at\n1,1,5.0\n1,1,4.5\n",
            List.of("trace.csv", "3", "4.5")),
        arguments("empty file", "", List.of("trace.csv", "empty")),
        arguments("header only", "prompt_len,output_len\n", List.of("trace.csv")),
        arguments("unknown header", "a,b\n1,2\n", List.of("trace.csv", "--format")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badTraces")
  void badTrace_isNamedWithLineAndValue(String name, String content, List<String> named)
      throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), content);
    assertOneLine(simulate(trace, List.of()), named);
    assertThat(folder.resolve("run/summary.json")).doesNotExist();
  }

  static Stream<Arguments> badOptions() {
    return Stream.of(
        arguments(List.of("--policy", "vllm-0.2.8"), List.of("vllm-0.2.8", "vllm-0.2.7")),
        arguments(
            List.of("--policy", "continuous", "--policy-option", "preemption=swap"),
            List.of("preemption", "continuous")),
        arguments(
            List.of("--policy", "vllm-0.2.7", "--policy-option", "preemption=never"),
            List.of("never", "recompute")),
        arguments(
            List.of("--policy", "vllm-0.2.7", "--policy-option", "watermark=1.5"),
            List.of("1.5", "watermark")),
        arguments(
            List.of(
                "--policy",
                "vllm-0.2.7",
                "--policy-option",
                "preemption=swap",
                "--swap-space",
                "0"),
            List.of("swap")),
        arguments(
            List.of(
                "--policy-option", "reserve-prompt=true", "--policy-option=reserve-prompt=false"),
            List.of("--policy-option reserve-prompt is given twice", "'true'", "'false'")),
        arguments(
            List.of("--faults", "cancel=0.2,step=0.1,cancel=0.3"),
            List.of("--faults cancel is given twice", "'0.2'", "'0.3'")),
        arguments(
            List.of("--policy-option", "reserve-prompt"),
            List.of("Value for option '--policy-option'", "KEY=VALUE", "reserve-prompt")),
        arguments(List.of("--journal", "x"), List.of("--journal", "async, ", "'x'")),
        arguments(
            List.of("--rate", "0"),
            List.of(
                "rate is '0', must be above 0 and at most 1,000,000 requests per second, or inf")),
        arguments(
            List.of("--rate=-1"),
            List.of(
                "rate is '-1', must be above 0 and at most 1,000,000 requests per second, or inf")),
        arguments(List.of("--rate", "2", "--burstiness", "0"), List.of("burstiness is 0.0, must")),
        arguments(List.of("--limit", "1.5"), List.of("'1.5' is not a whole number below 2^63;")),
        arguments(List.of("--depth", "x"), List.of("'x' is not a whole number below 2^31;")),
        arguments(List.of("--swap-space", "x"), List.of("'x' is not a number;")),
        arguments(List.of("--faults", "step=x"), List.of("'x' is not a number;")),
        arguments(List.of("--model", "vicuna-7c"), List.of("vicuna-7c", "vicuna-7b")),
        arguments(List.of("--device", "a11"), List.of("a11", "a10")),
        arguments(List.of("--device", "a10:blocks=0"), List.of("blocks=0")),
        arguments(List.of("--device", "a10:blocks=-3"), List.of("blocks=-3")),
        arguments(List.of("--device", "a10:util=1.2"), List.of("util=1.2")),
        arguments(List.of("--device", "a10:util=NaN"), List.of("util=NaN")),
        arguments(List.of("--device", "a10:colour=red"), List.of("colour=red")),
        arguments(List.of("--link", "pcie9"), List.of("pcie9")),
        arguments(List.of("--aux", "a11"), List.of("a11", "a10")),
        arguments(List.of("--peer-link", "nvlnik"), List.of("nvlnik", "pcie4")),
        arguments(
            List.of("--peer-link", "pcie4"), List.of("--peer-link joins devices", "at least 2")),
        arguments(List.of("--disk", "0"), List.of("disk of 0.0 GiB")),
        arguments(List.of("--disk", "5:speed=1"), List.of("speed=1", "read=N")),
        arguments(
            List.of("--disk", "5", "--swap-space", "0"), List.of("disk stands behind a host")),
        arguments(
            List.of("--disk", "5", "--topology", "t.yaml"),
            List.of("--topology describes the whole", "--device and --disk")),
        arguments(List.of("--time-model", "no-such-profile.json"), List.of("no-such-profile.json")),
        arguments(List.of("--swap-space", "-1"), List.of("-1")),
        arguments(List.of("--swap-space", "NaN"), List.of("NaN")),
        arguments(List.of("--max-num-seqs", "0"), List.of("--max-num-seqs", "0")),
        arguments(List.of("--max-num-seqs", "x"), List.of("--max-num-seqs", "x")),
        arguments(
            List.of("--max-num-batched-tokens", "-1"), List.of("--max-num-batched-tokens", "-1")),
        arguments(
            List.of("--policy", "vllm-0.2.7", "--max-num-batched-tokens", "100"), List.of("100")),
        arguments(List.of("--block-size", "4096"), List.of("4096", "1024")),
        arguments(List.of("--samples", "0"), List.of("samples", "0")),
        arguments(List.of("--limit", "0"), List.of("limit", "0")),
        arguments(List.of("--rate", "-2"), List.of("-2")),
        arguments(List.of("--rate", "fast"), List.of("fast")),
        arguments(List.of("--burstiness", "2"), List.of("no rate")),
        arguments(List.of("--rate", "2", "--rate-scale", "2"), List.of("rate-scale")),
        arguments(List.of("--faults", "step=2"), List.of("step", "2")),
        arguments(List.of("--faults", "disk=0.1"), List.of("disk")),
        arguments(List.of("--format", "parquet"), List.of("parquet", "azure")),
        arguments(List.of("--journal", "maybe"), List.of("maybe")),
        arguments(List.of("--no-such-option"), List.of("--no-such-option")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badOptions")
  void badOption_isNamedWithWhatIsLegal(List<String> options, List<String> named)
      throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertOneLine(simulate(trace, options), named);
  }

  @Test
  void missingTrace_isNamed() {
    assertOneLine(simulate(folder.resolve("nowhere.csv"), List.of()), List.of("nowhere.csv"));
  }

  @Test
  void traceWithoutItsOption_isTold() {
    assertOneLine(Cli.run("simulate", "t.csv"), List.of("'t.csv'", "did you mean --trace t.csv?"));
  }

  @Test
  void missingDevice_isTold() {
    assertOneLine(
        Cli.run("simulate", "--trace", "t.csv", "--model", "vicuna-7b", "--journal", "none"),
        List.of("--device", "--topology"));
  }

  @Test
  void missingModel_isTold() {
    assertOneLine(
        Cli.run("simulate", "--trace", "t.csv", "--device", "a10", "--journal", "none"),
        List.of("--model", "vicuna-7b"));
  }

  @Test
  void badTopology_isNamedWithEveryProblem() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    Path topology =
        Files.writeString(folder.resolve("t.yaml"), "devices: [{nmae: a, profile: a11}]");
    Cli cli =
        Cli.run(
            "simulate", "--trace", trace, "--model", "vicuna-7b", "--topology", topology, "--json");
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err())
        .startsWith("fusespill: ")
        .contains("t.yaml has 3 problems:")
        .contains("devices[0].name is missing; did you mean nmae?")
        .contains("devices[0].profile: unknown hardware \"a11\"")
        .contains("devices[0].nmae is not a key here; did you mean name?");
  }

  @Test
  void unknownCommand_isNamedWithNearMatches() {
    assertOneLine(Cli.run("simulat"), List.of("simulat", "simulate"));
  }

  @Test
  void mistypedOptionThatIsRequired_isNamedWithNearMatches() {
    assertOneLine(
        Cli.run("simulate", "--trcae", "t.csv", "--model", "vicuna-7b", "--device", "a10"),
        List.of("--trcae", "did you mean", "--trace"));
  }

  @Test
  void mistypedOption_isNamedWithoutItsValue() {
    Cli cli =
        Cli.run("simulate", "--trace", "t.csv", "--model", "vicuna-7b", "--polcy", "fusespill");
    assertOneLine(cli, List.of("Unknown option: '--polcy'", "did you mean --policy"));
    assertThat(cli.err()).doesNotContain("'fusespill'");
  }

  @Test
  void noCommand_isRefused() {
    assertOneLine(Cli.run(), List.of("Missing command"));
  }

  @Test
  void whatCannotBeWritten_isToldInWords() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    Path run = folder.resolve("run");
    Path missing = folder.resolve("none/x/events.jsonl");
    for (Cli cli :
        List.of(
            Cli.run("export", run, "--to", "csv", "-o", trace),
            Cli.run("charts", run, "--figure", "throughput", "-o", trace))) {
      assertOneLine(cli, List.of(trace + " is in the way"));
      assertThat(cli.err()).doesNotContain("java.");
    }
    assertOneLine(
        Cli.run("export", run, "--to", "jsonl", "-o", missing),
        List.of("cannot write " + missing + ": there is no folder " + missing.getParent()));
    assertOneLine(
        Cli.run("report", run, "-o", folder),
        List.of("cannot write " + folder + ": Is a directory"));
  }

  @Test
  void requestThatNeverFits_isRejectedAndTheRunGoesOn() throws IOException {
    Path trace =
        Files.writeString(folder.resolve("trace.csv"), "prompt_len,output_len\n900,10\n20,5\n");
    Cli cli = simulate(trace, List.of("--device", "a10:blocks=20", "--json"));
    assertThat(cli.exitCode()).isZero();
    assertThat(cli.json().get("rejected_never_fits").asInt()).isEqualTo(1);
    assertThat(cli.json().get("completed").asInt()).isEqualTo(1);
  }

  @Test
  void existingRunDirectory_isRefusedWithoutForceAndKept() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    String before = Files.readString(folder.resolve("run/summary.json"));
    assertOneLine(simulate(trace, List.of()), List.of("run", "--force"));
    assertThat(Files.readString(folder.resolve("run/summary.json"))).isEqualTo(before);
    assertThat(simulate(trace, List.of("--force")).exitCode()).isZero();
  }

  @Test
  void directoryThatIsNoRun_isRefusedEvenWithForce() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    Files.createDirectories(folder.resolve("run"));
    Path precious = Files.writeString(folder.resolve("run/precious.txt"), "keep");
    assertOneLine(simulate(trace, List.of("--force")), List.of("not a run directory"));
    assertThat(precious).hasContent("keep");
  }

  @Test
  void modelFolder_isRefusedEvenWithForce() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    Files.createDirectories(folder.resolve("run"));
    Files.writeString(folder.resolve("run/config.json"), "{\"model_type\": \"llama\"}");
    Path precious = Files.writeString(folder.resolve("run/model.safetensors"), "keep");
    assertOneLine(simulate(trace, List.of("--force")), List.of("not a run directory"));
    assertThat(precious).hasContent("keep");
  }

  @Test
  void runWithForeignFile_isRefusedEvenWithForce() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    Path run = folder.resolve("run");
    for (String name : List.of("notes.txt", "journal/notes.txt", "csv/notes.csv")) {
      Path precious = run.resolve(name);
      Files.createDirectories(precious.getParent());
      Files.writeString(precious, "keep");
      assertOneLine(simulate(trace, List.of("--force")), List.of("notes", "no run has written"));
      assertThat(precious).hasContent("keep");
      assertThat(run.resolve("summary.json")).exists();
      Files.delete(precious);
    }
  }

  @Test
  void runWithExports_isReplacedWithForce() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    Path run = folder.resolve("run");
    for (String format : List.of("perfetto", "parquet", "csv", "jsonl")) {
      assertThat(Cli.run("export", run, "--to", format).exitCode()).isZero();
    }
    assertThat(simulate(trace, List.of("--force")).exitCode()).isZero();
    assertThat(run.resolve("csv")).doesNotExist();
  }

  @Test
  void runThatEndsAtABadRow_leavesNothing() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE + "30,many\n");
    for (String option : List.of("--json", "--real-time")) {
      assertOneLine(simulate(trace, List.of(option)), List.of("many"));
      assertThat(folder.resolve("run")).doesNotExist();
    }
    Files.writeString(trace, GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
  }

  @Test
  void runThatEndsAtABadRow_bringsBackTheOneThatItReplaces() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    Path run = folder.resolve("run");
    String before = Files.readString(run.resolve("summary.json"));
    Files.writeString(trace, GOOD_TRACE + "30,many\n");
    assertOneLine(simulate(trace, List.of("--force")), List.of("many"));
    assertThat(run.resolve("summary.json")).hasContent(before);
    assertThat(run.resolve("earlier")).doesNotExist();
    assertThat(Cli.run("verify", run).exitCode()).isZero();
    Files.writeString(trace, GOOD_TRACE);
    assertThat(simulate(trace, List.of("--force")).exitCode()).isZero();
    assertThat(run.resolve("earlier")).doesNotExist();
  }

  /// As where the process was killed: the earlier run lies aside, the new one has no summary.
  @Test
  void earlierRun_outlivesAKilledOneInItsPlace() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    assertThat(simulate(trace, List.of()).exitCode()).isZero();
    Path run = folder.resolve("run");
    String before = Files.readString(run.resolve("summary.json"));
    Path whole = Files.move(run, folder.resolve("whole"));
    Files.createDirectory(run);
    Files.move(whole, run.resolve("earlier"));
    Files.copy(run.resolve("earlier/options.json"), run.resolve("options.json"));
    assertOneLine(simulate(trace, List.of()), List.of("holds an earlier run", "--force"));
    Files.writeString(trace, GOOD_TRACE + "30,many\n");
    assertOneLine(simulate(trace, List.of("--force")), List.of("many"));
    assertThat(run.resolve("summary.json")).hasContent(before);
    assertThat(run.resolve("earlier")).doesNotExist();
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  @Test
  void badJournals_areNamed() throws IOException {
    assertOneLine(Cli.run("verify", folder.resolve("none")), List.of("none"));
    Path file = Files.writeString(folder.resolve("file.txt"), "not a journal");
    assertOneLine(Cli.run("verify", file), List.of("file.txt"));
    Path foreign = Files.createDirectories(folder.resolve("foreign"));
    Files.writeString(foreign.resolve("20260101.cq4"), "something else entirely");
    assertOneLine(Cli.run("inspect", foreign), List.of("foreign"));
    assertOneLine(
        Cli.run("dump", Files.createDirectories(folder.resolve("empty"))), List.of("empty"));
  }

  @Test
  void journalBeingWritten_isRefusedUnlessPartialIsEnough() throws IOException {
    Path run = folder.resolve("run");
    JournalHeader header = JournalHeader.of("0.1.0", "{}");
    Files.createDirectories(run);
    Files.writeString(run.resolve("config.json"), "{}");
    try (Journal journal = Journal.create(run.resolve("journal"), header, Durability.ASYNC)) {
      journal.commit();
      assertOneLine(Cli.run("verify", run), List.of("still being written", "--partial"));
      Cli partial = Cli.run("verify", run, "--partial");
      assertThat(partial.exitCode()).isZero();
      assertThat(partial.out())
          .contains("ends in the middle of the run: it is still being written;");
      Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
      assertOneLine(simulate(trace, List.of("--force")), List.of("still going on"));
    }
  }

  @Test
  void badPositionsAndFilters_areNamed() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    simulate(trace, List.of());
    Path run = folder.resolve("run");
    assertOneLine(Cli.run("inspect", run, "--at", "-1"), List.of("-1"));
    assertOneLine(Cli.run("inspect", run, "--at", "999999"), List.of("999999"));
    assertOneLine(
        Cli.run("dump", run, "--kind", "StepPlaned"), List.of("StepPlaned", "StepPlanned"));
    assertOneLine(Cli.run("dump", run, "--range", "9..2"), List.of("9..2"));
    assertOneLine(Cli.run("dump", run, "--sequence", "-4"), List.of("-4"));
    assertOneLine(
        Cli.run("dump", run, "--sequence", "999999"),
        List.of("--sequence is 999999, must be 0 to 0, the last sequence of the run"));
    assertOneLine(
        Cli.run("dump", run, "--sequence", "1", "--range", "0..2"), List.of("must be 0 to 0"));
    String last = String.valueOf(Cli.run("dump", run).out().lines().count() - 1);
    for (String range : List.of("99999999", "99999999..", last + "9..99999999")) {
      assertOneLine(
          Cli.run("dump", run, "--range", range),
          List.of("--range is '" + range + "', the journal's last position is " + last));
    }
    assertThat(Cli.run("dump", run, "--range", last + "..99999999").out().lines()).hasSize(1);
  }

  @Test
  void runsThatCannotBeReportedOrExported_areNamed() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    simulate(trace, List.of());
    Path run = folder.resolve("run");
    Path page = folder.resolve("report.html");
    Path nowhere = folder.resolve("nowhere");
    for (String format : List.of("perfetto", "parquet", "csv", "jsonl")) {
      assertOneLine(Cli.run("export", nowhere, "--to", format), List.of("nowhere"));
    }
    assertOneLine(Cli.run("export", run, "--to", "xml"), List.of("xml", "perfetto"));
    assertOneLine(
        Cli.run("export", run.resolve("journal"), "--to", "csv"), List.of("journal", "-o"));
    assertOneLine(
        Cli.run("export", run, "--to", "perfetto", "-o", nowhere.resolve("t.json")),
        List.of("t.json"));
    assertOneLine(Cli.run("report", nowhere, "-o", page), List.of("nowhere"));
    assertOneLine(Cli.run("report", run, "-o", nowhere.resolve("r.html")), List.of("r.html"));
    assertOneLine(Cli.run("report", run, run, "-o", page), List.of("run", "twice"));
    assertOneLine(
        Cli.run("report", run, "-o", page, "--most-expensive", "201"), List.of("201", "200"));
    assertThat(page).doesNotExist();
  }

  @Test
  void outputsThatAreTheRunsOwnFiles_areRefused() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.csv"), GOOD_TRACE);
    simulate(trace, List.of());
    Path run = folder.resolve("run");
    Path journal = run.resolve("journal");
    String requests = Files.readString(run.resolve("requests.csv"));
    List<String> own = List.of("is a file of the run");
    Path queue;
    try (Stream<Path> files = Files.list(journal)) {
      queue = files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
    for (Path read : List.of(run, journal)) {
      assertOneLine(Cli.run("export", read, "--to", "jsonl", "-o", queue), own);
      assertOneLine(Cli.run("report", read, "-o", queue), own);
      assertOneLine(Cli.run("report", read, "-o", run.resolve("config.json")), own);
      assertOneLine(Cli.run("charts", read, "-o", journal), own);
      assertOneLine(Cli.run("charts", read, "-o", journal.resolve("figures")), own);
      assertOneLine(Cli.run("export", read, "--to", "csv", "-o", run), own);
      assertOneLine(Cli.run("export", read, "--to", "csv", "-o", journal.resolve("csv")), own);
    }
    Path link = Files.createSymbolicLink(folder.resolve("link"), run);
    assertOneLine(Cli.run("export", run, "--to", "csv", "-o", link), own);
    assertThat(run.resolve("requests.csv")).hasContent(requests);
    assertThat(Cli.run("verify", run).exitCode()).isZero();
    assertThat(Cli.run("export", run, "--to", "csv", "-o", run.resolve("tables")).exitCode())
        .isZero();
    assertThat(Cli.run("report", run, "-o", run.resolve("page.html")).exitCode()).isZero();
  }

  @Test
  void runWithoutRequests_isNeitherReportedNorExported() {
    Path run = folder.resolve("idle");
    JournalHeader header = JournalHeader.of("0.1.0", "{}");
    Journal.create(run.resolve("journal"), header, Durability.ASYNC).close();
    assertOneLine(
        Cli.run("report", run, "-o", folder.resolve("r.html")), List.of("idle", "no request"));
    assertOneLine(Cli.run("export", run, "--to", "csv"), List.of("idle", "no request"));
    assertThat(run.resolve("csv")).doesNotExist();
  }

  @Test
  void badGeneratorOptions_areNamed() {
    Path out = folder.resolve("t.csv");
    assertOneLine(
        generate(out, "--lengths", "sharegtp", "--rate", "1"), List.of("sharegtp", "sharegpt"));
    assertOneLine(generate(out, "--lengths", "sharegpt"), List.of("need a rate"));
    assertOneLine(
        generate(out, "--prompt", "uniform:5:1", "--output", "normal:5:1", "--rate", "1"),
        List.of("prompt uniform:5:1: min is 5, must be at most the max, 1"));
    assertOneLine(
        generate(out, "--lengths", "sharegpt", "--rate", "1", "--max-total", "1"),
        List.of("max-total is 1, must be 2 to 20000000"));
    assertOneLine(
        generate(out, "--lengths", "sharegpt", "--rate", "1", "--arrivals", "on-off", "--on", "0"),
        List.of("on is 0.0, must be a number of seconds above 0"));
    assertOneLine(
        generate(
            out,
            "--prompt",
            "uniform:5:9",
            "--output",
            "uniform:1:1",
            "--rate",
            "1",
            "--max-prompt",
            "4"),
        List.of("drawn from prompt uniform:5:9 and output uniform:1:1 do not fit max-prompt 4;"));
    assertOneLine(
        generate(out, "--prompt", "cauchy:5", "--output", "normal:5:1", "--rate", "1"),
        List.of("cauchy:5"));
    assertOneLine(
        generate(out, "--lengths", "sharegpt", "--rate", "1", "--arrivals", "never"),
        List.of("never"));
  }

  private Cli generate(Path out, Object... options) {
    List<Object> arguments = new ArrayList<>(List.of("trace", "generate", "-n", "5", "-o", out));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  /// Options given in `options` take the place of the defaults here.
  private Cli simulate(Path trace, List<String> options) {
    List<Object> arguments = new ArrayList<>(List.of("simulate", "--trace", trace));
    if (!options.contains("--out")) {
      if (!options.contains("none")) {
        arguments.addAll(List.of("--out", folder.resolve("run")));
      }
    }
    if (!options.contains("--model")) {
      arguments.addAll(List.of("--model", "vicuna-7b"));
    }
    if (!options.contains("--device")) {
      arguments.addAll(List.of("--device", "a10:blocks=400"));
    }
    arguments.addAll(options);
    return Cli.run(arguments.toArray());
  }

  private static void assertOneLine(Cli cli, List<String> named) {
    assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.errorLines()).as(cli.err()).hasSize(1);
    assertThat(cli.err()).doesNotContain("REDACTED");
    assertThat(cli.errorLines().getFirst()).startsWith("fusespill: ").contains(named);
  }
}
