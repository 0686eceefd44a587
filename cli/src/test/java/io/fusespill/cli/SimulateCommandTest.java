package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole runs through the command line: figures, files, and the same bytes every time.
class SimulateCommandTest {

  private static final List<String> KEYS =
      Stream.concat(
              Stream.of(
                  "completed",
                  "failed",
                  "duration",
                  "total_input_tokens",
                  "total_output_tokens",
                  "request_throughput",
                  "output_throughput",
                  "total_token_throughput",
                  "prefill_steps",
                  "decode_steps",
                  "mixed_steps",
                  "preemptions",
                  "preempted_requests",
                  "recomputed_tokens",
                  "prefill_tokens",
                  "padded_prefill_tokens",
                  "swapped_out_blocks",
                  "swapped_in_blocks",
                  "rejected",
                  "peak_kv_usage",
                  "mean_running",
                  "state_hash",
                  "journal_events",
                  "journal_digest",
                  "wall_seconds"),
              Stream.of("mean", "median", "p90", "p95", "p99")
                  .flatMap(statistic ->
                      Stream.of("ttft", "tpot", "itl", "e2el")
                          .map(latency -> statistic + "_" + latency + "_ms")))
          .toList();

  @TempDir private Path folder;

  @Test
  void blocksWhereTheWeightsDoNotFit_areNoted() throws IOException {
    String note = "note     the weights of vicuna-13b, 26,031,728,640 bytes, do not fit the memory";
    for (String device : List.of("a10:blocks=400", "a10:tp=2,blocks=400")) {
      Cli cli =
          Cli.run(
              "simulate",
              "--trace",
              sample(),
              "--limit",
              "5",
              "--model",
              "vicuna-13b",
              "--device",
              device,
              "--journal",
              "none");
      assertThat(cli.exitCode()).as(cli.err()).isZero();
      assertThat(cli.out().contains(note)).isEqualTo(!device.contains("tp=2"));
    }
  }

