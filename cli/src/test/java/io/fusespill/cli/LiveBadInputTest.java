package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.cuda.driver.Cuda;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever a user gets wrong about a live run ends in one line that names the value, and exit code
/// 2.
class LiveBadInputTest {

  @TempDir private Path folder;

  static Stream<Arguments> generateOptions() {
    return Stream.of(
        arguments(List.of(), List.of("no prompt", "--prompt")),
        arguments(List.of("--prompt", ""), List.of("prompt is empty")),
        arguments(List.of("--chat", ""), List.of("prompt is empty")),
        arguments(
            List.of("--chat", "hi"), List.of("no chat template", "--chat-template", "--prompt")),
        arguments(List.of("--prompt", "x", "--system", "y"), List.of("--system", "--chat")),
        arguments(
            List.of("--chat", "x", "--chat-template", "no-such-file"),
            List.of("no-such-file cannot be read")),
        arguments(
            List.of("--chat", "x", "--chat-template-kwargs", "[1]"),
            List.of("--chat-template-kwargs is [1]", "JSON object")),
        arguments(
            List.of("--prompt-file", "no-such-file"), List.of("no file no-such-file: name one")),
        arguments(
            List.of("--prompt", "x", "--block-size", "2000"),
            List.of("block-size is 2,000", "1 to 1,024")),
        arguments(
            List.of("--prompt", "many words in a row", "--max-model-len", "3"),
            List.of("at most 2", "--max-model-len")),
        arguments(List.of("--prompt", "x", "--max-model-len", "100000"), List.of("100000", "512")),
        arguments(List.of("--prompt", "x", "--device", "gpu"), List.of("gpu", "host")),
        arguments(List.of("--prompt", "x", "--device", "host:blocks=0"), List.of("blocks=0")),
        arguments(
            List.of("--prompt", "x", "--num-gpu-blocks-override", "0"),
            List.of("--gpu-blocks is 0", "1 to 100,000,000")),
        arguments(
            List.of("--prompt", "x", "--device", "host:blocks=3", "--gpu-blocks", "4"),
            List.of("--gpu-blocks is 4", "host:blocks=3")),
        arguments(List.of("--prompt", "x", "--aux", "host:cores=2"), List.of("cores=2", "threads")),
        arguments(
            List.of("--prompt", "x", "--attention", "host:blocks=2"),
            List.of("blocks=2", "--swap-space")),
        arguments(
            List.of("--prompt", "x", "--attention", "--swap-space", "0"), List.of("swap space 0")),
        arguments(List.of("--prompt", "x", "--swap-space", "-1"), List.of("-1")),
        arguments(List.of("--prompt", "x", "--swap-space", "NaN"), List.of("NaN")),
        arguments(
            List.of("--prompt", "x", "--disk", "1e6"),
            List.of("disk of 1000000.0 GiB", "at most 100,000,000", "--block-size")),
        arguments(
            List.of("--prompt", "x", "--gpu-memory-utilization", "1.5"), List.of("1.5", "most 1")),
        arguments(
            List.of("--prompt", "x", "--gpu-memory-utilization", "0.000001"),
            List.of(" is -", "a KV block needs ", "--gpu-memory-utilization")),
        arguments(List.of("--prompt", "x", "--kv-cache-dtype", "fp8"), List.of("fp8", "bf16")),
        arguments(List.of("--prompt", "x", "--dtype", "f16"), List.of("--dtype f16", "GPU")),
        arguments(
            List.of("--prompt", "x", "--device", "cuda:0", "--dtype", "f64"),
            List.of("--dtype is \"f64\"", "bf16 or f16")),
        arguments(List.of("--prompt", "x", "--load-format", "pickle"), List.of("pickle", "dummy")),
        arguments(List.of("--prompt", "x", "--policy", "fifo"), List.of("fifo", "continuous")),
        arguments(List.of("--prompt", "x", "--predictor", "oracle"), List.of("oracle", "nobody")),
        arguments(List.of("--prompt", "x", "--depth", "9"), List.of("--depth is 9", "8")),
        arguments(List.of("--prompt", "x", "--max-num-seqs", "0"), List.of("--max-num-seqs", "0")),
        arguments(
            List.of("--prompt", "x", "--tensor-parallel-size", "2"),
            List.of("--tensor-parallel-size is 2", "must be 1")),
        arguments(List.of("--prompt", "x", "--worker-use-ray"), List.of("--worker-use-ray")),
        arguments(List.of("--prompt", "x", "--temperature", "-1"), List.of("--temperature is -1")),
        arguments(List.of("--prompt", "x", "--top_p", "2"), List.of("--top-p is 2")),
        arguments(List.of("--prompt", "x", "--max-tokens", "0"), List.of("--max-tokens is 0")),
        arguments(List.of("--prompt", "x", "--logprobs", "21"), List.of("--logprobs is 21")),
        arguments(
            List.of("--prompt", "x", "-n", "300"), List.of("--n is 300", "256", "--max-num-seqs")),
        arguments(List.of("--prompt", "x", "-n", "2", "--temperature", "0"), List.of("--n is 2")),
        arguments(
            List.of("--prompt", "x", "--stop-token-ids", "3,600"),
            List.of("--stop-token-ids has 600", "0 to 599")),
        arguments(
            List.of("--prompt", "x", "--stop", ""), List.of("--stop", "empty", "1 character")),
        arguments(
            List.of("--prompt", "x", "--max-tokens", "2", "--min-tokens", "4"),
            List.of("--min-tokens is 4", "at most --max-tokens, 2")),
        arguments(List.of("--prompt", "x", "--tokenizer", "nowhere"), List.of("nowhere")),
        arguments(List.of("--promt", "x"), List.of("--promt", "--prompt")),
        arguments(
            List.of("--prompt", "x", "--journal", "none", "-o", "there"),
            List.of("--journal none")));
  }

