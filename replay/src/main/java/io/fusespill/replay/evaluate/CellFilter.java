package io.fusespill.replay.evaluate;

import io.fusespill.sim.profile.NearMatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Which cells to run: `AXIS=NAME,…`. Names of one axis are alternatives, axes are combined with
/// *and*.
public final class CellFilter {

  private enum Axis {
    PLATFORM(cell -> cell.platform().name()),
    MODEL(Cell::model),
    WORKLOAD(cell -> cell.workload().name()),
    POLICY(cell -> cell.row().name());

    private final Function<Cell, String> name;

    Axis(Function<Cell, String> name) {
      this.name = name;
    }

    private String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Map<Axis, List<String>> wanted = new EnumMap<>(Axis.class);

  /// @param terms each `AXIS=NAME`
  /// @throws IllegalArgumentException if a term has another form
  public CellFilter(List<String> terms) {
    for (String term : terms) {
      int equals = term.indexOf('=');
      Axis axis =
          Arrays.stream(Axis.values())
              .filter(each -> equals > 0 && each.label().equals(term.substring(0, equals)))
              .findFirst()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "'%s' must be platform=NAME, model=NAME, workload=NAME or policy=NAME"
                          .formatted(term)));
      wanted.computeIfAbsent(axis, a -> new ArrayList<>()).add(term.substring(equals + 1));
    }
  }

  /// The cells that pass.
  ///
  /// @throws IllegalArgumentException if a name is none of the cells', or none passes
  public List<Cell> of(List<Cell> cells) {
    wanted.forEach((axis, names) -> requireKnown(axis, names, cells));
    List<Cell> kept = cells.stream().filter(this::accepts).toList();
    if (kept.isEmpty()) {
      throw new IllegalArgumentException("no cell has all of %s".formatted(wanted.values()));
    }
    return kept;
  }

  private boolean accepts(Cell cell) {
    return wanted.entrySet().stream()
        .allMatch(axis -> axis.getValue().contains(axis.getKey().name.apply(cell)));
  }

  private static void requireKnown(Axis axis, List<String> names, List<Cell> cells) {
    List<String> known = cells.stream().map(axis.name).distinct().toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "unknown %s \"%s\"%s; known: %s"
                .formatted(
                    axis.label(),
                    name,
                    NearMatch.hint(name, known),
                    known.stream().collect(Collectors.joining(", "))));
      }
    }
  }
}
