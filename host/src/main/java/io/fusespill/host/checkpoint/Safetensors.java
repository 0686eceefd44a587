package io.fusespill.host.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One `*.safetensors` file, mapped: 8 bytes that say how long the header is, a JSON header that
/// says where each tensor lies, the tensors one after another.
final class Safetensors {

  private static final int LENGTH_BYTES = 8;
  private static final long MAX_HEADER_BYTES = 100_000_000;

  /// Numbers narrower than a byte, too: what is not used is not an error.
  private static final Map<String, Integer> BYTES =
      Map.ofEntries(
          Map.entry("BOOL", 1),
          Map.entry("U8", 1),
          Map.entry("I8", 1),
          Map.entry("F8_E4M3", 1),
          Map.entry("F8_E5M2", 1),
          Map.entry("U16", 2),
          Map.entry("I16", 2),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("U32", 4),
          Map.entry("I32", 4),
          Map.entry("F32", 4),
          Map.entry("U64", 8),
          Map.entry("I64", 8),
          Map.entry("F64", 8));

  /// What the header says of one tensor; `begin` and `end` are bytes from the header's end.
  private record Entry(String name, String type, List<Long> shape, long begin, long end) {}

  private final Path file;
  private final Map<String, Entry> entries;
  private final MemorySegment data;

  private Safetensors(Path file, Map<String, Entry> entries, MemorySegment data) {
    this.file = file;
    this.entries = entries;
    this.data = data;
  }

  /// Maps `file` for as long as `arena` lives.
  static Safetensors open(Path file, Arena arena) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      long headerBytes = headerBytes(channel, file, size);
      ByteBuffer header = ByteBuffer.allocate((int) headerBytes);
      read(channel, header, LENGTH_BYTES);
      JsonFile json = JsonFile.parse(header.array(), file + " (header)");
      long start = LENGTH_BYTES + headerBytes;
      Map<String, Entry> entries = entries(json);
      checkLayout(file, entries, size - start);
      MemorySegment whole =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena).asSlice(start);
      return new Safetensors(file, entries, whole);
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  private static long headerBytes(FileChannel channel, Path file, long size) throws IOException {
    if (size < LENGTH_BYTES) {
      throw new CheckpointException(
          "%s has %d bytes, and a safetensors file at least %d; fetch it again"
              .formatted(file, size, LENGTH_BYTES + 2));
    }
    ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    read(channel, length, 0);
    long bytes = length.getLong(0);
    if (bytes < 2 || bytes > MAX_HEADER_BYTES) {
      throw new CheckpointException(
          "%s says that its header has %s bytes; legal: 2 to %d; it is no safetensors file, or damaged: fetch it again"
              .formatted(file, Long.toUnsignedString(bytes), MAX_HEADER_BYTES));
    }
    if (LENGTH_BYTES + bytes > size) {
      throw new CheckpointException(
          "%s is truncated: it has %d bytes, its header alone needs %d; fetch it again"
              .formatted(file, size, LENGTH_BYTES + bytes));
    }
    return bytes;
  }

  private static void read(FileChannel channel, ByteBuffer into, long at) throws IOException {
    while (into.hasRemaining()) {
      int n = channel.read(into, at + into.position());
      if (n < 0) {
        throw new IOException("it ends at byte " + (at + into.position()));
      }
    }
  }

  private static Map<String, Entry> entries(JsonFile json) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : json.node().properties()) {
      String name = field.getKey();
      if (!name.equals("__metadata__")) {
        entries.put(name, entry(json, name, field.getValue()));
      }
    }
    return entries;
  }

  private static Entry entry(JsonFile json, String name, JsonNode value) {
    JsonNode type = value.path("dtype");
    JsonNode shape = value.path("shape");
    JsonNode offsets = value.path("data_offsets");
    List<Long> dimensions = naturals(shape);
    List<Long> range = naturals(offsets);
    if (!type.isTextual() || !shape.isArray() || dimensions.size() != shape.size()) {
      throw json.wrong(name, value, "an object with dtype, shape and data_offsets");
    }
    if (offsets.size() != 2 || range.size() != 2 || range.get(0) > range.get(1)) {
      throw json.wrong(name + ".data_offsets", offsets, "two numbers from 0 up, begin and end");
    }
    return new Entry(name, type.textValue(), dimensions, range.get(0), range.get(1));
  }

  /// The whole numbers from 0 in an array; others are left out.
  private static List<Long> naturals(JsonNode array) {
    List<Long> numbers = new ArrayList<>();
    for (JsonNode number : array) {
      if (number.isIntegralNumber() && number.canConvertToLong() && number.longValue() >= 0) {
        numbers.add(number.longValue());
      }
    }
    return numbers;
  }

  /// Tensors lie one after another, from the first byte to the last, each as long as its shape.
  private static void checkLayout(Path file, Map<String, Entry> entries, long dataBytes) {
    List<Entry> inOrder =
        entries.values().stream()
            .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end))
            .toList();
    long end = 0;
    for (Entry entry : inOrder) {
      if (entry.begin != end) {
        throw new CheckpointException(
            "%s: tensor %s begins at byte %d of the data, where its predecessor ends at %d (%s); fetch it again"
                .formatted(
                    file, entry.name, entry.begin, end, entry.begin < end ? "overlap" : "gap"));
      }
      checkSize(file, entry);
      end = entry.end;
    }
    if (end > dataBytes) {
      throw new CheckpointException(
          "%s is truncated: its tensors need %d bytes of data, it has %d; fetch it again"
              .formatted(file, end, dataBytes));
    }
    if (end < dataBytes) {
      throw new CheckpointException(
          "%s has %d bytes of data, its tensors only %d; fetch it again"
              .formatted(file, dataBytes, end));
    }
  }

  private static void checkSize(Path file, Entry entry) {
    Integer width = BYTES.get(entry.type);
    if (width == null) {
      return;
    }
    long bytes = width;
    try {
      for (long dimension : entry.shape) {
        bytes = Math.multiplyExact(bytes, dimension);
      }
    } catch (ArithmeticException e) {
      bytes = -1;
    }
    if (bytes != entry.end - entry.begin) {
      throw new CheckpointException(
          "%s: tensor %s of %s %s has %d bytes, not what its shape needs; fetch it again"
              .formatted(file, entry.name, entry.type, entry.shape, entry.end - entry.begin));
    }
  }

  Set<String> names() {
    return entries.keySet();
  }

  /// Checks type and shape of a tensor that is there.
  ElementType check(TensorShape shape) {
    Entry entry = entry(shape.name());
    ElementType type =
        switch (entry.type) {
          case "F32" -> ElementType.F32;
          case "F16" -> ElementType.F16;
          case "BF16" -> ElementType.BF16;
          default ->
              throw new CheckpointException(
                  "%s: tensor %s has dtype %s; legal: F32, F16, BF16; take a checkpoint in one of these"
                      .formatted(file, entry.name, entry.type));
        };
    List<Long> needed =
        shape.rows() == 1 && entry.shape.size() == 1
            ? List.of((long) shape.columns())
            : List.of((long) shape.rows(), (long) shape.columns());
    if (!entry.shape.equals(needed)) {
      throw new CheckpointException(
          "%s: tensor %s has shape %s; config.json needs %s: the files are not of one model"
              .formatted(file, entry.name, entry.shape, needed));
    }
    return type;
  }

  /// The numbers of a tensor that is there, read-only.
  MemorySegment data(String name) {
    Entry entry = entry(name);
    return data.asSlice(entry.begin, entry.end - entry.begin);
  }

  private Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalArgumentException("%s has no tensor %s".formatted(file, name));
    }
    return entry;
  }
}
