package io.fusespill.sweep;

import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.evaluate.DigestedRun;
import io.fusespill.sim.Scenario;
import io.fusespill.traces.TraceReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// What happens when replicas of a machine share a workload: requests are dealt to them in turn,
/// each is simulated for itself, and the latencies are those of all requests together. Figures are
/// over all seeds: latencies of the worst one, rates their mean.
///
/// @param broken bounds that some seed does not keep, each once
/// @param offered requests a second that arrive, mean over the seeds
/// @param tokensPerSecond output tokens, mean over the seeds
/// @param attainment share of requests within every bound, of the worst seed
record Probe(
    List<String> broken,
    double offered,
    double tokensPerSecond,
    double ttftP99Nanos,
    double tpotP99Nanos,
    double e2eP99Nanos,
    double attainment) {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final double P99 = 99;

  /// Simulates it.
  ///
  /// @param scenarios one for each seed
  /// @param replicas at least 1
  static Probe of(List<SweepScenario> scenarios, int replicas, TraceCache traces) {
    List<Probe> seeds = new ArrayList<>();
    for (SweepScenario scenario : scenarios) {
      seeds.add(of(scenario, replicas, traces));
    }
    Set<String> broken = new LinkedHashSet<>();
    seeds.forEach(seed -> broken.addAll(seed.broken));
    return new Probe(
        List.copyOf(broken),
        seeds.stream().mapToDouble(Probe::offered).average().orElse(0),
        seeds.stream().mapToDouble(Probe::tokensPerSecond).average().orElse(0),
        seeds.stream().mapToDouble(Probe::ttftP99Nanos).max().orElse(0),
        seeds.stream().mapToDouble(Probe::tpotP99Nanos).max().orElse(0),
        seeds.stream().mapToDouble(Probe::e2eP99Nanos).max().orElse(0),
        seeds.stream().mapToDouble(Probe::attainment).min().orElse(0));
  }

  private static Probe of(SweepScenario scenario, int replicas, TraceCache traces) {
    RequestTally tally = new RequestTally(scenario.slo());
    Latencies latencies = new Latencies(tally);
    long unserved = 0;
    long tokens = 0;
    long nanos = 0;
    for (int replica = 0; replica < replicas; replica++) {
      Scenario simulated = scenario.scenario();
      try (TraceReader all = traces.open(scenario.requests(), scenario.seed())) {
        TraceReader dealt = new DealtReader(all, replicas, replica);
        if (!dealt.hasNext()) {
          continue;
        }
        RunMetrics metrics =
            DigestedRun.of(simulated.resolve(), dealt, latencies, ended -> {}).report().metrics();
        unserved += metrics.rejected() + metrics.failed();
        tokens += metrics.outputTokens();
        nanos = Math.max(nanos, metrics.endNanos());
      }
    }
    long requests = Math.max(1, tally.requests());
    return new Probe(
        scenario.slo().broken(latencies, (double) unserved / requests),
        tally.lastArrivalNanos() == 0
            ? Double.POSITIVE_INFINITY
            : (requests - 1) * NANOS_PER_SECOND / tally.lastArrivalNanos(),
        nanos == 0 ? 0 : tokens * NANOS_PER_SECOND / nanos,
        latencies.ttft().percentileNanos(P99),
        latencies.tpot().percentileNanos(P99),
        latencies.e2e().percentileNanos(P99),
        (double) tally.good() / requests);
  }

  /// Whether every seed keeps every bound.
  boolean passes() {
    return broken.isEmpty();
  }
}
