package io.fusespill.replay.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.length.SharedData;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.TracePrompts;
import io.fusespill.sim.World;
import io.fusespill.sim.calibrate.LlmServingSimTables;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/// Runs of vLLM 0.19 that LLMServingSim published, against simulations whose step times come from
/// the same cards' kernel tables and from nothing else: no constant is fitted to a run.
///
/// What the engine does is the run's own configuration (`meta.json`): chunked prefill, the whole
/// prompt reserved, asynchronous scheduling (two steps in flight), and a prefix cache over the
/// prompts of the workload that both runs were given.
class VllmRunTest {

  private static final String DATA = "vllm_bench_llmservingsim/%s_Llama-3.1-8B/requests.jsonl";
  private static final String PROMPTS =
      "vllm_bench_llmservingsim/sharegpt-llama-3.1-8b-300-sps10.jsonl.gz";
  private static final String TABLES = "profiles_llmservingsim/%s/meta-llama/Llama-3.1-8B/bf16";

  /// Beyond what any request of these runs needs: the pool of that run was not recorded.
  private static final int AMPLE_BLOCKS = 30_000;

  /// A request's times in milliseconds.
  private record Times(double ttft, double tpot, double e2e) {}

  /// Per cent by which a mean or percentile is off.
  private record Report(Map<String, double[]> errors, String text) {
    double meanOf(String latency) {
      return errors.get(latency)[0];
    }
  }

  @Test
  void rtx4090_meansAreWithin3Percent() throws IOException {
    Report report = compare("RTX4090", "rtx-4090", 2_588, 256);

    assertThat(report.meanOf("TTFT")).as(report.text()).isBetween(-3.0, 3.0);
    assertThat(report.meanOf("TPOT")).as(report.text()).isBetween(-3.0, 3.0);
    assertThat(report.meanOf("E2E")).as(report.text()).isBetween(-3.0, 3.0);
  }

  @Test
  void rtxPro6000_meansAreWithin3Percent() throws IOException {
    Report report = compare("RTXPRO6000", "rtx-pro-6000", AMPLE_BLOCKS, 128);

    assertThat(report.meanOf("TTFT")).as(report.text()).isBetween(-3.0, 3.0);
    assertThat(report.meanOf("TPOT")).as(report.text()).isBetween(-3.0, 3.0);
    assertThat(report.meanOf("E2E")).as(report.text()).isBetween(-3.0, 3.0);
  }

  private static Report compare(String card, String hardware, int blocks, int maxNumSeqs)
      throws IOException {
    Path requests = SharedData.file(DATA.formatted(card));
    Path tables = SharedData.file(TABLES.formatted(card));
    FittedProfile profile =
        LlmServingSimTables.read(
            tables,
            card,
            DeviceSpec.parse(hardware).group(),
            ModelProfiles.named("llama-3.1-8b"),
            16);
    List<Arrival> arrivals = new ArrayList<>();
    List<Times> real = new ArrayList<>();
    read(requests, arrivals, real);
    RunMetrics[] metrics = new RunMetrics[1];
    FittedModel model = new FittedModel(profile.places().getFirst());
    List<Times> simulated =
        simulate(scenario(hardware, blocks, maxNumSeqs), model, arrivals, metrics);
    Report report = report(card, real, simulated, metrics[0], model);
    System.out.println(report.text());
    return report;
  }

