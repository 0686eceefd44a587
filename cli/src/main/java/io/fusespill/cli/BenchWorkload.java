package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.live.CustomDataset;
import io.fusespill.live.ShareGpt;
import io.fusespill.live.SizedPrompt;
import io.fusespill.live.TextRequest;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthDistribution;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SeededRandom;
import io.fusespill.traces.TokenDistribution;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceLimits;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import io.fusespill.traces.WorkloadGenerator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/// The requests of a benchmark: drawn, from a trace, or texts.
final class BenchWorkload {

  private static final String RANDOM = "random";
  private static final String SHARE_GPT = "sharegpt";
  private static final String CUSTOM = "custom";
  private static final String AT_ONCE = "inf";
  private static final List<String> TEXTS = List.of(SHARE_GPT, CUSTOM);
  private static final List<String> FORMATS =
      Stream.concat(TEXTS.stream(), Arrays.stream(TraceFormat.values()).map(TraceFormat::label))
          .toList();
  private static final int INPUT_LEN = 1024;
  private static final int OUTPUT_LEN = 128;
  private static final int PROMPTS_MAX = 10_000_000;

  @Option(
      names = {"--dataset", "--trace"},
      paramLabel = "FILE",
      converter = Dataset.class,
      description = {
        "ShareGPT's JSON, filtered as vLLM's benchmark does, JSONL with prompt and output_tokens, or a trace in any format that simulate reads, whose prompts are random ids; random (default): random ids of random lengths.",
        "Outputs are as long as the dataset says, whatever the model says."
      })
  private @Nullable Path dataset;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "Format of the dataset; told by its beginning if not given: sharegpt, custom, azure, burstgpt, mooncake, ragpulse, lengths, vllm, llmservingsim.")
  private @Nullable String format;

  @Option(
      names = "--num-prompts",
      defaultValue = "1000",
      paramLabel = "N",
      description = "Requests (default 1000); fewer where the dataset has no more.")
  private int numPrompts;

  @Option(
      names = {"--input-len", "--random-input-len"},
      paramLabel = "N",
      description = "Without a dataset: prompt tokens (default 1024).")
  private @Nullable Integer inputLen;

  @Option(
      names = {"--output-len", "--random-output-len"},
      paramLabel = "N",
      description = "Output tokens (default 128 without a dataset, else what the dataset says).")
  private @Nullable Integer outputLen;

  @Option(
      names = {"--range-ratio", "--random-range-ratio"},
      defaultValue = "0",
      paramLabel = "R",
      description =
          "Without a dataset: lengths are uniform from (1-R) to (1+R) times those (default 0; below 1).")
  private double rangeRatio;

  @Option(
      names = "--max-prompt",
      paramLabel = "TOKENS",
      description =
          "Leave out requests of the dataset with a longer prompt (default: of ShareGPT 1024, as vLLM does).")
  private @Nullable Integer maxPrompt;

  @Option(
      names = "--max-total",
      paramLabel = "TOKENS",
      description =
          "Leave out requests of the dataset with more prompt and output tokens together (default: of ShareGPT 2048, as vLLM does; 1512 is the paper's); never more than --max-model-len.")
  private @Nullable Integer maxTotal;

  @Option(
      names = "--skip-invalid",
      description =
          "Skip and count rows of a dataset that are not a request, instead of stopping at the first.")
  private boolean skipInvalid;

  @Option(names = "--sorted-request", description = "Send the shortest prompts first.")
  private boolean sorted;

  @Option(
      names = "--arrivals",
      description = "Send the trace's requests at the trace's own times (default: all at once).")
  private boolean ownArrivals;

  @Option(
      names = "--request-rate",
      defaultValue = AT_ONCE,
      paramLabel = "R",
      description =
          "Requests per second, with gaps as in vllm bench serve; 'inf' (default) for all at once.")
  private String requestRate;

  @Option(
      names = "--burstiness",
      paramLabel = "B",
      description =
          "With --request-rate: shape of the Gamma-distributed gaps; 1 is Poisson (default), less is burstier.")
  private @Nullable Double burstiness;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  BenchWorkload() {}

  /// A file, or null for the word that says that there is none.
  private static final class Dataset implements ITypeConverter<Path> {
    @Override
    public @Nullable Path convert(String value) {
      return value.equals(RANDOM) ? null : Path.of(value);
    }
  }

  /// Prompts with the time at which each is sent.
  ///
  /// @param skipped rows of a trace that were left out
  record Prompts(List<SizedPrompt> prompts, List<Long> arrivalNanos, long skipped) {

    /// As requests of `samples` samples each, every one with a seed of its own.
    ///
    /// @param hinted whether the policy is told the lengths
    List<TextRequest> requests(
        int samples, double temperature, long seed, boolean hinted, int maxModelTokens) {
      List<TextRequest> requests = new ArrayList<>();
      for (int i = 0; i < prompts.size(); i++) {
        requests.add(
            prompts
                .get(i)
                .request(
                    arrivalNanos.get(i), samples, temperature, seed + i, hinted, maxModelTokens));
      }
      return requests;
    }
  }

  /// Whether prompts are text, which needs a tokenizer.
  ///
  /// @throws UsageException if an option is not legal
  boolean text() {
    check();
    return dataset != null && TEXTS.contains(format(dataset));
  }

  /// The format's name, told by the file's beginning where it is not given.
  private String format(Path file) {
    if (format != null) {
      ScenarioOptions.requireKnown("format", format, FORMATS);
      return format;
    }
    if (ShareGpt.recognises(file)) {
      return SHARE_GPT;
    }
    return CustomDataset.recognises(file) ? CUSTOM : TraceFormat.detect(file, TEXTS).label();
  }

  private void check() {
    ScenarioOptions.within("--num-prompts", numPrompts, 1, PROMPTS_MAX);
    if (inputLen != null) {
      ScenarioOptions.within("--input-len", inputLen, 1, TraceLimits.MAX_TOKENS);
    }
    if (outputLen != null) {
      ScenarioOptions.within("--output-len", outputLen, 1, TraceLimits.MAX_TOKENS);
    }
    if (!(rangeRatio >= 0 && rangeRatio < 1)) {
      throw new UsageException("--range-ratio is %s, must be 0 to below 1".formatted(rangeRatio));
    }
    if (dataset == null) {
      refuse("--arrivals", ownArrivals, "there is no --dataset whose times these would be");
      refuse("--format", format != null, "there is no --dataset");
      refuse("--max-prompt", maxPrompt != null, "there is no --dataset to leave something out of");
      refuse("--max-total", maxTotal != null, "there is no --dataset to leave something out of");
    } else {
      WorkloadOptions.requireFile(dataset);
      refuse("--input-len", inputLen != null, "the prompts are those of --dataset");
      refuse("--range-ratio", rangeRatio > 0, "the lengths are those of --dataset");
      refuse(
          "--arrivals",
          ownArrivals && TEXTS.contains(format(dataset)),
          "the prompts of --dataset have no times");
    }
    refuse(
        "--arrivals", ownArrivals && !requestRate.equals(AT_ONCE), "--request-rate says another");
    refuse("--arrivals", ownArrivals && sorted, "--sorted-request changes the order");
    refuse(
        "--burstiness",
        burstiness != null && requestRate.equals(AT_ONCE),
        "there is no --request-rate");
    arrivals();
  }

  private static void refuse(String option, boolean given, String reason) {
    if (given) {
      throw new UsageException("%s is given, but %s: leave it away".formatted(option, reason));
    }
  }

  private ArrivalProcess arrivals() {
    if (requestRate.equals(AT_ONCE)) {
      return ArrivalProcess.atOnce();
    }
    try {
      return ArrivalProcess.gamma(
          Double.parseDouble(requestRate), burstiness == null ? 1 : burstiness);
    } catch (NumberFormatException e) {
      throw new UsageException(
          "--request-rate is '%s', must be requests per second above 0, or inf"
              .formatted(requestRate),
          e);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--request-rate %s: %s".formatted(requestRate, e.getMessage()), e);
    }
  }

  /// Draws or reads the requests.
  ///
  /// @param maxModelTokens the longest sequence that can be served
  /// @throws UsageException if there is none, or drawn ones could be too long
  Prompts prompts(LoadedModel model, int maxModelTokens, long seed, boolean quiet) {
    Prompts read =
        dataset == null
            ? random(model, maxModelTokens, seed)
            : switch (format(dataset)) {
              case SHARE_GPT -> conversations(dataset, model, maxModelTokens, seed, quiet);
              case CUSTOM -> texts(dataset, model, maxModelTokens, quiet);
              case String trace ->
                  trace(dataset, TraceFormat.named(trace), model, maxModelTokens, seed);
            };
    if (ownArrivals) {
      return read;
    }
    List<SizedPrompt> prompts = new ArrayList<>(read.prompts());
    if (sorted) {
      prompts.sort(SizedPrompt.BY_PROMPT);
    }
    LongSupplier times = arrivals().start(seed);
    return new Prompts(
        prompts, prompts.stream().map(prompt -> times.getAsLong()).toList(), read.skipped());
  }

  private Prompts random(LoadedModel model, int maxModelTokens, long seed) {
    int input = inputLen == null ? INPUT_LEN : inputLen;
    int output = outputLen == null ? OUTPUT_LEN : outputLen;
    TokenDistribution.Uniform inputs = around(input);
    TokenDistribution.Uniform outputs = around(output);
    requireRoom(inputs.max(), outputs.max(), maxModelTokens);
    return withIds(
        new WorkloadGenerator(
            LengthDistribution.independent(inputs, outputs),
            LengthFilter.NONE,
            ArrivalProcess.atOnce(),
            numPrompts,
            seed),
        model,
        seed);
  }

  private TokenDistribution.Uniform around(int tokens) {
    return new TokenDistribution.Uniform(
        Math.max(1, (int) (tokens * (1 - rangeRatio))), (int) (tokens * (1 + rangeRatio)));
  }

  /// @throws UsageException if such a request could not be served
  static void requireRoom(int inputLen, int outputLen, int maxModelTokens) {
    if ((long) inputLen + outputLen > maxModelTokens) {
      throw new UsageException(
          "prompts of %,d tokens with outputs of %,d are longer than a sequence may be, %,d: make --input-len or --output-len smaller (or --max-model-len larger, where the model allows it)"
              .formatted(inputLen, outputLen, maxModelTokens));
    }
  }

  private Prompts conversations(
      Path file, LoadedModel model, int maxModelTokens, long seed, boolean quiet) {
    try (ProgressLine progress = new ProgressLine("tokenize", "requests", numPrompts, quiet)) {
      List<SizedPrompt> prompts =
          ShareGpt.read(file)
              .sample(
                  model.requireTokenizer(),
                  numPrompts,
                  outputLen == null ? 0 : outputLen,
                  filter(ShareGpt.VLLM, maxModelTokens),
                  seed,
                  progress::at);
      return new Prompts(prompts, List.of(), 0);
    }
  }

  private Prompts texts(Path file, LoadedModel model, int maxModelTokens, boolean quiet) {
    LengthFilter lengths = filter(LengthFilter.NONE, maxModelTokens);
    try (ProgressLine progress = new ProgressLine("tokenize", "requests", numPrompts, quiet)) {
      CustomDataset.Requests read =
          CustomDataset.read(
              file,
              model.requireTokenizer(),
              numPrompts,
              outputLen == null ? 0 : outputLen,
              lengths,
              skipInvalid,
              progress::at);
      return some(new Prompts(read.prompts(), List.of(), read.skipped()), file, lengths);
    }
  }

  private static Prompts some(Prompts prompts, Path file, LengthFilter lengths) {
    if (prompts.prompts().isEmpty()) {
      throw new UsageException(
          "%s holds no request of at most %,d tokens".formatted(file, lengths.maxTotalTokens()));
    }
    return prompts;
  }

  private Prompts trace(
      Path file, TraceFormat known, LoadedModel model, int maxModelTokens, long seed) {
    ReadOptions options =
        new ReadOptions(numPrompts, skipInvalid, filter(LengthFilter.NONE, maxModelTokens));
    try (TraceReader reader = known.open(file, options)) {
      return some(withIds(reader, model, seed), file, options.lengths());
    }
  }

  private LengthFilter filter(LengthFilter standard, int maxModelTokens) {
    int prompt = maxPrompt == null ? standard.maxPromptTokens() : maxPrompt;
    int total = maxTotal == null ? standard.maxTotalTokens() : maxTotal;
    try {
      return new LengthFilter(prompt, Math.min(total, maxModelTokens));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private Prompts withIds(TraceReader reader, LoadedModel model, long seed) {
    SeededRandom random = new SeededRandom(seed, "token ids");
    List<SizedPrompt> prompts = new ArrayList<>();
    List<Long> arrivals = new ArrayList<>();
    while (reader.hasNext()) {
      TraceRequest request = reader.next();
      int output = dataset == null || outputLen == null ? request.outputTokens() : outputLen;
      prompts.add(
          SizedPrompt.random(request.promptTokens(), output, model.config().vocabulary(), random));
      arrivals.add(request.arrivalNanos());
    }
    return new Prompts(prompts, arrivals, reader.skipped());
  }

  /// What the requests are, for people and for the digest.
  ObjectNode describe() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("trace", dataset == null ? RANDOM : String.valueOf(dataset.getFileName()));
    json.put("format", format);
    json.put("num_prompts", numPrompts);
    json.put("input_len", inputLen);
    json.put("output_len", outputLen);
    json.put("range_ratio", rangeRatio);
    json.put("max_prompt", maxPrompt);
    json.put("max_total", maxTotal);
    json.put("skip_invalid", skipInvalid);
    json.put("sorted", sorted);
    json.put("own_arrivals", ownArrivals);
    json.put("request_rate", requestRate);
    json.put("burstiness", burstiness);
    return json;
  }
}
