package io.fusespill.learn;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The public texts, which are not part of the repository. They lie in `data` below the folder that
/// the system property `fusespill.shared` names, else in `shared/data` beside or above the working
/// directory; tests that need them are skipped without.
final class SharedData {

  private SharedData() {}

  static Path file(String name) {
    Path file = folder().resolve(name);
    assumeTrue(
        Files.exists(file),
        () -> "skipped: no %s; name the folder with -Dfusespill.shared=…".formatted(file));
    return file;
  }

  private static Path folder() {
    String shared = System.getProperty("fusespill.shared", "");
    if (!shared.isEmpty()) {
      return Path.of(shared, "data");
    }
    return Stream.iterate(Path.of("").toAbsolutePath(), folder -> folder != null, Path::getParent)
        .map(folder -> folder.resolve("shared/data"))
        .filter(Files::isDirectory)
        .findFirst()
        .orElse(Path.of("shared/data"));
  }
}
