package io.fusespill.cuda.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.host.checkpoint.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A tiny model with what a float32 reference computes from it.
record GoldenModel(Path folder) {

  private static final String DEFAULT = "../../shared/golden/models";

  /// The models in the folder that the system property `golden.models` names, or beside the
  /// repository; none where they are absent.
  static List<GoldenModel> all() {
    String named = System.getProperty("golden.models", "");
    Path root = Path.of(named.isEmpty() ? DEFAULT : named);
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(root)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("expected.json")))
          .sorted()
          .map(GoldenModel::new)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Checkpoint open() {
    return Checkpoint.open(folder, LoadFormat.AUTO, 0);
  }

  /// The config, with the rotary frequencies rounded to the weights' type, as in the reference.
  static ModelConfig asReference(ModelConfig config) {
    return new ModelConfig(
        config.architecture(),
        config.vocabulary(),
        config.hidden(),
        config.intermediate(),
        config.layers(),
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.normEpsilon(),
        config.rope().rounded(config.weightType()),
        config.qkvBias(),
        config.outputBias(),
        config.mlpBias(),
        config.qkNorm(),
        config.tiedEmbeddings(),
        config.maxPositions(),
        config.weightType(),
        config.eosIds());
  }

  JsonNode cases() {
    try {
      return new ObjectMapper().readTree(folder.resolve("expected.json").toFile()).get("cases");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }

  static double[] doubles(JsonNode array) {
    return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).asDouble()).toArray();
  }

  @Override
  public String toString() {
    return folder.getFileName().toString();
  }
}
