package io.fusespill.sim.profile;

import java.util.List;

/// The bundled models.
public final class ModelProfiles {

  private static final ProfileCatalog<ModelProfile> CATALOG =
      new ProfileCatalog<>(
          "model",
          "/io/fusespill/sim/models/",
          List.of(
              "vicuna-7b",
              "vicuna-13b",
              "baichuan-7b",
              "aquila-7b",
              "llama-2-7b",
              "llama-2-13b",
              "llama-2-70b",
              "llama-3.1-8b",
              "llama-3.1-70b",
              "mistral-7b",
              "qwen2.5-7b",
              "qwen3-0.6b",
              "qwen3-8b"),
          json -> ModelConfig.profile(json, ""),
          ModelProfile::fromConfigJson);

  private ModelProfiles() {}

  public static List<String> names() {
    return CATALOG.names();
  }

  /// Whether the name is a bundled profile's, or a file's.
  public static boolean has(String nameOrPath) {
    return CATALOG.has(nameOrPath);
  }

  /// The bundled profile of that name, or that of the checkpoint whose `config.json` is at that
  /// path.
  public static ModelProfile named(String nameOrPath) {
    return CATALOG.named(nameOrPath);
  }
}
