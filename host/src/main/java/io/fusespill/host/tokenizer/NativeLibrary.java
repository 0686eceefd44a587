package io.fusespill.host.tokenizer;

import java.nio.file.Path;

/// Settings of the library that tokenizers are called through, made before its first use: no
/// network, no counting of users, and where it unpacks its native code.
final class NativeLibrary {

  private NativeLibrary() {}

  /// What is set already, as a property or in the environment, stays.
  static void prepare() {
    set("ai.djl.offline", "true");
    set("OPT_OUT_TRACKING", "true");
    set("DJL_CACHE_DIR", cache().toString());
  }

  /// The folder for native code.
  static Path cache() {
    String property = System.getProperty("DJL_CACHE_DIR", System.getenv("DJL_CACHE_DIR"));
    if (property != null) {
      return Path.of(property);
    }
    String caches = System.getenv("XDG_CACHE_HOME");
    Path base =
        caches == null || caches.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(caches);
    return base.resolve("fusespill");
  }

  private static void set(String key, String value) {
    if (System.getProperty(key) == null && System.getenv(key) == null) {
      System.setProperty(key, value);
    }
  }
}
