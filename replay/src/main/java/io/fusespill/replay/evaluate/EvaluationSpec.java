package io.fusespill.replay.evaluate;

import io.fusespill.engine.policy.PolicyException;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.spec.SpecReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A grid of simulations: the product of its axes is the list of cells.
///
/// @param name of the file, without its ending
/// @param models names of model profiles, or paths of `.json` files
/// @param seeds each cell is run with each of them
/// @param limits for all cells; 0 where not given
public record EvaluationSpec(
    String name,
    List<Platform> platforms,
    List<String> models,
    List<NamedWorkload> workloads,
    List<PolicyRow> policies,
    List<Long> seeds,
    Scenario.Limits limits) {

  private static final long DEFAULT_SEED = 0;

  public EvaluationSpec {
    platforms = List.copyOf(platforms);
    models = List.copyOf(models);
    workloads = List.copyOf(workloads);
    policies = List.copyOf(policies);
    seeds = List.copyOf(seeds);
  }

  /// Reads a YAML file. Traces are relative to its folder.
  ///
  /// @throws SpecException with every problem that the file has
  public static EvaluationSpec read(Path file) {
    SpecReader root = SpecReader.open(file, "platforms, models, workloads, policies");
    EvaluationSpec spec = from(root, file, null);
    root.finish(file);
    return spec;
  }

  /// The grid of a file that may hold other keys too; its problems are gathered by `spec`.
  ///
  /// @param rateOtherwise requests a second of a generator that says nothing of them; null where it
  ///   must
  public static EvaluationSpec from(SpecReader spec, Path file, @Nullable Double rateOtherwise) {
    Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
    String name = String.valueOf(file.getFileName()).replaceAll("\\.ya?ml$", "");
    List<Platform> platforms = new ArrayList<>();
    List<String> platformNames = new ArrayList<>();
    for (SpecReader each : spec.objects("platforms")) {
      platformNames.add(each.name("name"));
      Platform platform = Platform.from(each, platformNames.getLast(), folder);
      if (platform != null) {
        platforms.add(platform);
      }
    }
    requireUnique(spec, "platforms", platformNames);
    List<String> models = spec.texts("models");
    if (models.isEmpty()) {
      spec.problem("models", "is empty, must hold at least one");
    }
    for (int i = 0; i < models.size(); i++) {
      String model = models.get(i);
      spec.check("models[" + i + "]", () -> ModelProfiles.named(model));
    }
    requireUnique(spec, "models", models);
    List<NamedWorkload> workloads = new ArrayList<>();
    for (SpecReader each : spec.objects("workloads")) {
      NamedWorkload workload = NamedWorkload.from(each, folder, rateOtherwise);
      if (workload != null) {
        workloads.add(workload);
      }
    }
    requireUnique(spec, "workloads", workloads.stream().map(NamedWorkload::name).toList());
    Map<PolicyRow, SpecReader> entries = new LinkedHashMap<>();
    List<PolicyRow> policies = new ArrayList<>();
    for (SpecReader each : spec.objects("policies")) {
      for (PolicyRow row : PolicyRow.from(each, platformNames, platforms)) {
        policies.add(row);
        entries.put(row, each);
      }
    }
    for (Platform platform : platforms) {
      requireUnique(
          spec,
          "policies on " + platform.name(),
          policies.stream().filter(row -> row.runsOn(platform)).map(PolicyRow::name).toList());
    }
    List<Long> seeds = spec.has("seeds") ? spec.wholes("seeds") : List.of(DEFAULT_SEED);
    if (seeds.isEmpty()) {
      spec.problem("seeds", "is empty, must hold at least one");
    }
    requireUnique(spec, "seeds", seeds.stream().map(String::valueOf).toList());
    SpecReader limitsEntry = spec.object("limits");
    Scenario.Limits limits = Limits.from(limitsEntry);
    EvaluationSpec read =
        new EvaluationSpec(name, platforms, models, workloads, policies, seeds, limits);
    if (spec.sound()) {
      read.requireLimits(entries, limitsEntry);
    }
    if (spec.sound()) {
      read.requireLegalPolicies(entries);
    }
    return read;
  }

  /// What limits have against each other under a policy and a model.
  private void requireLimits(Map<PolicyRow, SpecReader> entries, SpecReader limitsEntry) {
    Set<String> told = new HashSet<>();
    EvaluationSpec once =
        new EvaluationSpec(
            name,
            platforms,
            models,
            workloads.subList(0, 1),
            policies,
            seeds.subList(0, 1),
            limits);
    for (Cell cell : once.cells()) {
      PolicyRow row = cell.row();
      try {
        cell.scenario().requireLimits();
      } catch (IllegalArgumentException e) {
        boolean ofRow = row.maxNumSeqs() > 0 || row.maxNumBatchedTokens() > 0;
        if (told.add((ofRow ? row.name() : "") + e.getMessage())) {
          (ofRow ? Objects.requireNonNull(entries.get(row)) : limitsEntry)
              .refused("", e.getMessage());
        }
      }
    }
  }

  /// What policies have against their options and platforms. That a model does not fit is no
  /// problem of the specification, but a result of its cells.
  private void requireLegalPolicies(Map<PolicyRow, SpecReader> entries) {
    Set<String> told = new HashSet<>();
    for (PolicyRow row : policies) {
      for (Platform platform : platforms) {
        for (String model : row.runsOn(platform) ? models : List.<String>of()) {
          try {
            new Cell(platform, model, workloads.getFirst(), row, seeds.getFirst(), limits)
                .resolve();
          } catch (PolicyException e) {
            String what =
                e.option() == null
                    ? "\"%s\" on %s: %s".formatted(row.name(), platform.name(), e.getMessage())
                    : e.getMessage();
            if (told.add(row.name() + what)) {
              Objects.requireNonNull(entries.get(row))
                  .refused(e.option() == null ? "" : "options." + e.option(), what);
            }
          } catch (IllegalArgumentException e) {
            // For example a model that does not fit: the cell fails when it runs.
          }
        }
      }
    }
  }

  private static void requireUnique(SpecReader spec, String key, List<String> names) {
    Set<String> seen = new HashSet<>();
    Set<String> twice = new LinkedHashSet<>();
    for (String name : names) {
      if (!seen.add(name) && !name.isEmpty()) {
        twice.add(name);
      }
    }
    twice.forEach(name -> spec.problem(key, "holds \"%s\" twice".formatted(name)));
  }

  /// This specification with another list of seeds.
  public EvaluationSpec withSeeds(List<Long> seeds) {
    return new EvaluationSpec(name, platforms, models, workloads, policies, seeds, limits);
  }

  /// This specification with other workloads.
  public EvaluationSpec withWorkloads(List<NamedWorkload> workloads) {
    return new EvaluationSpec(name, platforms, models, workloads, policies, seeds, limits);
  }

  /// Every cell, those of a table side by side and those of a row within.
  public List<Cell> cells() {
    List<Cell> cells = new ArrayList<>();
    for (Platform platform : platforms) {
      for (String model : models) {
        for (NamedWorkload workload : workloads) {
          for (PolicyRow row : policies) {
            if (row.runsOn(platform)) {
              seeds.forEach(
                  seed -> cells.add(new Cell(platform, model, workload, row, seed, limits)));
            }
          }
        }
      }
    }
    return cells;
  }
}