  @Test
  void latenciesOfNothing_areNoFigures() throws IOException {
    Path trace =
        Files.writeString(folder.resolve("long.csv"), "prompt_len,output_len\n9000,5\n9000,3\n");
    Path run = folder.resolve("nothing");
    Cli text =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=500",
            "--policy",
            "fusespill",
            "-o",
            run);
    assertThat(text.out().replaceAll(" +", " "))
        .contains("TTFT - - - - -", "E2E - - - - -", "kaplan-meier, 0 moments")
        .doesNotContain("right order", "mean error");
    Cli whatIf = Cli.run("whatif", run, "--policy", "continuous");
    assertThat(whatIf.out().replaceAll(" +", " "))
        .contains("mean TTFT, ms - - - -", "p99 E2E, ms - - - -", "preemptions 0 0 0 0.0");
  }

  @Test
  void json_isOneObjectWithEveryKey() throws IOException {
    Cli cli = simulate("run", "--policy", "vllm-0.2.7", "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out().lines()).hasSize(1);
    assertThat(cli.err()).isEmpty();
    JsonNode json = cli.json();
    assertThat(json.fieldNames()).toIterable().containsAll(KEYS);
    assertThat(json.get("completed").asInt()).isEqualTo(600);
    assertThat(folder.resolve("run/config.json")).isNotEmptyFile();
    assertThat(folder.resolve("run/summary.json")).isNotEmptyFile();
    assertThat(Files.readAllLines(folder.resolve("run/requests.csv"))).hasSize(601);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "continuous"})
  void digest_isTheSameOverRingAndDirectLogAndEveryDurability(String policy) throws IOException {
    JsonNode direct = simulate(null, "--policy", policy, "--journal", "none", "--json").json();
    JsonNode async = simulate("a", "--policy", policy, "--json").json();
    JsonNode sync = simulate("s", "--policy", policy, "--journal", "sync", "--json").json();
    assertThat(async.get("journal_digest")).isEqualTo(direct.get("journal_digest"));
    assertThat(async.get("state_hash")).isEqualTo(direct.get("state_hash"));
    assertThat(sync.get("journal_digest")).isEqualTo(direct.get("journal_digest"));
    assertThat(async.get("journal_events")).isEqualTo(direct.get("journal_events"));
  }

  /// The host behind the device is small, so that the disk is used; who waits there for room on the
  /// host must not keep the others from the device.
  @Test
  void disk_costsNoThroughput() throws IOException {
    JsonNode without = spilling();
    JsonNode with = spilling("--disk", "20");
    assertThat(with.get("disk_blocks").asInt()).isPositive();
    assertThat(with.get("output_throughput").asDouble())
        .isGreaterThan(0.98 * without.get("output_throughput").asDouble());
  }

  private JsonNode spilling(String... disk) throws IOException {
    List<String> options =
        new ArrayList<>(
            List.of(
                "--limit",
                "200",
                "--model",
                "vicuna-7b",
                "--device",
                "a10:blocks=400",
                "--policy",
                "fusespill",
                "--policy-option",
                "attention=false",
                "--swap-space",
                "0.2",
                "--journal",
                "none",
                "--json"));
    options.addAll(List.of(disk));
    Cli cli = simulate(null, options.toArray(String[]::new));
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli.json();
  }

  @ParameterizedTest
  @CsvSource({"vllm-0.2.7,1", "vllm-0.2.7,3", "continuous,1", "continuous,2"})
  void verify_provesARunWithFaults(String policy, int samples) throws IOException {
    Cli run =
        simulate(
            "run",
            "--policy",
            policy,
            "--samples",
            String.valueOf(samples),
            "--faults",
            "step=0.002,cancel=0.05",
            "--checkpoint-every",
            "1000",
            "--json");
    assertThat(run.exitCode()).as(run.err()).isZero();
    Cli verified = Cli.run("verify", folder.resolve("run"), "--json");
    assertThat(verified.exitCode()).as(verified.out()).isZero();
    assertThat(verified.json().get("verified").asBoolean()).isTrue();
    assertThat(verified.json().get("events")).isEqualTo(run.json().get("journal_events"));
    assertThat(verified.json().get("cut_off").asBoolean()).isFalse();
    assertThat(run.json().get("cancelled").asInt()).isPositive();
  }

  @Test
  void verify_scrapsBehindAWholeRun_leaveItWhole() throws IOException {
    assertThat(simulate("run").exitCode()).isZero();
    Path run = folder.resolve("run");
    String sound = Cli.run("verify", run).out();
    try (Stream<Path> files = Files.list(run.resolve("journal"))) {
      Path queue = files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(queue);
      int end = bytes.length;
      while (bytes[end - 1] == 0) {
        end--;
      }
      try (RandomAccessFile file = new RandomAccessFile(queue.toFile(), "rw")) {
        file.seek(end + 64);
        file.writeLong(-1);
      }
    }
    Cli text = Cli.run("verify", run);
    assertThat(text.exitCode()).isZero();
    assertThat(text.out()).startsWith(sound).contains("the run is whole; scraps of a record");
    JsonNode json = Cli.run("verify", run, "--json").json();
    assertThat(json.get("cut_off").asBoolean()).isFalse();
    assertThat(json.get("torn_tail").asBoolean()).isTrue();
  }

  @Test
  void fusespill_smallHostWithADisk_spillsThereAndBack() throws IOException {
    Cli run =
        simulate(
            "run",
            "--policy",
            "fusespill",
            "--rate",
            "inf",
            "--limit",
            "200",
            "--swap-space",
            "0.5",
            "--disk",
            "20",
            "--json");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.json().get("completed").asInt()).isEqualTo(200);
    Path directory = folder.resolve("run");
    assertThat(Cli.run("verify", directory).exitCode()).isZero();
    assertThat(Cli.run("dump", directory, "--kind", "HandlingChosen").out()).contains("\"SPILL\"");
    List<String> kinds =
        Cli.run("dump", directory, "--kind", "TransferPlanned")
            .out()
            .lines()
            .map(line -> line.replaceAll(".*\"kind\":\"([A-Z_]+)\".*", "$1"))
            .toList();
    assertThat(kinds).contains("SWAP_OUT", "SPILL", "UNSPILL", "SWAP_IN");
    assertThat(Collections.frequency(kinds, "UNSPILL"))
        .isEqualTo(Collections.frequency(kinds, "SPILL"));
  }

  @Test
  void topologyFile_isWhatTheOptionsSay() throws IOException {
    Path file = folder.resolve("t.yaml");
    Files.writeString(
        file,
        """
        devices: [{name: a10, profile: a10, blocks: 300}, {name: aux-a10, profile: a10, blocks: 300}]
        hosts: [{name: host, memory: 4}]
        disks: [{name: disk, size: 20}]
        links:
          - {from: a10, to: host, profile: pcie4}
          - {from: aux-a10, to: host, profile: pcie4}
          - {from: host, to: disk}
        """);
    List<String> common =
        List.of("simulate", "--trace", sample().toString(), "--model", "vicuna-7b");
    List<Object> options = new ArrayList<>(common);
    options.addAll(List.of("--policy", "fusespill", "--journal", "none", "--json"));
    List<Object> byFile = new ArrayList<>(options);
    byFile.addAll(List.of("--topology", file));
    options.addAll(
        List.of("--device", "a10:blocks=300", "--aux", "a10:blocks=300", "--disk", "20"));
    assertThat(Cli.run(byFile.toArray()).json().get("journal_digest"))
        .isEqualTo(Cli.run(options.toArray()).json().get("journal_digest"));
  }

  // 8 MiB at 16 GB/s = 524.3 us, and 2.28 us for the copy.
  @Test
  void profile_ofATopology_listsPlacesAndLinks() {
    Cli cli =
        Cli.run(
            "profile",
            "--model",
            "vicuna-7b",
            "--topology",
            Path.of("../topologies/2xa10-shared-root.yaml"));
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .containsPattern("a10-1 +device +818 +13,088\n")
        .containsPattern("xeon +host +8,192 +131,072 +yes\n")
        .containsPattern("xeon > a10-1 +16.0 +526.6 +1\n")
        .containsPattern("nvme > xeon +6.5 +1,300.6 +own\n");
    assertThat(Cli.run("profile", "--topology", "t.yaml").exitCode()).isEqualTo(2);
  }

  @Test
  void profile_ofATopology_namesAHostWithoutABlock() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("t.yaml"),
            """
            devices: [{name: a10, profile: a10}]
            hosts: [{name: host, memory: 0.001}]
            links: [{from: a10, to: host, profile: pcie4}]
            """);
    Cli cli = Cli.run("profile", "--model", "vicuna-7b", "--topology", file);
    assertThat(cli.exitCode()).isZero();
    assertThat(cli.errorLines())
        .containsExactly(
            "fusespill: host is left out: not one block of 8,388,608 bytes fits into its 0.001 GiB");
    assertThat(cli.out()).doesNotContain("host");
  }

  @Test
  void profile_ofADevice_derivesTheBlocksThatSimulateTakes() {
    assertThat(profile("--device", "a10").out()).contains("= 818 blocks of 8,388,608 bytes");
    assertThat(profile("--device", "a10", "--max-num-batched-tokens", "4096").out())
        .contains("= 798 blocks of 8,388,608 bytes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--device a10 --max-num-batched-tokens 100 | must be at least max-num-seqs (256)",
        "--device a10 --max-num-seqs 70000 | --max-num-seqs is 70000, must be 1 to 65,536",
        "--max-num-seqs 0 | --max-num-seqs is 0, must be 1 to 65,536",
        "--block-size 0 | --block-size is 0, must be 1 to 1,024",
        "--device a10:blocks=5 | leave blocks away",
        "--link pcie5 | --link pcie5 needs --device"
      })
  void profile_ofWhatSimulateRefuses_isRefused(String options, String message) {
    Cli cli = profile(options.split(" "));
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains(message);
  }

  private static Cli profile(String... options) {
    List<Object> arguments = new ArrayList<>(List.of("profile", "--model", "vicuna-7b"));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  @Test
  void inspectAndDump_tellTheSameStory() throws IOException {
    simulate("run", "--policy", "vllm-0.2.7");
    Path run = folder.resolve("run");
    JsonNode state = Cli.run("inspect", run, "--at", "1500", "--json").json();
    assertThat(state.get("events").asInt()).isEqualTo(1501);
    JsonNode device = state.get("places").get(0);
    assertThat(
            device.get("allocated_blocks").asInt()
                + device.get("free_blocks").asInt()
                + device.get("leaving_blocks").asInt())
        .isEqualTo(device.get("total_blocks").asInt());
    Cli dump =
        Cli.run("dump", run, "--sequence", "7", "--kind", "SequenceAdmitted,SequenceFinished");
    assertThat(dump.out().lines().filter(line -> line.contains("SequenceFinished"))).hasSize(1);
    assertThat(Cli.run("dump", run, "--range", "10..19").out().lines()).hasSize(10);
    assertThat(
            Cli.run("dump", run, "--header", "--range", "0")
                .out()
                .lines()
                .findFirst()
                .orElseThrow())
        .contains("\"schema_version\":1");
  }

  @Test
  void digest_isTheSameUnderEveryCollectorAndInTheInterpreter() throws Exception {
    Path trace = sample();
    List<String> digests = new ArrayList<>();
    for (String flag : List.of("-XX:+UseSerialGC", "-XX:+UseParallelGC", "-Xint")) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  flag,
                  "-cp",
                  System.getProperty("java.class.path"),
                  "io.fusespill.cli.FuseSpill",
                  "simulate",
                  "--trace",
                  trace.toString(),
                  "--model",
                  "vicuna-7b",
                  "--device",
                  "a10:blocks=300",
                  "--policy",
                  "vllm-0.2.7",
                  "--samples",
                  "2",
                  "--limit",
                  "200",
                  "--journal",
                  "none",
                  "--json")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String out = new String(process.getInputStream().readAllBytes());
      assertThat(process.waitFor()).isZero();
      digests.add(new Cli(0, out, "").json().get("journal_digest").asText());
    }
    assertThat(digests).hasSize(3).containsOnly(digests.getFirst());
  }

  @Test
  void fullDisk_stopsTheRunWithOneLineAndKeepsWhatWasJournaled() throws Exception {
    Path disk = Files.createDirectories(folder.resolve("disk"));
    assumeTrue(
        works("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString()),
        "needs the right to mount");
    try {
      Path run = disk.resolve("run");
      Cli cli =
          Cli.run(
              "simulate",
              "--trace",
              sample(),
              "--model",
              "vicuna-7b",
              "--device",
              "a10:blocks=400",
              "--policy",
              "vllm-0.2.7",
              "--out",
              run);
      assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
      assertThat(cli.errorLines()).hasSize(1);
      assertThat(cli.err()).contains("no room for the journal").contains(run.toString());
      Cli verified = Cli.run("verify", run, "--json");
      assertThat(verified.json().get("verified").asBoolean()).isTrue();
      assertThat(verified.json().get("cut_off").asBoolean()).isTrue();
      assertThat(verified.json().get("events").asInt()).isGreaterThan(1_000);
    } finally {
      works("umount", "-l", disk.toString());
    }
  }

  @Test
  void realTimeRuns_differAndEachVerifies() throws IOException {
    List<String> digests = new ArrayList<>();
    for (String run : List.of("first", "second")) {
      Cli cli =
          simulate(
              run,
              "--policy",
              "continuous",
              "--real-time",
              "--max-total",
              "120",
              "--rate",
              "60",
              "--model",
              "qwen3-0.6b",
              "--device",
              "h200:blocks=20",
              "--json");
      assertThat(cli.exitCode()).as(cli.err()).isZero();
      assertThat(cli.json().get("completed").asInt()).isGreaterThan(10);
      digests.add(cli.json().get("journal_digest").asText());
      assertThat(Cli.run("verify", folder.resolve(run)).exitCode()).isZero();
    }
    assertThat(digests).doesNotHaveDuplicates();
  }

  private static boolean works(String... command) throws Exception {
    return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
  }

  @Test
  void artifactRun_hasExactlyTheCountsOfACorrectVllm() {
    Path trace = shared("fusespill_artifact/vicuna7b_recompute_requests.csv");
    Cli cli =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=818",
            "--policy",
            "vllm-0.2.7",
            "--max-num-batched-tokens",
            "4096",
            "--journal",
            "none",
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    JsonNode json = cli.json();
    assertThat(json.get("prefill_steps").asInt()).isEqualTo(1_036);
    assertThat(json.get("decode_steps").asInt()).isEqualTo(8_495);
    assertThat(json.get("preemptions").asInt()).isEqualTo(602);
    assertThat(json.get("preempted_requests").asInt()).isEqualTo(334);
    assertThat(json.get("recomputed_tokens").asInt()).isEqualTo(141_178);
    assertThat(json.get("prefill_tokens").asInt()).isEqualTo(374_272);
    assertThat(json.get("padded_prefill_tokens").asInt()).isEqualTo(417_552);
  }

  @ParameterizedTest
  @CsvSource({
    "azure_llm_2023/AzureLLMInferenceTrace_conv.csv,vllm-0.2.7,19366",
    "azure_llm_2023/AzureLLMInferenceTrace_conv.csv,continuous,19366",
    "mooncake_fast25/conversation_trace.jsonl.gz,vllm-0.2.7,12031",
    "mooncake_fast25/conversation_trace.jsonl.gz,continuous,12031"
  })
  void publicTraces_runToTheEndOn24GbAndEveryRequestIsAccountedFor(
      String file, String policy, int requests) {
    Path trace = shared(file);
    Path run = folder.resolve("run");
    Cli cli =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "llama-3.1-8b",
            "--device",
            "rtx-4090",
            "--max-model-len",
            "16384",
            "--policy",
            policy,
            "--out",
            run,
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    JsonNode json = cli.json();
    assertThat(
            json.get("completed").asInt()
                + json.get("failed").asInt()
                + json.get("cancelled").asInt())
        .isEqualTo(requests);
    assertThat(json.get("completed").asInt()).isPositive();
    Cli verified = Cli.run("verify", run);
    assertThat(verified.exitCode()).as(verified.out()).isZero();
  }

  private static Path shared(String file) {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path candidate = folder.resolve("shared/data").resolve(file);
      if (Files.exists(candidate)) {
        return candidate;
      }
    }
    assumeTrue(false, "skipped: no shared/data/" + file + " beside the project");
    throw new AssertionError();
  }

  @Test
  void oneOfAll_isSaidInTheSingularAndAShortRunWithItsDigits() throws IOException {
    Path trace = Files.writeString(folder.resolve("one.csv"), "prompt_len,output_len\n1,1\n");

    Cli cli =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=1",
            "--swap-space",
            0,
            "--out",
            folder.resolve("one"),
            "--quiet");

    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .contains("on a10 with 1 block (simulated)", "1 token, 1 with padding")
        .contains("0 tokens recomputed, 0 blocks swapped out")
        .contains("duration     0.027 s simulated");
    assertThat(Cli.run("trace", "describe", trace).out()).startsWith("1 request in 0.0 s");
    assertThat(Cli.run("trace", "describe", trace).out()).doesNotContain("requests");
    Cli report = Cli.run("report", folder.resolve("one"), "-o", folder.resolve("one.html"));
    assertThat(report.exitCode()).as(report.err()).isZero();
    assertThat(folder.resolve("one.html")).content().contains("a10 (1 block)", ">0.027</td>");
  }

  private Cli simulate(String run, String... options) throws IOException {
    List<Object> arguments = new ArrayList<>(List.of("simulate", "--trace", sample()));
    if (!List.of(options).contains("--model")) {
      arguments.addAll(List.of("--model", "vicuna-7b", "--device", "a10:blocks=500"));
    }
    if (run != null) {
      arguments.addAll(List.of("--out", folder.resolve(run)));
    }
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray());
  }

  private Path sample() {
    Path file = folder.resolve("sample.csv");
    if (!Files.exists(file)) {
      try (TraceReader trace = SampleTrace.open(ReadOptions.ALL);
          TraceWriter writer = TraceFormat.LENGTHS.create(file)) {
        while (trace.hasNext()) {
          writer.write(trace.next());
        }
      }
    }
    return file;
  }
}
