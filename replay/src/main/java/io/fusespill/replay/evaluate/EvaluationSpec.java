package io.fusespill.replay.evaluate;

import io.fusespill.engine.policy.PolicyException;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.spec.SpecReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

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
    Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
    String name = String.valueOf(file.getFileName()).replaceAll("\\.ya?ml$", "");
    EvaluationSpec spec = from(root, name, folder);
    root.finish(file);
    Set<String> problems = spec.policyProblems();
    if (!problems.isEmpty()) {
      throw new SpecException(file.toString(), List.copyOf(problems));
    }
    return spec;
  }

  /// What policies have against their options and platforms. That a model does not fit is no
  /// problem of the specification, but a result of its cells.
  private Set<String> policyProblems() {
    Set<String> found = new LinkedHashSet<>();
    EvaluationSpec one =
        new EvaluationSpec(
            name,
            platforms,
            models,
            workloads.subList(0, 1),
            policies,
            seeds.subList(0, 1),
            limits);
    for (Cell cell : one.cells()) {
      try {
        cell.resolve();
      } catch (PolicyException e) {
        found.add(
            "policies: \"%s\" on %s: %s"
                .formatted(cell.row().name(), cell.platform().name(), e.getMessage()));
      } catch (IllegalArgumentException e) {
        // For example a model that does not fit: the cell fails when it runs.
      }
    }
    return found;
  }

  private static EvaluationSpec from(SpecReader spec, String name, Path folder) {
    List<Platform> platforms = new ArrayList<>();
    List<String> platformNames = new ArrayList<>();
    for (SpecReader each : spec.objects("platforms")) {
      platformNames.add(each.text("name"));
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
      NamedWorkload workload = NamedWorkload.from(each, folder);
      if (workload != null) {
        workloads.add(workload);
      }
    }
    requireUnique(spec, "workloads", workloads.stream().map(NamedWorkload::name).toList());
    List<PolicyRow> policies =
        spec.objects("policies").stream()
            .map(each -> PolicyRow.from(each, platformNames, platforms))
            .toList();
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
    Scenario.Limits limits = Limits.from(spec.object("limits"));
    return new EvaluationSpec(name, platforms, models, workloads, policies, seeds, limits);
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
