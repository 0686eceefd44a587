package io.fusespill.charts;

import java.util.List;

/// Where a figure's numbers are from. It names no time of day, so that drawing is repeatable.
///
/// @param text a sentence or two: simulated or measured, by which cost model, what ran
/// @param origins the runs or results that the numbers were taken from
public record Source(String text, List<Origin> origins) {

  private static final int SHORT = 8;

  /// A run, or a file of results.
  ///
  /// @param name of the run or file
  /// @param configDigest SHA-256 of the run's configuration in hex; empty for a file
  /// @param resultDigest of a run its final state's hash, of a file the SHA-256 of its journal
  ///   digests or of its bytes; in hex
  public record Origin(String name, String configDigest, String resultDigest) {

    String text() {
      return configDigest.isEmpty()
          ? "%s %s".formatted(name, brief(resultDigest))
          : "%s %s/%s".formatted(name, brief(configDigest), brief(resultDigest));
    }
  }

  public Source {
    origins = List.copyOf(origins);
  }

  static String brief(String digest) {
    return digest.substring(0, Math.min(SHORT, digest.length()));
  }

  /// The text below a figure; digests are cut to eight digits.
  public String footer() {
    StringBuilder line = new StringBuilder(text);
    for (int i = 0; i < origins.size(); i++) {
      line.append(i == 0 ? " " : ", ").append(origins.get(i).text());
    }
    return line.append('.').toString();
  }
}
