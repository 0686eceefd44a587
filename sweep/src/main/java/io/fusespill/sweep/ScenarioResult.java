package io.fusespill.sweep;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a scenario went.
public sealed interface ScenarioResult {

  /// The task's.
  String key();

  /// As one line of JSON.
  default String toJson() {
    return SweepJson.write(this);
  }

  /// @throws IllegalArgumentException if [#toJson] did not write it
  static ScenarioResult fromJson(String json) {
    ScenarioResult result = SweepJson.read(json, ScenarioResult.class);
    return result instanceof Finished finished
        ? new Finished(
            finished.key(), SweepFigures.typed(finished.figures()), finished.wallSeconds())
        : result;
  }

  /// It ran to its end.
  ///
  /// @param figures by the names of [SweepFigures#columns], of their types; null where there is
  ///   none
  /// @param wallSeconds that it took, which is no figure: it differs from run to run
  record Finished(String key, Map<String, @Nullable Object> figures, double wallSeconds)
      implements ScenarioResult {

    public Finished {
      figures = new LinkedHashMap<>(figures);
    }
  }

  /// @param message one line: what went wrong
  record Failed(String key, String message) implements ScenarioResult {}
}
