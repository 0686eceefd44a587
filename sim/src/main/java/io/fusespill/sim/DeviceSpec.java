package io.fusespill.sim;

import io.fusespill.engine.config.Place;
import io.fusespill.sim.profile.ProfileException;

/// A device as the command line names it: `NAME`, `NAME:blocks=N` or `NAME:util=U`.
///
/// @param profile name of a hardware profile, or path of a file of one
/// @param blocks KV blocks; 0 where they follow from memory
/// @param utilisation share of the device's memory that may be used; meaningless where `blocks` is
///   given
public record DeviceSpec(String profile, int blocks, double utilisation) {

  /// vLLM's default `gpu_memory_utilization`.
  public static final double DEFAULT_UTILISATION = 0.9;

  /// Reads the command line's form.
  ///
  /// @throws ProfileException naming what is wrong with it
  public static DeviceSpec parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      return new DeviceSpec(text, 0, DEFAULT_UTILISATION);
    }
    String profile = text.substring(0, colon);
    String setting = text.substring(colon + 1);
    String value = setting.substring(setting.indexOf('=') + 1);
    try {
      if (setting.startsWith("blocks=")) {
        int blocks = Integer.parseInt(value);
        if (blocks >= 1 && blocks <= Place.MAX_BLOCKS) {
          return new DeviceSpec(profile, blocks, DEFAULT_UTILISATION);
        }
      } else if (setting.startsWith("util=")) {
        double utilisation = Double.parseDouble(value);
        if (utilisation > 0 && utilisation <= 1) {
          return new DeviceSpec(profile, 0, utilisation);
        }
      }
    } catch (NumberFormatException e) {
      throw malformed(text, setting);
    }
    throw malformed(text, setting);
  }

  private static ProfileException malformed(String text, String setting) {
    return new ProfileException(
        "device '%s': '%s' must be blocks=N with N of 1 to %,d, or util=U with U above 0 and at most 1"
            .formatted(text, setting, Place.MAX_BLOCKS));
  }
}
