package io.fusespill.replay.length;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The public traces, found as those of the module `traces` are: in `data` below the folder that
/// `fusespill.shared` names, else in `shared/data` beside or above the working directory.
public final class SharedData {

  private SharedData() {}

  public static Path file(String name) {
    String shared = System.getProperty("fusespill.shared", "");
    Path folder =
        shared.isEmpty()
            ? Stream.iterate(Path.of("").toAbsolutePath(), above -> above != null, Path::getParent)
                .map(above -> above.resolve("shared/data"))
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(Path.of("shared/data"))
            : Path.of(shared, "data");
    Path file = folder.resolve(name);
    assumeTrue(
        Files.exists(file),
        () -> "skipped: no %s; name the folder with -Dfusespill.shared=…".formatted(file));
    return file;
  }
}
