package io.fusespill.host.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.checkpoint.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A folder of the golden models, read as plainly as can be: what the tests of the forward pass
/// need.
final class GoldenModel implements WeightSource {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, MemorySegment> data = new TreeMap<>();
  private final Map<String, ElementType> types = new TreeMap<>();
  private final Path folder;
  private final JsonNode config;

  GoldenModel(Path folder) {
    this.folder = folder;
    config = read("config.json");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.safetensors")) {
      for (Path file : files) {
        map(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private JsonNode read(String name) {
    try {
      return JSON.readTree(folder.resolve(name).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      MemorySegment all =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
      long header = all.get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0);
      byte[] text = all.asSlice(8, header).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
      for (Map.Entry<String, JsonNode> entry :
          JSON.readTree(new String(text, StandardCharsets.UTF_8)).properties()) {
        if (entry.getKey().equals("__metadata__")) {
          continue;
        }
        JsonNode offsets = entry.getValue().get("data_offsets");
        long from = offsets.get(0).asLong();
        data.put(entry.getKey(), all.asSlice(8 + header + from, offsets.get(1).asLong() - from));
        types.put(entry.getKey(), ElementType.valueOf(entry.getValue().get("dtype").asText()));
      }
    }
  }

  @Override
  public Tensor tensor(String name, int rows, int columns) {
    MemorySegment segment = data.get(name);
    if (segment == null) {
      throw new CheckpointException(folder + " has no tensor " + name);
    }
    return new Tensor(name, types.get(name), rows, columns, segment);
  }

  /// Questions and answers of the reference.
  JsonNode expected() {
    return read("expected.json");
  }

  /// The config. The reference converted the whole model to the weights' type and then to f32, the
  /// rotary frequencies too: they are rounded here as there.
  ModelConfig config() {
    int hidden = config.get("hidden_size").asInt();
    int heads = config.get("num_attention_heads").asInt();
    int headDim = config.path("head_dim").asInt(hidden / heads);
    String type = config.get("model_type").asText();
    ElementType weightType =
        data.isEmpty() ? ElementType.F32 : types.get("model.embed_tokens.weight");
    return new ModelConfig(
        config.get("architectures").get(0).asText(),
        config.get("vocab_size").asInt(),
        hidden,
        config.get("intermediate_size").asInt(),
        config.get("num_hidden_layers").asInt(),
        heads,
        config.get("num_key_value_heads").asInt(),
        headDim,
        config.get("rms_norm_eps").asDouble(),
        rope(headDim).rounded(weightType),
        type.equals("qwen2"),
        false,
        false,
        type.equals("qwen3"),
        config.get("tie_word_embeddings").asBoolean(),
        config.get("max_position_embeddings").asInt(),
        weightType,
        List.of());
  }

  private RopeFrequencies rope(int headDim) {
    JsonNode parameters = config.path("rope_parameters");
    JsonNode theta =
        parameters.has("rope_theta") ? parameters.get("rope_theta") : config.get("rope_theta");
    RopeFrequencies plain = RopeFrequencies.of(theta.asDouble(), headDim);
    JsonNode scaling = config.path("rope_scaling");
    return scaling.path("rope_type").asText().equals("llama3")
        ? plain.llama3(
            scaling.get("factor").asDouble(),
            scaling.get("low_freq_factor").asDouble(),
            scaling.get("high_freq_factor").asDouble(),
            scaling.get("original_max_position_embeddings").asInt())
        : plain;
  }

  /// The folders of the golden models; none where they are absent.
  static List<Path> folders() {
    Path root = Path.of(System.getProperty("golden.models", "../../shared/golden/models"));
    List<Path> folders = new ArrayList<>();
    if (Files.isDirectory(root)) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(root)) {
        for (Path child : children) {
          if (Files.exists(child.resolve("expected.json"))) {
            folders.add(child);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    folders.sort(null);
    return folders;
  }

  @Override
  public String toString() {
    return folder.getFileName().toString();
  }
}