  @ParameterizedTest
  @MethodSource("generateOptions")
  void badOptionOfGenerate_isNamed(List<String> options, List<String> named) {
    assertOneLine(run(List.of("generate"), options), named);
  }

  static Stream<Arguments> throughputOptions() {
    return Stream.of(
        arguments(List.of("--device", "cuda:0#x"), List.of("cuda:0#x", "cuda:0", "devices")),
        arguments(List.of("--device", "cuda"), List.of("device cuda ", "cuda:N")),
        arguments(List.of("--device", "cuda:0#99"), List.of("\"99\"", "cuda:0#99", "1 to 16")),
        arguments(List.of("--device", "cuda:0:threads=2"), List.of("threads=2", "blocks=N")),
        arguments(List.of("--device", "cuda:0:blocks=0"), List.of("\"0\"", "blocks=0")),
        arguments(
            List.of("--device", "cuda:0", "--aux", "cuda:0"),
            List.of("cuda-0 is named twice", "cuda:0#2")),
        arguments(List.of("--attention", "cuda:0"), List.of("host's cores", "host:threads=2")),
        arguments(
            List.of("--device", "cuda:0", "--kv-cache-dtype", "f32"),
            List.of("kv-cache-dtype is f32", "f16 or auto")),
        arguments(
            List.of("--aux", "cuda:0", "--dtype", "half", "--kv-cache-dtype", "bf16"),
            List.of("kv-cache-dtype is bf16", "f16 or auto", "--dtype")),
        arguments(
            List.of("--device", "cuda:0", "--dtype", "bfloat16", "--kv-cache-dtype", "f16"),
            List.of("kv-cache-dtype is f16", "bf16 or auto")),
        arguments(List.of("--num-prompts", "0"), List.of("--num-prompts is 0")),
        arguments(List.of("--input-len", "500"), List.of("--input-len", "512")),
        arguments(List.of("--output-len", "0"), List.of("--output-len is 0")),
        arguments(List.of("--range-ratio", "1"), List.of("--range-ratio is 1")),
        arguments(List.of("--dataset", "no-such-file"), List.of("no-such-file")),
        arguments(List.of("--dataset", "."), List.of(". is not a file")),
        arguments(
            List.of("--dataset", "pom.xml", "--format", "sharegtp"),
            List.of("sharegtp", "sharegpt?", "custom")),
        arguments(List.of("--request-rate", "fast"), List.of("fast")),
        arguments(List.of("--request-rate", "-1"), List.of("-1")),
        arguments(List.of("--burstiness", "2"), List.of("--burstiness", "--request-rate")),
        arguments(List.of("--arrivals"), List.of("--arrivals", "--dataset")),
        arguments(List.of("--request-timeout", "0"), List.of("--request-timeout is 0", "above 0")),
        arguments(List.of("--request-timeout", "NaN"), List.of("--request-timeout is NaN")),
        arguments(List.of("--n", "0"), List.of("--n is 0")));
  }

