package io.fusespill.sim.profile;

import java.util.List;

/// The bundled disks.
public final class DiskProfiles {

  /// The disk of somebody who names none.
  public static final String DEFAULT = "nvme-pcie4";

  private static final ProfileCatalog<DiskProfile> CATALOG =
      new ProfileCatalog<>(
          "disk",
          "/io/fusespill/sim/disks/",
          List.of(DEFAULT),
          DiskProfile::from,
          DiskProfile::read);

  private DiskProfiles() {}

  public static List<String> names() {
    return CATALOG.names();
  }

  /// The bundled profile of that name, or the one in the `.json` file at that path.
  public static DiskProfile named(String nameOrPath) {
    return CATALOG.named(nameOrPath);
  }
}
