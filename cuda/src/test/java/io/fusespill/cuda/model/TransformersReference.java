package io.fusespill.cuda.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.LoadFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A checkpoint and what transformers computed with it: a folder that `transformers_reference.py`
/// wrote.
///
/// @param scaled whether the weights are such that rounding errors do not grow from layer to layer
record TransformersReference(
    Path folder, boolean scaled, int vocabulary, List<Sequence> sequences) {

  private static final ValueLayout.OfFloat LITTLE_ENDIAN =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// A prompt and the tokens that follow it.
  record Sequence(int[] prompt, int[] following) {}

  /// Folders in that which the system property `transformers.models` names; none without it.
  static List<TransformersReference> all() {
    String root = System.getProperty("transformers.models", "");
    if (root.isEmpty()) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(Path.of(root))) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("reference.json")))
          .sorted()
          .map(TransformersReference::read)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TransformersReference read(Path folder) {
    try {
      JsonNode file = new ObjectMapper().readTree(folder.resolve("reference.json").toFile());
      List<Sequence> sequences = new ArrayList<>();
      for (JsonNode node : file.get("sequences")) {
        sequences.add(
            new Sequence(
                GoldenModel.ints(node.get("prompt")), GoldenModel.ints(node.get("following"))));
      }
      return new TransformersReference(
          folder,
          file.get("init").asText().equals("scaled"),
          file.get("vocabulary").asInt(),
          sequences);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Checkpoint open() {
    return Checkpoint.open(folder, LoadFormat.AUTO, 0);
  }

  /// Tokens that follow each prompt.
  int decodes() {
    return sequences.getFirst().following().length;
  }

  /// Logits of `type`, `bf16` or `f32`: of step 0 after a sequence's prompt, of step i after i of
  /// the tokens that follow.
  float[][][] logits(String type) {
    Path file = folder.resolve(type + ".logits");
    float[][][] logits = new float[sequences.size()][decodes() + 1][vocabulary];
    try (FileChannel channel = FileChannel.open(file);
        Arena arena = Arena.ofConfined()) {
      MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      long row = 0;
      for (float[][] sequence : logits) {
        for (float[] step : sequence) {
          MemorySegment.copy(all, LITTLE_ENDIAN, 4L * vocabulary * row++, step, 0, vocabulary);
        }
      }
      return logits;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return folder.getFileName().toString();
  }
}