  @ParameterizedTest
  @MethodSource("throughputOptions")
  void badOptionOfThroughput_isNamed(List<String> options, List<String> named) {
    assertOneLine(run(List.of("bench", "throughput"), options), named);
    assertThat(Path.of("runs")).doesNotExist();
  }

  static Stream<Arguments> gpuCommands() {
    return Stream.of(
        arguments(List.of("generate", "--prompt", "x"), List.of("--device", "cuda:0")),
        arguments(List.of("bench", "throughput"), List.of("--device", "cuda:0")),
        arguments(List.of("bench", "throughput"), List.of("--device", "cuda:9")),
        arguments(List.of("bench", "throughput"), List.of("--device", "cuda:0:blocks=64")),
        arguments(List.of("bench", "throughput"), List.of("--aux", "cuda:0#2")),
        arguments(List.of("bench", "latency"), List.of("--device", "cuda:0")));
  }

  @ParameterizedTest
  @MethodSource("gpuCommands")
  void gpuOnAMachineWithoutOne_isNamed(List<String> command, List<String> options) {
    assumeTrue(Cuda.unavailable().isPresent(), "this machine has a GPU");
    Path out = folder.resolve("run");
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of("--quiet", "-o", out.toString()));
    assertOneLine(run(command, all), List.of(Cuda.unavailable().orElseThrow()));
    assertThat(out).doesNotExist();
  }

  static Stream<Arguments> datasets() {
    return Stream.of(
        arguments("a,b\n1,2\n", List.of("no known format", "--format: sharegpt, custom, azure")),
        arguments(
            "{\"prompt\": \"x\", \"output_tokens\": 0}",
            List.of(":1: \"output_tokens\" is 0", "1 to 10000000", "--skip-invalid")),
        arguments("{\"prompt\": \"x\"}", List.of(":1: \"output_tokens\" is not", "--output-len")),
        arguments(
            "{\"prompt\": \"x\", \"output_tokens\": 2}\n{\"prompt\": 3}",
            List.of(":2: \"prompt\"")),
        arguments(
            "{\"prompt\": \"x\", \"output_tokens\": 999}",
            List.of("no request of at most 512 tokens")),
        arguments("prompt_len,output_len\n100,10\n12x,5\n", List.of("12x")),
        arguments("prompt_len,output_len\n500,100\n", List.of("no request of at most 512 tokens")),
        arguments("[{\"conver", List.of("element 0", "cannot be read")),
        arguments("[{\"turns\": []}]", List.of("element 0", "conversations")),
        arguments(
            "[{\"conversations\": [{\"value\": 1}, {\"value\": \"x\"}]}]",
            List.of("element 0", "turn 0")),
        arguments("[]", List.of("no conversation")));
  }

  @ParameterizedTest
  @MethodSource("datasets")
  void badDataset_isNamed(String content, List<String> named) throws IOException {
    Path dataset = Files.writeString(folder.resolve("dataset"), content);
    assertOneLine(
        run(List.of("bench", "throughput"), List.of("--dataset", dataset.toString())), named);
  }

  @Test
  void moreBlocksThanTheHeapKeepsCountOf_areNamed() {
    List<String> options = new ArrayList<>(List.of("--prompt", "x"));
    for (int i = 0; i < 10; i++) {
      options.addAll(List.of("--aux", "host:blocks=100000000"));
    }
    options.addAll(List.of("--device", "host:blocks=1"));
    assertOneLine(
        run(List.of("generate"), options),
        List.of("KV blocks in all take", "heap", "--block-size", "-Xmx"));
  }

  /// Nothing is left of the run that could not be.
  @Test
  void diskThatTheFileSystemHasNoRoomFor_isNamed() throws IOException {
    Path out = folder.resolve("run");
    assertOneLine(benchWithoutRoom(out), List.of("--disk", "free", out.toString()));
    assertThat(out).doesNotExist();
  }

  @Test
  void runThatCannotBegin_bringsBackTheOneThatItReplaces() throws IOException {
    Path run = generated("run");
    String texts = Files.readString(run.resolve("outputs.jsonl"));
    assertOneLine(benchWithoutRoom(run, "--force"), List.of("--disk", "free"));
    assertThat(run.resolve("outputs.jsonl")).hasContent(texts);
    assertThat(run.resolve("earlier")).doesNotExist();
    assertThat(Cli.run("verify", run).exitCode()).isZero();
  }

  /// As where the process was killed: the earlier run lies aside until the new one is whole.
  @Test
  void runThatIsResumed_replacesTheEarlierOneOnceItIsWhole() throws IOException {
    Path killed = generated("killed");
    String texts = Files.readString(killed.resolve("outputs.jsonl"));
    Files.delete(killed.resolve("outputs.jsonl"));
    Files.delete(killed.resolve("summary.json"));
    Files.move(generated("earlier"), killed.resolve("earlier"));
    Cli cli = Cli.run("resume", killed);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(killed.resolve("outputs.jsonl")).hasContent(texts);
    assertThat(killed.resolve("earlier")).doesNotExist();
  }

  private Path generated(String name) {
    Path run = folder.resolve(name);
    Cli cli =
        Cli.run(
            "generate",
            "--model",
            TinyModel.LLAMA_2,
            "--prompt",
            "x",
            "--max-tokens",
            "2",
            "-o",
            run);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return run;
  }

  /// A benchmark with more disk than there is.
  private Cli benchWithoutRoom(Path out, String... more) throws IOException {
    long gib = Files.getFileStore(folder).getUsableSpace() / (1L << 30) + 2;
    List<String> options =
        List.of(
            "--num-prompts",
            "2",
            "--input-len",
            "8",
            "--output-len",
            "4",
            "--device",
            "host:blocks=2,threads=1",
            "--swap-space",
            "0.1",
            "--block-size",
            "512",
            "--policy",
            "fusespill",
            "--quiet");
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of("--disk", String.valueOf(gib), "-o", out.toString()));
    all.addAll(List.of(more));
    return run(List.of("bench", "throughput"), all);
  }

  @Test
  void missingModel_isNamed() {
    assertOneLine(
        Cli.run("generate", "--model", folder.resolve("none"), "--prompt", "x"),
        List.of("no model folder", "none"));
    assertOneLine(Cli.run("bench", "latency", "--model", folder), List.of("config.json"));
  }

  @Test
  void damagedTokenizer_isNamed() throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {\"vocab\": {");
    assertOneLine(
        Cli.run("generate", "--model", TinyModel.LLAMA_2, "--tokenizer", folder, "--prompt", "x"),
        List.of("tokenizer.json is not JSON (Unexpected end-of-input", "fetch the file again"));
  }

  @Test
  void folderWithoutRun_isNotResumed() throws IOException {
    assertOneLine(Cli.run("resume", folder.resolve("none")), List.of("no run", "none"));
    assertOneLine(Cli.run("resume", folder), List.of("not the folder of a run"));
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("live.json"), "{}");
    assertOneLine(Cli.run("resume", folder), List.of("before its first request"));
    Files.writeString(folder.resolve("requests.jsonl"), "{\n");
    assertOneLine(Cli.run("resume", folder), List.of("live.json", "model"));
    Files.writeString(folder.resolve("live.json"), "{\"model\": ");
    assertOneLine(Cli.run("resume", folder), List.of("live.json cannot", "start the run again"));
    String live =
        "{\"model\": \"%s\", \"load_format\": \"auto\", \"seed\": 0, \"kv_cache_dtype\": \"f32\", \"journal\": \"async\", \"threads\": {}}";
    Files.writeString(folder.resolve("live.json"), live.formatted("gone"));
    assertOneLine(Cli.run("resume", folder), List.of("no model folder gone", "as model in "));
    Files.writeString(folder.resolve("live.json"), live.formatted(TinyModel.LLAMA_2));
    assertOneLine(
        Cli.run("resume", folder), List.of("requests.jsonl, line 1,", "start the run again"));
    Files.writeString(folder.resolve("live.json"), "{\"modle\": \"x\"}");
    assertOneLine(
        Cli.run("resume", folder), List.of("unknown key of", "live.json", "\"modle\"", "model?"));
  }

  /// The folder is the run's to be edited, where the model has moved.
  @Test
  void damagedLiveFile_isNamed() throws IOException {
    Path run = generated("run");
    Files.delete(run.resolve("outputs.jsonl"));
    Path live = run.resolve("live.json");
    ObjectNode whole = (ObjectNode) new ObjectMapper().readTree(live.toFile());
    Map<String, List<String>> damages =
        Map.of(
            "seed", List.of("\"x\"", "seed is \"x\"", "whole number"),
            "load_format", List.of("\"gguf\"", "load_format is \"gguf\"", "must be auto or"),
            "journal", List.of("\"none\"", "journal is \"none\", must be async or sync"),
            "kv_cache_dtype", List.of("\"f8\"", "kv_cache_dtype is \"f8\"", "f32 or"),
            "threads", List.of("{\"0\": 0}", "threads of place 0 are 0", "1 to 1,024"),
            "gpus", List.of("{\"x\": 0}", "gpus has \"x\""));
    for (Map.Entry<String, List<String>> damage : damages.entrySet()) {
      ObjectNode changed = whole.deepCopy();
      changed.set(damage.getKey(), new ObjectMapper().readTree(damage.getValue().getFirst()));
      Files.writeString(live, changed.toString());
      List<String> named = new ArrayList<>(List.of("live.json cannot be read", "from a copy"));
      named.addAll(damage.getValue().subList(1, damage.getValue().size()));
      assertOneLine(Cli.run("resume", run), named);
      if (whole.path(damage.getKey()).size() == 0 && !damage.getKey().equals("gpus")) {
        changed.remove(damage.getKey());
        Files.writeString(live, changed.toString());
        assertOneLine(Cli.run("resume", run), List.of("it lacks " + damage.getKey()));
      }
    }
    Files.writeString(live, whole.deepCopy().set("threads", whole.objectNode()).toString());
    assertOneLine(Cli.run("resume", run), List.of("neither threads nor a GPU for place 0, host"));
    Files.writeString(live, whole.toString());
    assertThat(Cli.run("resume", run).exitCode()).isZero();
  }

  private Cli run(List<String> command, List<String> options) {
    List<Object> arguments = new ArrayList<>(command);
    arguments.add("--model");
    arguments.add(TinyModel.LLAMA_2);
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
