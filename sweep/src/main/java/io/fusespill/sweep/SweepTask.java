package io.fusespill.sweep;

/// A scenario to be run.
///
/// @param index place of its first row in the table, from 0
/// @param key what its figures follow from, as 64 hexadecimal digits: whatever has the same key has
///   the same figures
/// @param requests how many arrive: what a run costs is about proportional
public record SweepTask(int index, String key, long requests, SweepScenario scenario) {

  /// As one line of JSON.
  public String toJson() {
    return SweepJson.write(this);
  }

  /// @throws IllegalArgumentException if [#toJson] did not write it
  public static SweepTask fromJson(String json) {
    return SweepJson.read(json, SweepTask.class);
  }
}
