package io.fusespill.bench;

import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Writes the weights of [HostKernels] as a GGUF file, so that llama.cpp can be measured on them.
/// Its tokens are made-up words.
///
/// Run: `java @config/jvm.flags @config/vector.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.GgufModel FILE`, then `bench/llama-cpp/README.md`.
public final class GgufModel {

  private static final int VERSION = 3;
  private static final int TYPE_UINT32 = 4;
  private static final int TYPE_FLOAT32 = 6;
  private static final int TYPE_STRING = 8;
  private static final int TYPE_ARRAY = 9;
  private static final int TENSOR_F32 = 0;
  private static final int TENSOR_BF16 = 30;
  private static final int ALIGNMENT = 32;

  private record Entry(String name, Tensor tensor) {

    boolean vector() {
      return tensor.rows() == 1;
    }

    long bytes() {
      return vector() ? 4L * tensor.columns() : tensor.data().byteSize();
    }
  }

  private final List<Entry> entries = new ArrayList<>();
  private final LlamaShape weights;
  private int settings;

  private GgufModel(Arena arena) {
    weights = new LlamaShape(arena);
  }

  /// The program.
  public static void main(String[] args) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      new GgufModel(arena).write(Path.of(args[0]));
    }
  }

  private void write(Path file) throws IOException {
    ModelConfig config = LlamaShape.CONFIG;
    tensors(config);
    ByteArrayOutputStream values = new ByteArrayOutputStream();
    settings(values, config);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write("GGUF".getBytes(StandardCharsets.US_ASCII));
    int32(all, VERSION);
    int64(all, entries.size());
    int64(all, settings);
    values.writeTo(all);
    long offset = 0;
    for (Entry entry : entries) {
      string(all, entry.name());
      int32(all, entry.vector() ? 1 : 2);
      int64(all, entry.tensor().columns());
      if (!entry.vector()) {
        int64(all, entry.tensor().rows());
      }
      int32(all, entry.vector() ? TENSOR_F32 : TENSOR_BF16);
      int64(all, offset);
      offset += aligned(entry.bytes());
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      long position = aligned(all.size());
      channel.write(ByteBuffer.wrap(all.toByteArray()), 0);
      for (Entry entry : entries) {
        data(channel, entry, position);
        position += aligned(entry.bytes());
      }
    }
  }

  private static void data(FileChannel channel, Entry entry, long position) throws IOException {
    MemorySegment data = entry.tensor().data();
    if (entry.vector()) {
      float[] ones = new float[entry.tensor().columns()];
      Arrays.fill(ones, 1);
      ByteBuffer buffer = ByteBuffer.allocate(4 * ones.length).order(ByteOrder.LITTLE_ENDIAN);
      buffer.asFloatBuffer().put(ones);
      channel.write(buffer, position);
      return;
    }
    for (long at = 0; at < data.byteSize(); at += 1 << 26) {
      long length = Math.min(1 << 26, data.byteSize() - at);
      channel.write(data.asSlice(at, length).asByteBuffer(), position + at);
    }
  }

  private void tensors(ModelConfig config) {
    int queries = config.heads() * config.headDim();
    add("token_embd.weight", config.vocabulary(), config.hidden());
    add("output_norm.weight", 1, config.hidden());
    for (int i = 0; i < config.layers(); i++) {
      String layer = "blk." + i + ".";
      add(layer + "attn_norm.weight", 1, config.hidden());
      add(layer + "attn_q.weight", queries, config.hidden());
      add(layer + "attn_k.weight", config.kvWidth(), config.hidden());
      add(layer + "attn_v.weight", config.kvWidth(), config.hidden());
      add(layer + "attn_output.weight", config.hidden(), queries);
      add(layer + "ffn_norm.weight", 1, config.hidden());
      add(layer + "ffn_gate.weight", config.intermediate(), config.hidden());
      add(layer + "ffn_up.weight", config.intermediate(), config.hidden());
      add(layer + "ffn_down.weight", config.hidden(), config.intermediate());
    }
  }

  private void add(String name, int rows, int columns) {
    entries.add(new Entry(name, weights.tensor(name, rows, columns)));
  }

  private void settings(ByteArrayOutputStream out, ModelConfig config) {
    setting(out, "general.architecture", "llama");
    setting(out, "general.name", "random 1B");
    setting(out, "llama.context_length", config.maxPositions());
    setting(out, "llama.embedding_length", config.hidden());
    setting(out, "llama.block_count", config.layers());
    setting(out, "llama.feed_forward_length", config.intermediate());
    setting(out, "llama.attention.head_count", config.heads());
    setting(out, "llama.attention.head_count_kv", config.kvHeads());
    setting(out, "llama.attention.key_length", config.headDim());
    setting(out, "llama.attention.value_length", config.headDim());
    setting(out, "llama.rope.dimension_count", config.headDim());
    setting(out, "llama.rope.freq_base", 500_000f);
    setting(out, "llama.attention.layer_norm_rms_epsilon", (float) config.normEpsilon());
    setting(out, "llama.vocab_size", config.vocabulary());
    setting(out, "general.file_type", 32);
    setting(out, "tokenizer.ggml.model", "gpt2");
    setting(out, "tokenizer.ggml.pre", "default");
    setting(out, "tokenizer.ggml.bos_token_id", 0);
    setting(out, "tokenizer.ggml.eos_token_id", 1);
    setting(out, "tokenizer.ggml.tokens", tokens(config.vocabulary()));
    setting(out, "tokenizer.ggml.merges", List.of("a b"));
  }

  /// One made-up word for each id.
  private static List<String> tokens(int count) {
    return IntStream.range(0, count).mapToObj(i -> "t" + i).toList();
  }

  private void setting(ByteArrayOutputStream out, String name, Object value) {
    settings++;
    string(out, name);
    switch (value) {
      case String text -> {
        int32(out, TYPE_STRING);
        string(out, text);
      }
      case Integer number -> {
        int32(out, TYPE_UINT32);
        int32(out, number);
      }
      case Float number -> {
        int32(out, TYPE_FLOAT32);
        int32(out, Float.floatToRawIntBits(number));
      }
      case List<?> texts -> {
        int32(out, TYPE_ARRAY);
        int32(out, TYPE_STRING);
        int64(out, texts.size());
        texts.forEach(text -> string(out, (String) text));
      }
      default -> throw new IllegalArgumentException("no GGUF type for " + value);
    }
  }

  private static void string(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int64(out, bytes.length);
    out.writeBytes(bytes);
  }

  private static void int32(ByteArrayOutputStream out, int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void int64(ByteArrayOutputStream out, long value) {
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
