package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.SizedPrompt;
import io.fusespill.live.TextRequest;
import io.fusespill.traces.SeededRandom;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// How long one batch takes.
@Command(
    name = "latency",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Serves the same batch again and again, one at a time, and prints how long it takes from the first request's arrival to the last token, as vLLM's benchmark_latency.py does.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill bench latency --model models/TinyLlama --input-len 32 --output-len 128 --batch-size 8",
      "  fusespill bench latency --model models/TinyLlama --load-format dummy --batch-size 1 --num-iters 10 --json"
    })
final class BenchLatencyCommand implements Callable<Integer> {

  private static final List<Integer> PERCENTILES = List.of(10, 25, 50, 75, 90, 99);
  private static final int BATCHES_MAX = 1_000_000;
  private static final double NANOS_PER_SECOND = 1e9;

  @Spec private CommandSpec spec;

  @Option(
      names = "--input-len",
      defaultValue = "32",
      paramLabel = "N",
      description = "Prompt tokens (default 32).")
  private int inputLen;

  @Option(
      names = "--output-len",
      defaultValue = "128",
      paramLabel = "N",
      description = "Output tokens (default 128).")
  private int outputLen;

  @Option(
      names = "--batch-size",
      defaultValue = "8",
      paramLabel = "N",
      description = "Requests in a batch (default 8).")
  private int batchSize;

  @Option(
      names = "--num-iters",
      defaultValue = "3",
      paramLabel = "N",
      description = "Batches that are measured (default 3).")
  private int iterations;

  @Option(
      names = "--num-iters-warmup",
      defaultValue = "1",
      paramLabel = "N",
      description = "Batches before them (default 1).")
  private int warmUps;

  @Option(
      names = "--n",
      defaultValue = "1",
      paramLabel = "N",
      description = "Samples of each prompt, sharing its KV blocks (default 1).")
  private int samples;

  @Mixin private LiveOptions liveOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  BenchLatencyCommand() {}

  @Override
  public Integer call() {
    ScenarioOptions.within("--input-len", inputLen, 1, EngineLimits.MAX_TOKENS);
    ScenarioOptions.within("--output-len", outputLen, 1, EngineLimits.MAX_TOKENS);
    ScenarioOptions.within("--batch-size", batchSize, 1, BATCHES_MAX);
    ScenarioOptions.within("--num-iters", iterations, 1, BATCHES_MAX);
    ScenarioOptions.within("--num-iters-warmup", warmUps, 0, BATCHES_MAX);
    ScenarioOptions.within("--n", samples, 1, EngineLimits.MAX_SAMPLES);
    LiveSpec live = liveOptions.spec("");
    try (LoadedModel model = liveOptions.load(live, false)) {
      LivePlan plan = liveOptions.plan(model, live, samples);
      BenchWorkload.requireRoom(inputLen, outputLen, plan.config().limits().maxModelTokens());
      model.warmUp(plan.kv(), plan.threads());
      long[] nanos = measure(model, plan, live);
      print(model, plan, Arrays.copyOfRange(nanos, warmUps, nanos.length));
      return 0;
    }
  }

