package io.fusespill.live;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.LoadFormat;
import java.nio.file.Files;
import java.nio.file.Path;

/// The tiny models that were made elsewhere, with what they should answer.
final class GoldenModel {

  private GoldenModel() {}

  private static final Path BUNDLED =
      Path.of("..", "host", "src", "test", "resources", "golden", "models");

  /// The folder of a model, of those named by `golden.models` or else of the few that are bundled;
  /// a test that needs another is skipped.
  static Path folder(String name) {
    if (!Files.isDirectory(Path.of(System.getProperty("golden.models", ""), name))
        && Files.isDirectory(BUNDLED.resolve(name))) {
      return BUNDLED.resolve(name);
    }
    Path folder = Path.of(System.getProperty("golden.models", "")).resolve(name);
    assumeTrue(
        Files.isDirectory(folder),
        () ->
            "no model in %s: name the folder of the models with -Dgolden.models".formatted(folder));
    return folder;
  }

  static Checkpoint open(String name) {
    return Checkpoint.open(folder(name), LoadFormat.AUTO, 0);
  }
}
