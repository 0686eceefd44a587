package io.fusespill.sim.profile;

import java.util.List;

/// The bundled devices.
public final class HardwareProfiles {

  private static final ProfileCatalog<HardwareProfile> CATALOG =
      new ProfileCatalog<>(
          "hardware",
          "/io/fusespill/sim/hardware/",
          List.of(
              "a10",
              "rtx-3090",
              "rtx-4090",
              "rtx-pro-6000",
              "a30",
              "l4",
              "l40s",
              "a100-40g",
              "a100-80g",
              "h100",
              "h200",
              "xeon-8358p",
              "h200-host"),
          HardwareProfile::from,
          HardwareProfile::read);

  private HardwareProfiles() {}

  public static List<String> names() {
    return CATALOG.names();
  }

  /// Whether the name is a bundled profile's, or a file's.
  public static boolean has(String nameOrPath) {
    return CATALOG.has(nameOrPath);
  }

  /// The bundled profile of that name, or the one in the `.json` file at that path.
  public static HardwareProfile named(String nameOrPath) {
    return CATALOG.named(nameOrPath);
  }
}