  /// Nanoseconds of each batch, warm-ups first.
  private long[] measure(LoadedModel model, LivePlan plan, LiveSpec live) {
    int batches = warmUps + iterations;
    List<TextRequest> requests = requests(model, batches, plan.config().limits().maxModelTokens());
    ObjectNode workload = JsonNodeFactory.instance.objectNode();
    workload.put("trace", "batches");
    workload.put("input_len", inputLen);
    workload.put("output_len", outputLen);
    workload.put("batch_size", batchSize);
    workload.put("batches", batches);
    workload.put("samples", samples);
    RunDirectory directory = ModelRun.directory(liveOptions, live);
    ModelRun run = ModelRun.of(model, plan, liveOptions, directory).measured();
    long[] nanos = new long[batches];
    Batches ends = new Batches(batches);
    LiveBatch batch =
        new LiveBatch(
            requests,
            (request, sample, token, logprobs) -> {
              if (token < 0) {
                ends.sampleEnded(request / batchSize);
              }
            });
    try (ProgressLine progress =
        new ProgressLine("latency", "batches", batches, liveOptions.quiet())) {
      run.run(
          workload,
          requests,
          batch,
          engine -> {
            for (int i = 0; i < batches; i++) {
              long start = System.nanoTime();
              batch.send(engine, i * batchSize, (i + 1) * batchSize, start);
              ends.await(i, engine);
              nanos[i] = System.nanoTime() - start;
              progress.at(i + 1L);
            }
          },
          JsonNodeFactory.instance.objectNode());
    }
    if (batch.outputs().stream().anyMatch(output -> output.rejection() != null)) {
      throw new UsageException(
          "a request of %,d tokens does not fit: give --device more blocks, or --input-len and --output-len less"
              .formatted(inputLen + outputLen));
    }
    run.requireNoneGivenUp(batch.outputs());
    return nanos;
  }

  private List<TextRequest> requests(LoadedModel model, int batches, int maxModelTokens) {
    SeededRandom random = new SeededRandom(liveOptions.seed(), "token ids");
    List<TextRequest> requests = new ArrayList<>();
    boolean hinted = liveOptions.predictor().oracle();
    for (int i = 0; i < batches * batchSize; i++) {
      requests.add(
          SizedPrompt.random(inputLen, outputLen, model.config().vocabulary(), random)
              .request(0, samples, 1, liveOptions.seed() + i, hinted, maxModelTokens));
    }
    return requests;
  }

  /// Batches that come to their ends.
  private final class Batches {

    private final int[] left;
    private final List<CompletableFuture<Void>> ended = new ArrayList<>();

    Batches(int batches) {
      left = new int[batches];
      Arrays.fill(left, batchSize * samples);
      for (int i = 0; i < batches; i++) {
        ended.add(new CompletableFuture<>());
      }
    }

    void sampleEnded(int batch) {
      if (--left[batch] == 0) {
        ended.get(batch).complete(null);
      }
    }

    /// Waits for a batch, or until the engine has failed.
    void await(int batch, LiveEngine engine) {
      try {
        CompletableFuture.anyOf(ended.get(batch), engine.termination()).join();
      } catch (CompletionException e) {
        engine.stop();
        throw e;
      }
    }
  }

  private void print(LoadedModel model, LivePlan plan, long[] nanos) {
    double[] seconds = Arrays.stream(nanos).mapToDouble(each -> each / NANOS_PER_SECOND).toArray();
    double average = Arrays.stream(seconds).average().orElseThrow();
    double[] ascending = seconds.clone();
    Arrays.sort(ascending);
    Map<Integer, Double> percentiles = new TreeMap<>();
    PERCENTILES.forEach(percent -> percentiles.put(percent, percentile(ascending, percent)));
    PrintWriter out = spec.commandLine().getOut();
    if (liveOptions.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("avg_latency", average);
      ArrayNode all = json.putArray("latencies");
      Arrays.stream(seconds).forEach(all::add);
      ObjectNode each = json.putObject("percentiles");
      percentiles.forEach((percent, value) -> each.put(String.valueOf(percent), value));
      out.println(json);
    } else {
      out.println(Summary.title(model.name(), plan.config(), "live"));
      out.println("Avg latency: %.4f seconds".formatted(average));
      percentiles.forEach((percent, value) ->
          out.println("%d%% percentile latency: %.4f seconds".formatted(percent, value)));
    }
    out.flush();
  }

  /// Linear between the two nearest, as NumPy's.
  private static double percentile(double[] ascending, int percent) {
    double at = percent / 100.0 * (ascending.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, ascending.length - 1);
    return ascending[below] + (at - below) * (ascending[above] - ascending[below]);
  }
}
