package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.TraceRequest;
import io.fusespill.traces.WorkloadGenerator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which handling policy `fusespill` chooses as the link gets slower, all else equal.
class DecisionMapTest {

  private static final List<String> LINKS = List.of("16e9", "4e9", "1e9", "0.25e9", "0.05e9");

  @TempDir private Path folder;

  @Test
  void slowerLink_neverMakesSwapMoreFrequent() throws IOException {
    List<Integer> shares = new ArrayList<>();
    for (String rate : LINKS) {
      RunMetrics metrics = run(rate);
      long swaps = metrics.handlings(Handling.SWAP);
      long all = swaps + metrics.handlings(Handling.RECOMPUTE);
      assertThat(all).as("choices at %s bytes a second", rate).isPositive();
      shares.add((int) (1_000 * swaps / all));
    }
    for (int i = 1; i < shares.size(); i++) {
      assertThat(shares.get(i))
          .as("swaps per mille: %s", shares)
          .isLessThanOrEqualTo(shares.get(i - 1));
    }
    assertThat(shares.getFirst()).isEqualTo(1_000);
    assertThat(shares.getLast()).isLessThan(100);
  }

  private RunMetrics run(String rate) throws IOException {
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    Scenario scenario =
        new Scenario(
            "vicuna-7b",
            List.of(DeviceSpec.parse("a10:blocks=818")),
            link(rate).toString(),
            64,
            PolicySpec.of(PolicyKind.FUSESPILL.label()),
            new Scenario.Limits(0, 0, 0, 0, 0),
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode());
    new Simulation(
            scenario.resolve().setup(),
            workload().iterator(),
            event -> {
              metrics.accept(event);
              return 0;
            },
            (arrived, live, now) -> {})
        .run();
    return metrics;
  }

  /// The paper's link at another rate.
  private Path link(String rate) throws IOException {
    String resource = "/io/fusespill/sim/links/pcie4-16gbps.json";
    try (InputStream in = Objects.requireNonNull(Scenario.class.getResourceAsStream(resource))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return Files.writeString(folder.resolve(rate + ".json"), text.replace("16e9", rate));
    }
  }

  private static List<TraceRequest> workload() {
    List<TraceRequest> requests = new ArrayList<>();
    new WorkloadGenerator(
            PublishedLengths.named("sharegpt"),
            LengthFilter.FUSESPILL_PAPER,
            ArrivalProcess.atOnce(),
            300,
            0)
        .forEachRemaining(requests::add);
    return requests;
  }
}
