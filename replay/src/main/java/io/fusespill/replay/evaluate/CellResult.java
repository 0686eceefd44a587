package io.fusespill.replay.evaluate;

import java.util.Map;

/// How a cell went.
public sealed interface CellResult {

  Cell cell();

  /// @param figures by their names in `--json` of `simulate`; numbers are `Long` or `Double`
  record Ran(Cell cell, Map<String, Object> figures) implements CellResult {

    /// A figure that is a number.
    public double figure(String name) {
      if (figures.get(name) instanceof Number number) {
        return number.doubleValue();
      }
      throw new IllegalArgumentException("no number '%s' in %s".formatted(name, figures.keySet()));
    }
  }

  /// @param message one line: what went wrong
  record Failed(Cell cell, String message) implements CellResult {}
}
