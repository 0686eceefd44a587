package io.fusespill.charts;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.charts.RunData.Detail;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.journal.DirectLog;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.DiskSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.TraceRequest;
import io.fusespill.traces.WorkloadGenerator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Runs under pressure, simulated for tests.
final class Runs {

  private static final int REQUESTS = 120;
  private static final int BLOCKS = 200;

  private Runs() {}

  /// Policy fusespill on one device with a host that attends.
  static RunData fusespill(String name) {
    return run(name, PolicySpec.of("fusespill"), "xeon-8358p", null, Detail.DEFAULT, REQUESTS);
  }

  static RunData fusespill(String name, Detail detail) {
    return run(name, PolicySpec.of("fusespill"), "xeon-8358p", null, detail, REQUESTS);
  }

  /// Policy fusespill with a host of little memory before a disk: sequences spill.
  static RunData spilling(String name) {
    return run(
        name,
        new PolicySpec("fusespill", new TreeMap<>(Map.of("attention", "false"))),
        null,
        new DiskSpec(50, 6_000_000_000L, 6_000_000_000L, 0),
        Detail.DEFAULT,
        2 * REQUESTS);
  }

  /// vLLM 0.2.7 with swap.
  static RunData swap(String name) {
    return run(
        name,
        new PolicySpec("vllm-0.2.7", new TreeMap<>(Map.of("preemption", "swap"))),
        null,
        null,
        Detail.DEFAULT,
        REQUESTS);
  }

  /// A run in which nothing arrives.
  static RunData empty(String name) {
    return run(name, PolicySpec.of("continuous"), null, null, Detail.DEFAULT, 0);
  }

  /// A pool of 0.8 GiB.
  static RunData small(String name) {
    return run(name, PolicySpec.of("continuous"), 100, null, null, Detail.DEFAULT, 3);
  }

  /// A single request on an idle device.
  static RunData one(String name) {
    return run(name, PolicySpec.of("fusespill"), "xeon-8358p", null, Detail.DEFAULT, 1);
  }

  private static RunData run(
      String name, PolicySpec policy, String host, DiskSpec disk, Detail detail, int requests) {
    return run(name, policy, BLOCKS, host, disk, detail, requests);
  }

  private static RunData run(
      String name,
      PolicySpec policy,
      int blocks,
      String host,
      DiskSpec disk,
      Detail detail,
      int requests) {
    Machine machine =
        new Machine(
            List.of(DeviceSpec.parse("a10:blocks=" + blocks)),
            List.of(),
            "pcie4-16gbps",
            disk == null ? 16 : 0.25,
            host,
            disk,
            null);
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                machine.topology(),
                policy,
                new Scenario.Limits(0, 0, 0, 0, 0),
                Scenario.Serving.DEFAULT,
                "roofline",
                Faults.NONE,
                1,
                0,
                JsonNodeFactory.instance.objectNode())
            .resolve();
    RunData run =
        new RunData(
            name, JournalHeader.of(EngineVersion.VERSION, scenario.canonicalText()), detail);
    try (DirectLog log = new DirectLog(Journal.none(), run::accept)) {
      new Simulation(scenario.setup(), workload(requests), log, (arrived, live, now) -> {}).run();
    }
    run.close();
    return run;
  }

  private static Iterator<TraceRequest> workload(int requests) {
    return requests == 0
        ? List.<TraceRequest>of().iterator()
        : new WorkloadGenerator(
            PublishedLengths.named("sharegpt"),
            LengthFilter.FUSESPILL_PAPER,
            ArrivalProcess.gamma(4, 1),
            requests,
            0);
  }
}
