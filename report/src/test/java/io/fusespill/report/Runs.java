package io.fusespill.report;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceReader;
import java.nio.file.Path;
import java.util.List;

/// Journaled runs of the bundled trace on a card with few blocks.
public final class Runs {

  private Runs() {}

  /// Runs the first requests under `policy` on an A10 with 400 blocks and a host that attends.
  public static Path simulate(Path directory, PolicyKind policy, int requests) {
    return simulate(directory, PolicySpec.of(policy.label()), requests, Faults.NONE);
  }

  public static Path simulate(Path directory, PolicySpec policy, int requests, Faults faults) {
    return simulate(directory, policy, requests, faults, Scenario.Serving.DEFAULT);
  }

  /// Under `fusespill`, told how long each output will be.
  public static Path simulateWithOracle(Path directory, int requests) {
    return simulate(
        directory,
        PolicySpec.of("fusespill"),
        requests,
        Faults.NONE,
        new Scenario.Serving("oracle", 0, 0));
  }

  /// Under `fusespill`, with a longest sequence that is shorter than every prompt.
  public static Path simulateRejecting(Path directory, int requests) {
    return simulate(
        directory,
        PolicySpec.of("fusespill"),
        requests,
        Faults.NONE,
        Scenario.Serving.DEFAULT,
        new Scenario.Limits(0, 0, 0, 10, 0),
        1);
  }

  /// Under `fusespill`, each request with two samples and its prompt in small pieces; some steps
  /// fail, and the newest goes when there is no room.
  public static Path simulateSamples(Path directory, int requests) {
    return simulate(
        directory,
        PolicySpec.of("fusespill").with("victims", "newest"),
        requests,
        new Faults(20_000, 0, 0, 1),
        Scenario.Serving.DEFAULT,
        new Scenario.Limits(0, 64, 64, 0, 0),
        2);
  }

  private static Path simulate(
      Path directory, PolicySpec policy, int requests, Faults faults, Scenario.Serving serving) {
    return simulate(
        directory, policy, requests, faults, serving, new Scenario.Limits(0, 0, 0, 0, 0), 1);
  }

  private static Path simulate(
      Path directory,
      PolicySpec policy,
      int requests,
      Faults faults,
      Scenario.Serving serving,
      Scenario.Limits limits,
      int samples) {
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                List.of(DeviceSpec.parse("a10:blocks=400")),
                "pcie4",
                16,
                "xeon-8358p",
                policy,
                limits,
                serving,
                "roofline",
                faults,
                samples,
                0,
                JsonNodeFactory.instance.objectNode().put("trace", "sample.csv"))
            .resolve();
    JournalHeader header = JournalHeader.of(EngineVersion.VERSION, scenario.canonicalText());
    try (TraceReader trace = SampleTrace.open(ReadOptions.ALL.withLimit(requests));
        DirectLog log =
            new DirectLog(
                Journal.create(directory, header, Durability.ASYNC), (position, event) -> {})) {
      new Simulation(scenario.setup(), trace, log, (arrived, live, now) -> {}).run();
    }
    return directory;
  }
}
