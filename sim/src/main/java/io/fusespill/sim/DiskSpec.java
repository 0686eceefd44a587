package io.fusespill.sim;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.DiskProfile;
import io.fusespill.sim.profile.DiskProfiles;
import io.fusespill.sim.profile.ProfileException;
import java.math.BigDecimal;
import java.util.List;

/// A disk as the command line names it: `GIB`, then perhaps `:` and settings with commas between
/// them, `read=N` and `write=N` in bytes a second; what is not given is the default disk's.
///
/// @param gib room for KV, above 0, at most [TopologySpec#GIB_MAX]
/// @param copyNanos fixed time of one copy
public record DiskSpec(
    double gib, long readBytesPerSecond, long writeBytesPerSecond, long copyNanos) {

  public DiskSpec {
    if (!(gib > 0 && gib <= TopologySpec.GIB_MAX)) {
      throw new ProfileException(
          "disk of %s GiB, must be above 0 and at most %,.0f".formatted(gib, TopologySpec.GIB_MAX));
    }
    Check.range(
        "read rate of the disk", readBytesPerSecond, TopologySpec.RATE_MIN, TopologySpec.RATE_MAX);
    Check.range(
        "write rate of the disk",
        writeBytesPerSecond,
        TopologySpec.RATE_MIN,
        TopologySpec.RATE_MAX);
    Check.range("copyNanos of the disk", copyNanos, 0, TopologySpec.COPY_NANOS_MAX);
  }

  /// Reads the command line's form.
  ///
  /// @throws ProfileException naming what is wrong with it
  public static DiskSpec parse(String text) {
    DiskProfile profile = DiskProfiles.named(DiskProfiles.DEFAULT);
    long read = profile.readBytesPerSecond();
    long write = profile.writeBytesPerSecond();
    int colon = text.indexOf(':');
    List<String> settings =
        colon < 0 ? List.of() : List.of(text.substring(colon + 1).split(",", -1));
    for (String setting : settings) {
      String value = setting.substring(setting.indexOf('=') + 1);
      if (setting.startsWith("read=")) {
        read = rate(text, setting, value);
      } else if (setting.startsWith("write=")) {
        write = rate(text, setting, value);
      } else {
        throw malformed(text, setting);
      }
    }
    String gib = colon < 0 ? text : text.substring(0, colon);
    try {
      return new DiskSpec(Double.parseDouble(gib), read, write, profile.copyNanos());
    } catch (NumberFormatException e) {
      throw new ProfileException(
          "disk '%s': '%s' is no number of GiB; write for example 200 or 200:read=6.5e9,write=3.5e9"
              .formatted(text, gib),
          e);
    }
  }

  private static long rate(String text, String setting, String value) {
    try {
      return new BigDecimal(value).longValueExact();
    } catch (ArithmeticException | NumberFormatException e) {
      throw malformed(text, setting);
    }
  }

  private static ProfileException malformed(String text, String setting) {
    return new ProfileException(
        "disk '%s': '%s' must be read=N or write=N with N bytes a second, for example read=6.5e9"
            .formatted(text, setting));
  }
}