  private static ResolvedScenario scenario(String hardware, int blocks, int maxNumSeqs) {
    return new Scenario(
            "llama-3.1-8b",
            List.of(DeviceSpec.parse("%s:blocks=%d".formatted(hardware, blocks))),
            "pcie4",
            0,
            null,
            PolicySpec.of("continuous")
                .with("reserve-prompt", "true")
                .with("prefix-caching", "true"),
            new Scenario.Limits(16, maxNumSeqs, 2_048, 32_768, 0),
            new Scenario.Serving("", 2, 0),
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }

  /// Arrivals are Unix seconds, all else is monotonic seconds: the clocks are laid over each other
  /// where a request is queued soonest after it arrived.
  private static void read(Path file, List<Arrival> arrivals, List<Times> real) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(mapper.readTree(line));
    }
    List<Prompt> prompts = prompts(SharedData.file(PROMPTS));
    double first = rows.getFirst().get("arrival_time").asDouble();
    double offset =
        rows.stream()
            .mapToDouble(row ->
                row.get("queued_ts").asDouble() - (row.get("arrival_time").asDouble() - first))
            .min()
            .orElseThrow();
    for (int i = 0; i < rows.size(); i++) {
      JsonNode row = rows.get(i);
      double arrival = row.get("arrival_time").asDouble() - first;
      int output = row.get("output_toks").asInt();
      arrivals.add(
          new Arrival(
              Math.round(arrival * 1e9),
              row.get("input_toks").asInt(),
              1,
              output,
              0,
              output,
              Arrival.NEVER,
              prompts.get(i)));
      double token = row.get("first_token_ts").asDouble() - offset;
      double last = row.get("last_token_ts").asDouble() - offset;
      real.add(
          new Times(
              1e3 * (token - arrival),
              1e3 * (last - token) / (output - 1),
              1e3 * (last - arrival)));
    }
  }

  /// The workload that both runs were given, in the order of their requests.
  private static List<Prompt> prompts(Path workload) {
    TracePrompts prompts = new TracePrompts();
    List<Prompt> all = new ArrayList<>();
    try (TraceReader reader = TraceFormat.LLMSERVINGSIM.open(workload, ReadOptions.ALL)) {
      reader.forEachRemaining(request -> all.add(prompts.of(request)));
    }
    return all;
  }

  private static List<Times> simulate(
      ResolvedScenario scenario, FittedModel model, List<Arrival> arrivals, RunMetrics[] metrics) {
    List<RequestOutcome> outcomes = new ArrayList<>();
    RunMetrics measured = new RunMetrics(new Latencies(outcomes::add));
    long[] position = {0};
    Simulation.ofArrivals(
            new Simulation.Setup(
                scenario.setup().start(), new World(List.of(model), Faults.NONE), 1),
            arrivals.iterator(),
            event -> {
              measured.accept(event);
              return position[0]++;
            },
            (arrived, live, now) -> {})
        .run();
    metrics[0] = measured;
    return outcomes.stream().map(VllmRunTest::times).toList();
  }

  private static Times times(RequestOutcome outcome) {
    double ttft = (outcome.firstTokenNanos() - outcome.arrivalNanos()) / 1e6;
    double e2e = (outcome.endNanos() - outcome.arrivalNanos()) / 1e6;
    return new Times(ttft, (e2e - ttft) / (outcome.outputTokens() - 1), e2e);
  }

  private static Report report(
      String card, List<Times> real, List<Times> simulated, RunMetrics metrics, FittedModel model) {
    assertThat(simulated).hasSameSizeAs(real);
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s: %d preemptions, %,d tokens recomputed, %,d found, %.2f s, %d extrapolated steps%n",
            card,
            metrics.preemptions(),
            metrics.recomputedTokens(),
            metrics.prefixCacheHits(),
            metrics.durationNanos() / 1e9,
            model.extrapolations()));
    Map<String, double[]> errors = new TreeMap<>();
    add("TTFT", Times::ttft, real, simulated, errors, text);
    add("TPOT", Times::tpot, real, simulated, errors, text);
    add("E2E", Times::e2e, real, simulated, errors, text);
    return new Report(errors, text.toString());
  }

  private static void add(
      String name,
      ToDoubleFunction<Times> latency,
      List<Times> real,
      List<Times> simulated,
      Map<String, double[]> errors,
      StringBuilder text) {
    double[] measured = statistics(latency, real);
    double[] foretold = statistics(latency, simulated);
    String[] labels = {"mean", "p50", "p90", "p95", "p99"};
    double[] percent = new double[labels.length];
    for (int i = 0; i < labels.length; i++) {
      percent[i] = 100 * (foretold[i] / measured[i] - 1);
      text.append(
          String.format(
              Locale.ROOT,
              "| %s %s, ms | %,.1f | %,.1f | %+.2f |%n",
              labels[i],
              name,
              measured[i],
              foretold[i],
              percent[i]));
    }
    errors.put(name, percent);
  }

  private static double[] statistics(ToDoubleFunction<Times> latency, List<Times> all) {
    double[] sorted = all.stream().mapToDouble(latency).sorted().toArray();
    return new double[] {
      Arrays.stream(sorted).average().orElseThrow(),
      percentile(sorted, 0.50),
      percentile(sorted, 0.90),
      percentile(sorted, 0.95),
      percentile(sorted, 0.99)
    };
  }

  /// Linear between the two nearest, as numpy's.
  private static double percentile(double[] sorted, double share) {
    double position = share * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
