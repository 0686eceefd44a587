package io.fusespill.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.sun.management.ThreadMXBean;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.replay.Latencies;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthDistribution;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.TokenDistribution;
import io.fusespill.traces.TraceRequest;
import io.fusespill.traces.WorkloadGenerator;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// How fast a whole simulation is, in simulated output tokens per second of wall time.
///
/// Workload: 10,000 requests, prompts uniform over 200 to 1,000 tokens, outputs normal with mean
/// 200 and deviation 60; all at once (burst) or Poisson at 6 a second (calm); at most 128 sequences
/// on an RTX 4090 with 24 GB; policy fusespill with a host that attends. The engine runs on one
/// thread; with the ring, two more take its events. Every case is warmed up; the answer (events and
/// digest) is checked to be the same in every round and in every mode that has one.
///
/// Modes: `engine` counts events only; `report` folds them into all figures; `direct` encodes and
/// digests them too; `ring` is what `fusespill simulate` does: Disruptor, Chronicle Queue (async),
/// digest and report.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags -XX:+UseSerialGC -cp
/// 'bench/target/lib/*' io.fusespill.bench.SimulationSpeed [rounds [policy]]`
public final class SimulationSpeed {

  private enum Mode {
    ENGINE,
    REPORT,
    DIRECT,
    RING
  }

  /// One round's figures.
  private record Round(
      long nanos, long events, long bytes, String digest, long steps, long allocatedBytes) {}

  private static final int REQUESTS = 10_000;
  private static final double CALM_RATE = 6;
  private static final int WARM_UP_ROUNDS = 8;

  private SimulationSpeed() {}

  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 7;
    System.out.printf(
        Locale.ROOT,
        "%-11s %-10s %-6s %-7s %10s %10s %10s %10s %9s %9s %8s%n",
        "policy",
        "model",
        "load",
        "mode",
        "Mtok/s",
        "min",
        "max",
        "us/step",
        "Mevent/s",
        "B/event",
        "B/step");
    List<String> policies = List.of("vllm-0.2.7", "continuous", "fusespill");
    if (arguments.length > 1) {
      policies = List.of(arguments[1]);
    }
    for (String policy : policies) {
      for (String model : List.of("vicuna-7b", "qwen2.5-7b")) {
        for (boolean burst : new boolean[] {true, false}) {
          measure(policy, model, burst, rounds);
        }
      }
    }
  }

  private static void measure(String policy, String model, boolean burst, int rounds)
      throws IOException {
    List<TraceRequest> workload = workload(burst);
    long outputTokens = workload.stream().mapToLong(TraceRequest::outputTokens).sum();
    ResolvedScenario scenario = scenario(policy, model);
    String digest = "";
    for (Mode mode : Mode.values()) {
      List<Round> measured = new ArrayList<>();
      for (int i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
        Round round = run(scenario, workload, mode);
        if (!digest.isEmpty() && !round.digest().isEmpty() && !round.digest().equals(digest)) {
          throw new IllegalStateException(
              "digests differ: %s and %s".formatted(digest, round.digest()));
        }
        digest = round.digest().isEmpty() ? digest : round.digest();
        if (i >= WARM_UP_ROUNDS) {
          measured.add(round);
        }
      }
      print(policy, model, burst, mode, outputTokens, measured);
    }
  }

  private static void print(
      String policy,
      String model,
      boolean burst,
      Mode mode,
      long outputTokens,
      List<Round> rounds) {
    long[] nanos = rounds.stream().mapToLong(Round::nanos).sorted().toArray();
    long median = nanos[nanos.length / 2];
    Round last = rounds.getLast();
    System.out.printf(
        Locale.ROOT,
        "%-11s %-10s %-6s %-7s %10.2f %10.2f %10.2f %10.3f %9.2f %9s %8d%n",
        policy,
        model,
        burst ? "burst" : "calm",
        mode.name().toLowerCase(Locale.ROOT),
        outputTokens * 1e3 / median,
        outputTokens * 1e3 / Arrays.stream(nanos).max().orElseThrow(),
        outputTokens * 1e3 / Arrays.stream(nanos).min().orElseThrow(),
        median / 1e3 / last.steps(),
        last.events() * 1e3 / median,
        last.bytes() == 0
            ? "-"
            : String.format(Locale.ROOT, "%.1f", (double) last.bytes() / last.events()),
        last.allocatedBytes() / last.steps());
  }

  private static List<TraceRequest> workload(boolean burst) {
    WorkloadGenerator generator =
        new WorkloadGenerator(
            LengthDistribution.independent(
                new TokenDistribution.Uniform(200, 1000), new TokenDistribution.Normal(200, 60)),
            LengthFilter.NONE,
            burst ? ArrivalProcess.atOnce() : ArrivalProcess.poisson(CALM_RATE),
            REQUESTS,
            1);
    List<TraceRequest> requests = new ArrayList<>();
    generator.forEachRemaining(requests::add);
    return requests;
  }

  private static ResolvedScenario scenario(String policy, String model) {
    boolean spills = policy.equals("fusespill");
    return new Scenario(
            model,
            List.of(DeviceSpec.parse("rtx-4090")),
            "pcie4",
            spills ? 64 : 0,
            spills ? "xeon-8358p" : null,
            PolicySpec.of(policy),
            new Scenario.Limits(16, 128, policy.startsWith("vllm") ? 4096 : 2048, 4096, 0),
            Scenario.Serving.DEFAULT,
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }

  private static Round run(ResolvedScenario scenario, List<TraceRequest> workload, Mode mode)
      throws IOException {
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    long[] counted = {0};
    long bytes = 0;
    String digest = "";
    Simulation simulation;
    switch (mode) {
      case ENGINE, REPORT -> {
        boolean report = mode == Mode.REPORT;
        simulation =
            simulation(scenario, workload, event -> count(counted, report, metrics, event));
        simulation.run();
      }
      case DIRECT -> {
        try (DirectLog log =
            new DirectLog(Journal.none(), (position, event) -> metrics.accept(event))) {
          simulation = simulation(scenario, workload, log);
          simulation.run();
          counted[0] = log.events();
          bytes = log.bytes();
          digest = log.digest();
        }
      }
      case RING -> {
        Path directory = Files.createTempDirectory("speed");
        Journal journal =
            Journal.create(
                directory.resolve("journal"),
                JournalHeader.of(EngineVersion.VERSION, scenario.canonicalText()),
                Durability.ASYNC);
        EnginePipeline log =
            EnginePipeline.builder()
                .journal(journal)
                .beside("metrics", (position, event) -> metrics.accept(event))
                .start();
        try (log) {
          simulation = simulation(scenario, workload, log);
          simulation.run();
        }
        counted[0] = log.events();
        bytes = log.bytes();
        digest = log.digest();
        delete(directory);
      }
      default -> throw new IllegalStateException(mode.name());
    }
    long nanos = System.nanoTime() - start;
    allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
    if (mode != Mode.ENGINE && metrics.completed() != REQUESTS) {
      throw new IllegalStateException(
          "%d of %d requests completed".formatted(metrics.completed(), REQUESTS));
    }
    return new Round(nanos, counted[0], bytes, digest, simulation.state().nextStep(0), allocated);
  }

  private static long count(long[] counted, boolean report, RunMetrics metrics, EngineEvent event) {
    if (report) {
      metrics.accept(event);
    }
    return counted[0]++;
  }

  private static Simulation simulation(
      ResolvedScenario scenario, List<TraceRequest> workload, EventLog log) {
    return new Simulation(scenario.setup(), workload.iterator(), log, (arrived, live, now) -> {});
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
