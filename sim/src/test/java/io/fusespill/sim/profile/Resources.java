package io.fusespill.sim.profile;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// What the build copied beside the classes.
final class Resources {

  private Resources() {}

  /// Names of the JSON files in a folder, without their ending.
  static List<String> names(String folder) throws IOException, URISyntaxException {
    Path path = Path.of(Objects.requireNonNull(Resources.class.getResource(folder)).toURI());
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString().replaceFirst("\\.json$", "")).toList();
    }
  }

  static String text(String resource) {
    try (InputStream in = Objects.requireNonNull(Resources.class.getResourceAsStream(resource))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
