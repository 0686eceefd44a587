package io.fusespill.cli;

import java.nio.file.Path;

/// Tiny models that are in the tests of module `host`.
final class TinyModel {

  private static final Path FOLDER =
      Path.of("..", "host", "src", "test", "resources", "golden", "models");

  /// Begins a sequence with a token of its own, by the text `<|bos|>`.
  static final Path LLAMA_3 = FOLDER.resolve("llama3-gqa-ropescaled-tied-sharded");

  static final Path LLAMA_2 = FOLDER.resolve("llama2-mha");

  private TinyModel() {}
}
