package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Benchmarks of a tiny model, and runs that go on.
@Timeout(180)
class BenchCommandTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Two devices that hold a few of the requests at once.
  private static final List<String> PRESSED =
      List.of(
          "--device",
          "host:blocks=40,threads=1",
          "--aux",
          "host:blocks=40,threads=1",
          "--block-size",
          "4",
          "--max-num-seqs",
          "8",
          "--swap-space",
          "0.01");

  /// Room for all, and no gigabytes of pools, which benchmarks touch where the policy uses them.
  private static final List<String> AMPLE =
      List.of("--device", "host:blocks=400,threads=1", "--swap-space", "0.01");

  private static final List<String> SMALL =
      List.of("--num-prompts", "16", "--input-len", "16", "--output-len", "24");

  @TempDir private Path folder;

  private static Cli bench(String kind, List<String> options, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("bench", kind));
    if (!List.of(more).contains("--model")) {
      arguments.addAll(List.of("--model", TinyModel.LLAMA_2));
    }
    arguments.addAll(options.contains("--device") ? options : both(AMPLE, options));
    arguments.addAll(List.of(more));
    return Cli.run(arguments.toArray());
  }

  private Cli throughput(Path out, List<String> options, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("-o", out));
    arguments.addAll(List.of(more));
    Cli cli = bench("throughput", options, arguments.toArray());
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli;
  }

  private static List<String> both(List<String> some, List<String> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }

  // ------------------------------------------------------------ throughput

  @ParameterizedTest
  @ValueSource(strings = {"vllm-0.2.7", "continuous", "fusespill", "fusespill-artifact"})
  void everyPolicy_servesAllUnderPressure(String policy) throws IOException {
    Path run = folder.resolve(policy);
    JsonNode figures = throughput(run, both(SMALL, PRESSED), "--policy", policy, "--json").json();
    assertThat(figures.get("num_requests").asInt()).isEqualTo(16);
    assertThat(figures.get("total_num_tokens").asInt()).isEqualTo(16 * (16 + 24));
    assertThat(figures.get("preemptions").asInt()).isPositive();
    assertThat(figures.get("tokens_per_second").asDouble())
        .isEqualTo(
            figures.get("total_num_tokens").asDouble() / figures.get("elapsed_time").asDouble());
    assertThat(Cli.run("verify", run).exitCode()).isZero();
    assertThat(Files.readAllLines(run.resolve("requests.csv"))).hasSize(1 + 16);
    assertThat(lines(run.resolve("outputs.jsonl")))
        .hasSize(16)
        .allSatisfy(output -> {
          assertThat(output.get("token_ids")).hasSize(24);
          assertThat(output.get("finish_reason").asText()).isEqualTo("length");
        });
    assertThat(MAPPER.readTree(run.resolve("summary.json").toFile()).get("journal_digest"))
        .isEqualTo(figures.get("journal_digest"));
  }

  @Test
  void spilledTokens_areThoseOfAmpleMemory() throws IOException {
    throughput(folder.resolve("ample"), SMALL);
    throughput(folder.resolve("pressed"), both(SMALL, PRESSED), "--policy", "fusespill");
    assertThat(folder.resolve("pressed/outputs.jsonl"))
        .hasSameTextualContentAs(folder.resolve("ample/outputs.jsonl"));
  }

  @Test
  void report_beginsWithVllmsLine() {
    Cli cli = throughput(folder.resolve("run"), SMALL, "--n", "2");
    assertThat(cli.out().lines().findFirst().orElseThrow())
        .matches("Throughput: \\d+\\.\\d\\d requests/s, \\d+\\.\\d\\d tokens/s");
    assertThat(cli.out()).contains("TTFT", "TPOT", "E2E", "preemptions", "(live)");
  }

  /// The default policy keeps all KV on devices; what nobody has asked for is not worth a word.
  @Test
  void optionsOfNoUse_areNoted() {
    List<String> few =
        List.of(
            "--num-prompts",
            "2",
            "--input-len",
            "8",
            "--output-len",
            "4",
            "--device",
            "host:blocks=9,threads=1");
    assertThat(bench("throughput", few, "--journal", "none", "--quiet").err()).isEmpty();
    Cli cli =
        bench(
            "throughput",
            few,
            "--journal",
            "none",
            "--quiet",
            "--swap-space",
            "0.02",
            "--disk",
            "0.01",
            "--attention");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.errorLines())
        .singleElement()
        .asString()
        .contains("policy continuous makes no use of --swap-space, --disk, --attention here");
    Cli used =
        bench(
            "throughput",
            few,
            "--journal",
            "none",
            "--quiet",
            "--swap-space",
            "0.02",
            "--disk",
            "0.01",
            "--attention",
            "--policy",
            "fusespill");
    assertThat(used.exitCode()).as(used.err()).isZero();
    assertThat(used.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bench throughput", "simulate"})
  void helpsPolicyOption_isOneOfThePolicyThatItNames(String command) {
    String help =
        Cli.run((Object[]) (command + " --help").split(" ", -1)).out().replaceAll("\\s+", " ");
    Matcher example = Pattern.compile("for example (\\S+)=\\S+ of (\\S+);").matcher(help);
    assertThat(example.find()).as(help).isTrue();
    assertThat(PolicyKind.named(example.group(2)).options().stream().map(PolicyOption::name))
        .contains(example.group(1));
  }

  @Test
  void underscores_areHyphens() {
    Cli cli =
        bench(
            "throughput",
            List.of("--num_prompts=3", "--input_len", "8", "--output_len", "4", "--journal"),
            "none",
            "--async_submit",
            "2",
            "--disable_log_stats",
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.json().get("num_requests").asInt()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--gpu-blocks", "--num_gpu_blocks_override"})
  void vllmsNameForBlocks_isOfTheFirstDevice(String option) throws IOException {
    Path run = folder.resolve("run");
    throughput(
        run,
        both(SMALL, List.of("--device", "host:threads=1", "--aux", "host:blocks=9,threads=1")),
        option,
        "50");
    JsonNode places = MAPPER.readTree(run.resolve("config.json").toFile()).get("places");
    assertThat(places.get(0).get("blocks").asInt()).isEqualTo(50);
    assertThat(places.get(1).get("blocks").asInt()).isEqualTo(9);
  }

  /// One after the other: those at the end of the queue never begin.
  @Test
  void requestThatTakesTooLong_isCancelled() throws IOException {
    Path run = folder.resolve("run");
    List<String> long1 = List.of("--num-prompts", "24", "--input-len", "16", "--output-len", "480");
    JsonNode figures =
        throughput(run, long1, "--max-num-seqs", "1", "--request-timeout", "0.3", "--json").json();
    assertThat(figures.get("cancelled").asInt()).isPositive();
    assertThat(figures.get("completed").asInt() + figures.get("cancelled").asInt()).isEqualTo(24);
    assertThat(figures.get("num_requests")).isEqualTo(figures.get("completed"));
    assertThat(Files.readAllLines(run.resolve("requests.csv")))
        .anyMatch(line -> line.startsWith("23,cancelled,"));
    assertThat(lines(run.resolve("outputs.jsonl")).getLast().get("finish_reason").asText())
        .isEqualTo("cancelled");
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  @Test
  void lessThanANanosecond_isNotForEver() {
    JsonNode figures =
        throughput(
                folder.resolve("run"),
                List.of("--num-prompts", "6", "--input-len", "16", "--output-len", "240"),
                "--max-num-seqs",
                "1",
                "--request-timeout",
                "1e-10",
                "--json")
            .json();
    assertThat(figures.get("cancelled").asInt()).isPositive();
  }

  /// Its clients have waited for the run's own time, which is longer than they are ready to.
  @Test
  void requestThatTakesTooLong_isCancelledOfAResumedRun_too() throws IOException {
    Path run = folder.resolve("run");
    List<String> long1 = List.of("--num-prompts", "6", "--input-len", "16", "--output-len", "240");
    throughput(run, long1, "--max-num-seqs", "1", "--request-timeout", "1000");
    Files.delete(run.resolve("outputs.jsonl"));
    Files.delete(run.resolve("summary.json"));
    cut(run.resolve("journal"));
    Path live = run.resolve("live.json");
    String patient = Files.readString(live);
    assertThat(patient).contains("1000000000000");
    Files.writeString(live, patient.replace("1000000000000", "1000000"));
    JsonNode resumed = Cli.run("resume", run, "--json").json();
    assertThat(resumed.get("cancelled").asInt()).isPositive();
    assertThat(resumed.get("completed").asInt() + resumed.get("cancelled").asInt()).isEqualTo(6);
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  @Test
  void patientClients_cancelNothing() {
    JsonNode figures =
        throughput(
                folder.resolve("run"),
                SMALL,
                "--request-timeout",
                "100",
                "--request-rate",
                "200",
                "--json")
            .json();
    assertThat(figures.get("completed").asInt()).isEqualTo(16);
  }

  /// What the engine is told of each request: without the flag nothing of its length.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void policy_learnsLengthsOnlyWhenResponseAware(boolean aware) throws IOException {
    Path run = folder.resolve("run");
    List<String> flags = aware ? List.of("--response-aware") : List.of("--seed", "0");
    throughput(run, both(SMALL, flags), "--policy", "fusespill");
    assertThat(lines(run.resolve("requests.jsonl")))
        .allSatisfy(request -> {
          assertThat(request.get("hint_tokens").asInt()).isEqualTo(aware ? 24 : 0);
          assertThat(request.get("max_output_tokens").asInt()).isEqualTo(512);
        });
    assertThat(MAPPER.readTree(run.resolve("config.json").toFile()).get("predictor").asText())
        .isEqualTo(aware ? "declared" : "kaplan-meier");
  }

  @Test
  void random_isNoDataset() {
    throughput(folder.resolve("named"), SMALL, "--dataset", "random");
    throughput(folder.resolve("default"), SMALL);
    assertThat(folder.resolve("named/requests.jsonl"))
        .hasSameTextualContentAs(folder.resolve("default/requests.jsonl"));
  }

  @Test
  void trace_givesLengthsAndTimes() throws IOException {
    Path trace =
        Files.writeString(
            folder.resolve("trace.csv"),
            "num_prefill_tokens,num_decode_tokens,arrived_at\n30,5,0\n10,600,0.1\n20,7,0.2\n10,9,0.3\n");
    throughput(folder.resolve("own"), List.of("--dataset", trace.toString(), "--arrivals"));
    List<JsonNode> own = lines(folder.resolve("own/requests.jsonl"));
    assertThat(own.stream().map(each -> each.get("prompt_ids").size())).containsExactly(30, 20, 10);
    assertThat(own.stream().map(each -> each.get("params").get("max_tokens").asInt()))
        .containsExactly(5, 7, 9);
    assertThat(own.stream().map(each -> each.get("arrival_nanos").asLong()))
        .containsExactly(0L, 200_000_000L, 300_000_000L);
    Cli sorted =
        throughput(
            folder.resolve("sorted"),
            List.of("--dataset", trace.toString(), "--sorted-request", "--request-rate", "100"));
    List<JsonNode> drawn = lines(folder.resolve("sorted/requests.jsonl"));
    assertThat(drawn.stream().map(each -> each.get("prompt_ids").size()))
        .containsExactly(10, 20, 30);
    assertThat(drawn.get(1).get("arrival_nanos").asLong()).isPositive();
    assertThat(sorted.out()).contains("skipped  1 row");
  }

  @Test
  void shareGpt_isTokenized() throws IOException {
    Path dataset = folder.resolve("chat.json");
    Files.writeString(
        dataset,
        """
        [{"id": "a", "conversations": [{"from": "human", "value": "def f(x): return x + 1"},
                                       {"from": "gpt", "value": "a function of one number"}]},
         {"id": "b", "conversations": [{"from": "human", "value": "alone"}]},
         {"id": "c", "conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}]}]
        """);
    Path run = folder.resolve("run");
    JsonNode figures = throughput(run, List.of("--dataset", dataset.toString(), "--json")).json();
    assertThat(figures.get("num_requests").asInt()).isEqualTo(1);
    assertThat(lines(run.resolve("requests.jsonl")).getFirst().get("prompt_ids").size())
        .isEqualTo(figures.get("total_input_tokens").asInt());
  }

  /// In the order of the file, as long as each line says.
  @Test
  void customDataset_isTokenized() throws IOException {
    Path dataset = folder.resolve("prompts.jsonl");
    Files.writeString(
        dataset,
        """
        {"prompt": "def f(x): return x + 1", "output_tokens": 7}
        {"prompt": "too long", "output_tokens": 600}
        {"prompt": "", "output_tokens": 3}
        {"prompt": "x", "output_tokens": 5, "other": [1]}
        """);
    Path run = folder.resolve("run");
    JsonNode figures =
        throughput(run, List.of("--dataset", dataset.toString(), "--skip-invalid", "--json"))
            .json();
    assertThat(figures.get("skipped_rows").asInt()).isEqualTo(2);
    assertThat(lines(run.resolve("outputs.jsonl")).stream().map(o -> o.get("token_ids").size()))
        .containsExactly(7, 5);
    Path fixed = folder.resolve("fixed");
    throughput(
        fixed,
        List.of(
            "--dataset",
            dataset.toString(),
            "--format",
            "custom",
            "--output-len",
            "4",
            "--num-prompts",
            "2"));
    assertThat(lines(fixed.resolve("outputs.jsonl")).stream().map(o -> o.get("token_ids").size()))
        .containsExactly(4, 4);
  }

  // --------------------------------------------------------------- latency

  @Test
  void latency_isOfEachBatch() throws IOException {
    Cli cli =
        bench(
            "latency",
            List.of("--input-len", "8", "--output-len", "5", "--batch-size", "3"),
            "--num-iters",
            "4",
            "-o",
            folder.resolve("run"),
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    JsonNode json = cli.json();
    assertThat(json.get("latencies")).hasSize(4);
    double sum = 0;
    for (JsonNode latency : json.get("latencies")) {
      sum += latency.asDouble();
    }
    assertThat(json.get("avg_latency").asDouble())
        .isCloseTo(sum / 4, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(json.get("percentiles").properties().stream().map(each -> each.getKey()))
        .containsExactly("10", "25", "50", "75", "90", "99");
    assertThat(lines(folder.resolve("run/outputs.jsonl"))).hasSize(3 * (1 + 4));
  }

  /// Weights that are no numbers: a batch that was not served has no time.
  @Test
  void latencyOfWhatIsGivenUp_isNotMeasured() throws IOException {
    Cli cli =
        bench(
            "latency",
            List.of("--device", "host:blocks=400", "--batch-size", "2"),
            "--model",
            modelOfNoNumbers());
    assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.errorLines())
        .singleElement()
        .asString()
        .contains("prompt 1, sample 1, was given up: its logits have a NaN");
  }

  @Test
  void throughputOfWhatIsGivenUp_namesTheCause() throws IOException {
    Cli cli =
        bench(
            "throughput",
            SMALL,
            "--model",
            modelOfNoNumbers(),
            "--out",
            folder.resolve("run"),
            "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.json().get("failed").asInt()).isEqualTo(16);
    assertThat(cli.json().get("failed_steps").asInt()).isZero();
    assertThat(cli.errorLines())
        .contains(
            "fusespill: 16 of 16 requests were given up, the last one: its logits have a NaN or no finite maximum");
    assertThat(Cli.run("verify", folder.resolve("run")).exitCode()).isZero();
    Cli story = Cli.run("explain", folder.resolve("run"), "--request", "0");
    assertThat(story.out()).contains("could sample no token for it: its logits have a NaN");
  }

  /// The last layer normalises with NaNs.
  private Path modelOfNoNumbers() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    try (Stream<Path> files = Files.list(TinyModel.LLAMA_2)) {
      for (Path file : files.toList()) {
        Files.write(model.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
    Path weights = model.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Arrays.fill(bytes, bytes.length - 64, bytes.length, (byte) 0xff);
    Files.write(weights, bytes);
    return model;
  }

  @Test
  void requestThatNeverFits_endsTheBenchmark() {
    Cli cli = bench("latency", List.of("--device", "host:blocks=1"));
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains("160 tokens");
  }

  // ---------------------------------------------------------------- resume

  @Test
  void completeRun_staysAsItIs() {
    Path run = folder.resolve("run");
    throughput(run, SMALL);
    Cli again = Cli.run("resume", run);
    assertThat(again.exitCode()).isZero();
    assertThat(again.out()).contains("is complete", "16 requests");
    assertThat(Cli.run("resume", run, "--json").json().get("resumed").asBoolean()).isFalse();
  }

  /// Half of the journal is gone, as if the machine had stopped there.
  @Test
  void interruptedRun_goesOnToTheSameOutputs() throws IOException {
    Path run = folder.resolve("run");
    throughput(run, both(SMALL, PRESSED), "--policy", "fusespill", "--disk", "0.01");
    String outputs = Files.readString(run.resolve("outputs.jsonl"));
    Files.delete(run.resolve("outputs.jsonl"));
    Files.delete(run.resolve("summary.json"));
    cut(run.resolve("journal"));
    assertThat(Cli.run("verify", run).out()).contains("ends in the middle");
    assertThat(MAPPER.readTree(run.resolve("live.json").toFile()).get("measured").asBoolean())
        .isTrue();

    JsonNode resumed = Cli.run("resume", run, "--json").json();
    assertThat(
            resumed.get("requests_ended_before").asInt()
                + resumed.get("requests_gone_on").asInt()
                + resumed.get("requests_new").asInt())
        .isEqualTo(16);
    assertThat(resumed.get("requests_gone_on").asInt()).isPositive();
    assertThat(resumed.get("completed").asInt()).isEqualTo(16);
    assertThat(resumed.get("num_requests").asInt())
        .isEqualTo(16 - resumed.get("requests_ended_before").asInt());
    assertThat(resumed.get("total_num_tokens").asInt())
        .isEqualTo(resumed.get("num_requests").asInt() * (16 + 24));
    assertThat(resumed.get("elapsed_time").asDouble())
        .isPositive()
        .isLessThan(resumed.get("duration").asDouble());
    assertThat(resumed.get("tokens_per_second").asDouble())
        .isEqualTo(
            resumed.get("total_num_tokens").asDouble() / resumed.get("elapsed_time").asDouble());
    assertThat(run.resolve("outputs.jsonl")).hasContent(outputs);
    assertThat(Files.readAllLines(run.resolve("requests.csv"))).hasSize(1 + 16);
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  @Test
  void interruptedLatency_isNotResumed() throws IOException {
    Path run = folder.resolve("run");
    bench("latency", List.of("--batch-size", "1", "--num-iters", "1", "-o", run.toString()));
    assertThat(Cli.run("resume", run).out()).contains("is complete", "outputs.jsonl");
    Files.delete(run.resolve("outputs.jsonl"));
    Cli cli = Cli.run("resume", run);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains("bench latency", "again");
  }

  /// `resume` was killed twice: while it wrote the journal again, and before it began to.
  @Test
  void interruptedResume_leavesTheWholeJournalToOtherCommands() throws IOException {
    Path run = folder.resolve("run");
    throughput(run, SMALL);
    String whole = Cli.run("dump", run).out();
    Path journal = run.resolve("journal");
    Path before = Files.createDirectory(run.resolve("journal.before"));
    try (Stream<Path> files = Files.list(journal)) {
      for (Path file : files.toList()) {
        Files.copy(file, before.resolve(file.getFileName()));
      }
    }
    cut(journal);
    assertThat(Cli.run("dump", journal).out()).isNotEqualTo(whole);

    assertThat(Cli.run("dump", run).out()).isEqualTo(whole);
    Files.move(journal, folder.resolve("half"));
    assertThat(Cli.run("dump", run).out()).isEqualTo(whole);
  }

  private static void cut(Path journal) throws IOException {
    try (Stream<Path> files = Files.list(journal)) {
      Path queue = files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
      try (RandomAccessFile file = new RandomAccessFile(queue.toFile(), "rw")) {
        long length = file.length();
        file.setLength(length / 2);
        file.setLength(length);
      }
    }
  }

  @Test
  void simulation_isNotResumed() throws IOException {
    Path trace = Files.writeString(folder.resolve("t.csv"), "prompt_len,output_len\n100,10\n");
    Path run = folder.resolve("run");
    Cli.run("simulate", "--trace", trace, "--model", "vicuna-7b", "--device", "a10", "--out", run);
    Cli cli = Cli.run("resume", run);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).singleElement().asString().contains("is a simulation");
  }

  // -------------------------------------------------------------- the rest

  @Test
  void otherCommands_readTheRun() {
    Path run = folder.resolve("run");
    throughput(run, both(SMALL, PRESSED), "--policy", "fusespill");
    assertThat(Cli.run("inspect", run, "--at", "50").exitCode()).isZero();
    assertThat(Cli.run("explain", run, "--sequence", "3").exitCode()).isZero();
    assertThat(Cli.run("report", run, "-o", folder.resolve("report.html")).exitCode()).isZero();
    Cli whatIf = Cli.run("whatif", run, "--device", "a10", "--policy", "continuous");
    assertThat(whatIf.exitCode()).as(whatIf.err()).isZero();
    assertThat(whatIf.out()).contains("recorded fusespill", "what if continuous");
    Cli alone =
        Cli.run(
            "whatif",
            run.resolve("journal"),
            "--device",
            "a10",
            "--policy",
            "continuous",
            "--model",
            TinyModel.LLAMA_2.resolve("config.json"));
    assertThat(alone.exitCode()).as(alone.err()).isZero();
    assertThat(alone.out()).contains("recorded fusespill", "what if continuous");
  }
}
