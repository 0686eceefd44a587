package io.fusespill.host.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.GoldenModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// A copy of a tiny checkpoint, to be damaged.
record CheckpointFolder(Path path) {

  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// A copy of `llama2-mha`: one file of f16.
  static CheckpointFolder single(Path into) {
    return copy("llama2-mha", into);
  }

  /// A copy of `llama3-gqa-ropescaled-tied-sharded`: four files of bf16.
  static CheckpointFolder sharded(Path into) {
    return copy("llama3-gqa-ropescaled-tied-sharded", into);
  }

  private static CheckpointFolder copy(String model, Path into) {
    try (Stream<Path> files = Files.list(GoldenModels.bundled(model))) {
      Files.createDirectories(into);
      for (Path file : files.toList()) {
        Files.copy(file, into.resolve(file.getFileName().toString()));
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return new CheckpointFolder(into);
  }

  Path file(String name) {
    return path.resolve(name);
  }

  /// Changes an object in a JSON file.
  void json(String name, Consumer<ObjectNode> change) {
    ObjectNode object = (ObjectNode) tree(bytes(name));
    change.accept(object);
    write(name, object.toString().getBytes(StandardCharsets.UTF_8));
  }

  void config(Consumer<ObjectNode> change) {
    json("config.json", change);
  }

  /// Changes the header of a safetensors file; the tensors' bytes stay.
  void header(String name, Consumer<ObjectNode> change) {
    byte[] bytes = bytes(name);
    int headerBytes = headerBytes(bytes);
    ObjectNode header = (ObjectNode) tree(Arrays.copyOfRange(bytes, 8, 8 + headerBytes));
    change.accept(header);
    rawHeader(name, header.toString());
  }

  /// Puts that text in the place of a safetensors file's header.
  void rawHeader(String name, String text) {
    byte[] bytes = bytes(name);
    int start = 8 + headerBytes(bytes);
    byte[] header = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer changed =
        ByteBuffer.allocate(8 + header.length + bytes.length - start)
            .order(ByteOrder.LITTLE_ENDIAN);
    changed.putLong(header.length).put(header).put(bytes, start, bytes.length - start);
    write(name, changed.array());
  }

  void cut(String name, int bytes) {
    write(name, Arrays.copyOf(bytes(name), bytes));
  }

  /// Replaces the header's length.
  void headerLength(String name, long length) {
    byte[] bytes = bytes(name);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    write(name, bytes);
  }

  byte[] bytes(String name) {
    try {
      return Files.readAllBytes(file(name));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  void write(String name, byte[] bytes) {
    try {
      Files.write(file(name), bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  void text(String name, String text) {
    write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  void delete(String... names) {
    try {
      for (String name : List.of(names)) {
        Files.delete(file(name));
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static int headerBytes(byte[] bytes) {
    return (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }

  private static JsonNode tree(byte[] json) {
    try {
      return MAPPER.readTree(json);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
