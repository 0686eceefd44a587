package io.fusespill.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.replay.Latencies;
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
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Which handling policy fusespill chooses where: link bandwidth × host bandwidth × KV capacity.
///
/// Vicuna-7B on an A10, 600 ShareGPT-like requests at once. Each cell shows the handling chosen
/// most often with its share of the choices, and output tokens a second. The map is printed as
/// Markdown.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.DecisionMap`
public final class DecisionMap {

  private static final double[] LINKS = {0.05e9, 0.25e9, 1e9, 4e9, 16e9, 64e9};
  private static final double[] HOSTS = {0, 50e9, 133e9, 400e9};
  private static final int[] BLOCKS = {300, 818, 2400};
  private static final int REQUESTS = 600;
  private static final double KV_EFFICIENCY = 0.65;

  private DecisionMap() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createTempDirectory("decision-map");
    for (int blocks : BLOCKS) {
      System.out.printf(Locale.ROOT, "%n%,d KV blocks%n%n| link, GB/s |", blocks);
      for (double host : HOSTS) {
        System.out.print(
            host == 0 ? " no attending host |" : " host reads %.0f GB/s |".formatted(host / 1e9));
      }
      System.out.println("\n|---|---|---|---|---|");
      for (double link : LINKS) {
        System.out.printf(Locale.ROOT, "| %s |", link / 1e9);
        for (double host : HOSTS) {
          System.out.printf(" %s |", cell(folder, blocks, link, host));
        }
        System.out.println();
      }
    }
  }

  private static String cell(Path folder, int blocks, double link, double host) throws IOException {
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    Scenario scenario =
        new Scenario(
            "vicuna-7b",
            List.of(DeviceSpec.parse("a10:blocks=" + blocks)),
            profile(folder, "links/pcie4-16gbps", "16e9", link).toString(),
            64,
            hostProfile(folder, host),
            PolicySpec.of(PolicyKind.FUSESPILL.label()),
            new Scenario.Limits(0, 0, 0, 0, 0),
            Scenario.Serving.DEFAULT,
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
    long all = 0;
    Handling most = Handling.STAY;
    for (Handling handling : Handling.values()) {
      all += metrics.handlings(handling);
      most = metrics.handlings(handling) > metrics.handlings(most) ? handling : most;
    }
    String choice =
        all == 0
            ? "none"
            : "%s %d %%"
                .formatted(
                    most.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    100 * metrics.handlings(most) / all);
    return "%s of %,d; %,.0f"
        .formatted(choice, all, metrics.outputTokens() * 1e9 / metrics.durationNanos());
  }

  private static @Nullable String hostProfile(Path folder, double bandwidth) throws IOException {
    return bandwidth == 0
        ? null
        : profile(folder, "hardware/xeon-8358p", "204.8e9", bandwidth / KV_EFFICIENCY).toString();
  }

  /// A bundled profile with one of its numbers replaced.
  private static Path profile(Path folder, String name, String number, double value)
      throws IOException {
    String resource = "/io/fusespill/sim/" + name + ".json";
    try (InputStream in = Objects.requireNonNull(Scenario.class.getResourceAsStream(resource))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Path file = folder.resolve(name.replace('/', '-') + "-" + value + ".json");
      return Files.writeString(
          file, text.replace(number, String.valueOf(Math.round(value))), StandardCharsets.UTF_8);
    }
  }

  private static List<TraceRequest> workload() {
    List<TraceRequest> requests = new ArrayList<>();
    new WorkloadGenerator(
            PublishedLengths.named("sharegpt"),
            new LengthFilter(1024, 1512),
            ArrivalProcess.atOnce(),
            REQUESTS,
            0)
        .forEachRemaining(requests::add);
    return requests;
  }
}
