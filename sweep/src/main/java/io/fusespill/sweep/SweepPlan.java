package io.fusespill.sweep;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.EngineVersion;
import io.fusespill.replay.evaluate.NamedWorkload;
import io.fusespill.replay.evaluate.Platform;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.traces.TraceException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// A sweep's scenarios with their keys, in the order of the tables.
///
/// @param tasks one for each row; two whose keys are equal have equal figures and are run once
/// @param notes what the tables do not show, a line each
public record SweepPlan(SweepSpec spec, List<SweepTask> tasks, List<String> notes) {

  /// Changes when figures change their meaning.
  private static final int FORMAT = 1;

  public SweepPlan {
    tasks = List.copyOf(tasks);
    notes = List.copyOf(notes);
  }

  /// Reads every trace once, to know that it is whole and how many requests it has.
  ///
  /// @param traces where they are kept for those who run the tasks
  /// @throws SpecException with every trace that cannot be read or is empty
  public static SweepPlan of(SweepSpec spec, TraceCache traces) {
    requireRequests(spec, traces);
    List<SweepTask> tasks = new ArrayList<>();
    for (SweepScenario scenario : spec.scenarios()) {
      tasks.add(
          new SweepTask(
              tasks.size(), key(scenario, traces), traces.count(scenario.requests()), scenario));
    }
    return new SweepPlan(spec, tasks, notes(spec, traces));
  }

  /// Which rows of the traces were left out, and which platforms have no price beside those that
  /// have one.
  static List<String> notes(SweepSpec spec, TraceCache traces) {
    Set<String> notes = new LinkedHashSet<>();
    for (NamedWorkload workload : spec.grid().workloads()) {
      String skipped = traces.skipped(workload.workload());
      if (!skipped.isEmpty()) {
        notes.add("workload %s: %s".formatted(workload.name(), skipped));
      }
    }
    if (spec.prices() != null) {
      for (Platform platform : spec.grid().platforms()) {
        List<String> missing = spec.prices().missing(platform.topology());
        if (!missing.isEmpty()) {
          notes.add(
              "platform %s has no price: none of %s is given"
                  .formatted(platform.name(), String.join(", ", missing)));
        }
      }
    }
    return List.copyOf(notes);
  }

  /// @throws SpecException with every trace that cannot be read or is empty
  static void requireRequests(SweepSpec spec, TraceCache traces) {
    Set<String> problems = new LinkedHashSet<>();
    for (NamedWorkload workload : spec.grid().workloads()) {
      try {
        if (traces.count(workload.workload()) == 0) {
          problems.add(
              "workload \"%s\" is empty: its filters or its limit leave no request"
                  .formatted(workload.name()));
        }
      } catch (TraceException e) {
        problems.add("workload \"%s\": %s".formatted(workload.name(), e.getMessage()));
      }
    }
    if (!problems.isEmpty()) {
      throw new SpecException(spec.name(), List.copyOf(problems));
    }
  }

  /// Requests of all scenarios together.
  public long requests() {
    return tasks.stream().mapToLong(SweepTask::requests).sum();
  }

  /// The first task of each key.
  public List<SweepTask> distinct() {
    Map<String, SweepTask> byKey = new LinkedHashMap<>();
    tasks.forEach(task -> byKey.putIfAbsent(task.key(), task));
    return List.copyOf(byKey.values());
  }

  /// A hash over everything that the figures follow from: the engine's version, the scenario
  /// without its labels, the profiles that it names, the trace's content and the objective.
  static String key(SweepScenario scenario, TraceCache traces) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("format", FORMAT);
    json.put("engine", EngineVersion.VERSION);
    json.put("scenario", SweepJson.write(scenario.scenario()));
    json.put("slo", SweepJson.write(scenario.slo()));
    json.put("profiles", SweepJson.write(profiles(scenario)));
    if (scenario.requests() instanceof TraceWorkload trace) {
      json.put("trace", traces.digest(trace.file()));
    }
    return Sha256.of(json.toString());
  }

  private static Map<String, Object> profiles(SweepScenario scenario) {
    Map<String, Object> profiles = new TreeMap<>();
    profiles.put("model", ModelProfiles.named(scenario.scenario().model()));
    for (TopologySpec.Device device : scenario.scenario().topology().devices()) {
      profiles.put("cards of " + device.name(), device.spec().group());
      profiles.put("link of " + device.name(), LinkProfiles.named(device.cardLink()));
    }
    return profiles;
  }
}
