package io.fusespill.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Tiny models with what transformers computes from them: the folder that the system property
/// `golden.models` names, where there is one, else the two in the test resources.
public final class GoldenModels {

  private GoldenModels() {}

  /// The folders of all models.
  public static List<Path> folders() {
    Path named = Path.of(System.getProperty("golden.models", ""));
    Path root = Files.isRegularFile(named.resolve("llama2-mha/expected.json")) ? named : bundled();
    try (Stream<Path> files = Files.list(root)) {
      List<Path> folders =
          files.filter(file -> Files.exists(file.resolve("expected.json"))).sorted().toList();
      if (folders.isEmpty()) {
        throw new IllegalStateException("no models in " + root);
      }
      return folders;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// A model of the test resources.
  public static Path bundled(String name) {
    return bundled().resolve(name);
  }

  /// What transformers says of a model.
  public static JsonNode expected(Path folder) {
    try {
      return new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path bundled() {
    try {
      URI resource = GoldenModels.class.getResource("/golden/models").toURI();
      return Path.of(resource);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
