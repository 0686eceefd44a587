package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.journal.Durability;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.TextRequest;
import io.fusespill.replay.RunReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Requests and tokens a second.
@Command(
    name = "throughput",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Serves requests on this machine and prints how many there were a second, as vLLM's benchmark_throughput.py does, and then what a simulation prints.",
      "It leaves a run that verify, explain, report, whatif and charts read, and that resume goes on with where it was interrupted.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill bench throughput --model models/TinyLlama --dataset ShareGPT.json --num-prompts 200",
      "  fusespill bench throughput --model models/TinyLlama --load-format dummy --input-len 256 --output-len 64 \\",
      "    --device host:blocks=200,threads=8 --multi-worker --policy fusespill --response-aware",
      "  fusespill bench throughput --model models/TinyLlama --dataset conv.csv --arrivals --num-prompts 300 --json"
    })
final class BenchThroughputCommand implements Callable<Integer> {

  private static final int TIMEOUT_SECONDS_MAX = 1_000_000_000;
  private static final double NANOS_PER_SECOND = 1e9;

  @Spec private CommandSpec spec;

  @Mixin private BenchWorkload workload;

  @Option(
      names = "--n",
      defaultValue = "1",
      paramLabel = "N",
      description = "Samples of each prompt, sharing its KV blocks (default 1).")
  private int samples;

  @Option(
      names = "--temperature",
      defaultValue = "1",
      paramLabel = "T",
      description = "0 (the likeliest token) to 100 (default 1).")
  private double temperature;

  @Option(
      names = "--response-aware",
      description =
          "Tell the policy how long each output will be (--predictor declared, where none is given).")
  private boolean responseAware;

  @Option(
      names = "--request-timeout",
      paramLabel = "SECONDS",
      description =
          "A client gives its request up when it has not ended so long after it was sent; it counts as cancelled (default: never).")
  private @Nullable Double requestTimeout;

  @Mixin private LiveOptions liveOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  BenchThroughputCommand() {}

  @Override
  public Integer call() {
    boolean text = workload.text();
    ScenarioOptions.within("--n", samples, 1, EngineLimits.MAX_SAMPLES);
    if (requestTimeout != null && !(requestTimeout > 0 && requestTimeout <= TIMEOUT_SECONDS_MAX)) {
      throw new UsageException(
          "--request-timeout is %s, must be seconds above 0, at most %,d"
              .formatted(requestTimeout, TIMEOUT_SECONDS_MAX));
    }
    boolean oracle = liveOptions.predictor().oracle();
    LiveSpec live =
        liveOptions.spec(responseAware && !oracle ? PredictorKind.DECLARED.label() : "");
    try (LoadedModel model = liveOptions.load(live, text)) {
      LivePlan plan = liveOptions.plan(model, live, samples);
      int longest = plan.config().limits().maxModelTokens();
      BenchWorkload.Prompts prompts =
          workload.prompts(model, longest, liveOptions.seed(), liveOptions.quiet());
      List<TextRequest> requests = requests(prompts, responseAware || oracle, longest);
      model.warmUp(plan.kv(), plan.threads());
      return run(model, plan, live, prompts, requests);
    }
  }

  private List<TextRequest> requests(
      BenchWorkload.Prompts prompts, boolean hinted, int maxModelTokens) {
    try {
      return prompts.requests(samples, temperature, liveOptions.seed(), hinted, maxModelTokens);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage(), e);
    }
  }

  private int run(
      LoadedModel model,
      LivePlan plan,
      LiveSpec live,
      BenchWorkload.Prompts prompts,
      List<TextRequest> requests) {
    ObjectNode described = workload.describe();
    described.put("samples", samples);
    described.put("temperature", temperature);
    described.put("response_aware", responseAware);
    if (requestTimeout != null) {
      described.put("request_timeout", requestTimeout);
    }
    RunDirectory directory = directory(model, plan, live, described);
    ObjectNode figures = JsonNodeFactory.instance.objectNode();
    RunReport report;
    LiveBatch batch;
    ModelRun run = ModelRun.of(model, plan, liveOptions, directory).measured();
    try (ProgressLine progress =
        new ProgressLine("throughput", "requests", requests.size(), liveOptions.quiet())) {
      batch =
          LiveProgress.batch(requests, progress)
              .givingUpAfter(
                  requestTimeout == null ? 0 : (long) Math.ceil(requestTimeout * NANOS_PER_SECOND));
      report = run.run(described, requests, batch, null, figures);
    }
    run.noteGivenUp(batch.outputs(), spec.commandLine().getErr());
    figures.put("skipped_rows", prompts.skipped());
    PrintWriter out = spec.commandLine().getOut();
    if (liveOptions.json()) {
      out.println(toJson(report, figures));
    } else {
      out.println(Throughput.of(report).line());
      out.println();
      Summary.print(
          out,
          report,
          figures,
          Summary.title(model.name(), plan.config(), "live"),
          plan.config().topology(),
          directory);
    }
    out.flush();
    return 0;
  }

  private @Nullable RunDirectory directory(
      LoadedModel model, LivePlan plan, LiveSpec live, ObjectNode described) {
    if (liveOptions.journal() == Durability.NONE) {
      return null;
    }
    if (liveOptions.out() != null) {
      return ModelRun.directory(liveOptions, live);
    }
    String digest = ModelRun.of(model, plan, liveOptions, null).digest(described);
    Path standard =
        Path.of(
            "runs",
            "%s-%s-%s".formatted(model.name(), liveOptions.policy(), digest.substring(0, 8)));
    return ModelRun.directory(standard, liveOptions, live);
  }

  private static ObjectNode toJson(RunReport report, ObjectNode figures) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    Throughput.of(report).putInto(json);
    json.setAll(figures);
    return json;
  }
}
