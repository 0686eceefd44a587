package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.sim.cost.FittedProfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The file that a fitted profile is written to.
///
/// @param force whether one that is there is replaced
record ProfileFile(Path path, boolean force) {

  /// @throws UsageException if a file is there that must not be replaced, or no folder for it
  void requireFree() {
    NewFile.requireFolder(path);
    NewFile.requireFree(path, force);
  }

  /// What the profile is called: as given, or as the file.
  String profileName(@Nullable String given) {
    return given == null ? String.valueOf(path.getFileName()).replaceAll("\\.json$", "") : given;
  }

  /// @throws UsageException if the file cannot be written
  void write(FittedProfile profile) {
    try {
      Files.writeString(path, profile.toJson(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UsageException("cannot write %s: %s".formatted(path, e), e);
    }
  }

  static JsonNode json(FittedProfile profile) {
    try {
      return new ObjectMapper().readTree(profile.toJson());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a profile is no JSON", e);
    }
  }
}
