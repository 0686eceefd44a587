package io.fusespill.sweep;

import io.fusespill.sim.profile.NearMatch;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/// The engines of this installation.
public final class SweepEngines {

  private SweepEngines() {}

  /// All of them by name.
  public static List<SweepEngine> all() {
    return ServiceLoader.load(SweepEngine.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparing(SweepEngine::name))
        .toList();
  }

  /// @throws SweepException if there is none of this name
  public static SweepEngine named(String name) {
    List<SweepEngine> all = all();
    List<String> names = all.stream().map(SweepEngine::name).toList();
    return all.stream()
        .filter(engine -> engine.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new SweepException(
                "unknown engine \"%s\"%s; this installation has: %s"
                    .formatted(name, NearMatch.hint(name, names), String.join(", ", names))));
  }
}
