package io.fusespill.sim.profile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/// Bundled profiles of one kind by name, and files of the same format by path.
///
/// @param what what the profiles describe, for messages
/// @param folder where their resources lie
/// @param names the bundled ones; the resource of `n` is `n.json`
/// @param bundled reads a bundled file
/// @param file reads a user's file
record ProfileCatalog<T>(
    String what,
    String folder,
    List<String> names,
    Function<JsonReader, T> bundled,
    Function<Path, T> file) {

  boolean has(String nameOrPath) {
    return names.contains(nameOrPath) || nameOrPath.endsWith(".json");
  }

  T named(String nameOrPath) {
    if (names.contains(nameOrPath)) {
      String resource = folder + nameOrPath + ".json";
      return JsonReader.parse(text(resource), resource, bundled);
    }
    if (nameOrPath.endsWith(".json")) {
      return file.apply(Path.of(nameOrPath));
    }
    throw new ProfileException(
        "unknown %s \"%s\"%s; known: %s; or give the path of a .json file"
            .formatted(
                what, nameOrPath, NearMatch.hint(nameOrPath, names), String.join(", ", names)));
  }

  private static String text(String resource) {
    try (InputStream in = ProfileCatalog.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new ProfileException(resource + " is not in this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ProfileException(resource + ": cannot be read", e);
    }
  }
}
