package io.fusespill.sim.profile;

import java.util.List;

/// The bundled links.
public final class LinkProfiles {

  private static final ProfileCatalog<LinkProfile> CATALOG =
      new ProfileCatalog<>(
          "link",
          "/io/fusespill/sim/links/",
          List.of("pcie3", "pcie4", "pcie4-16gbps", "pcie5"),
          LinkProfile::from,
          LinkProfile::read);

  private LinkProfiles() {}

  public static List<String> names() {
    return CATALOG.names();
  }

  /// The bundled profile of that name, or the one in the `.json` file at that path.
  public static LinkProfile named(String nameOrPath) {
    return CATALOG.named(nameOrPath);
  }
}
