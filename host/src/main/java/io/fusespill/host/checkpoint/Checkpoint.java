package io.fusespill.host.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// A model in a Hugging Face folder: its shape, and its weights mapped from the files.
///
/// Everything is checked when it is opened; after that, weights are there until [#close]. Nothing
/// is read before it is used, except where the tensor lies at an odd place in its file. Safe for
/// any number of threads.
public final class Checkpoint implements WeightSource, AutoCloseable {

  private static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";

  /// What kernels may count on: tensors begin at multiples of this many bytes.
  private static final int ALIGNMENT_BYTES = 4;

  private final Path folder;
  private final ModelConfig config;
  private final List<String> notes;
  private final Map<String, TensorShape> shapes;

  /// The file of each tensor; empty for dummy weights.
  private final Map<String, Safetensors> files;

  private final Map<String, Tensor> tensors = new ConcurrentHashMap<>();
  private final long seed;
  private final long weightBytes;
  private final long memoryBytes;
  private final Arena arena;

  private Checkpoint(
      Path folder,
      ModelConfig config,
      List<String> notes,
      Map<String, TensorShape> shapes,
      Map<String, Safetensors> files,
      long seed,
      long weightBytes,
      long memoryBytes,
      Arena arena) {
    this.folder = folder;
    this.config = config;
    this.notes = notes;
    this.shapes = shapes;
    this.files = files;
    this.seed = seed;
    this.weightBytes = weightBytes;
    this.memoryBytes = memoryBytes;
    this.arena = arena;
  }

  /// Opens the folder and checks all of it.
  ///
  /// @param seed of [LoadFormat#DUMMY] weights; other formats do not use it
  /// @throws CheckpointException if the checkpoint is incomplete or damaged, cannot be run, or does
  ///   not fit into the machine's memory
  public static Checkpoint open(Path folder, LoadFormat format, long seed) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return open(folder, format, seed, system.getTotalMemorySize());
  }

  @SuppressWarnings("MustBeClosedChecker") // by close()
  static Checkpoint open(Path folder, LoadFormat format, long seed, long memoryBytes) {
    Arena arena = Arena.ofShared();
    try {
      Checkpoint checkpoint =
          format == LoadFormat.DUMMY
              ? dummy(folder, seed, memoryBytes, arena)
              : mapped(folder, memoryBytes, arena);
      checkpoint.requireMemory(0, "");
      return checkpoint;
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static Checkpoint dummy(Path folder, long seed, long memoryBytes, Arena arena) {
    ConfigFile file = ConfigFile.of(folder);
    ElementType declared = file.declaredType();
    ModelConfig config = file.model(declared == null ? ElementType.BF16 : declared);
    Map<String, TensorShape> shapes = shapes(config);
    long bytes =
        shapes.values().stream().mapToLong(TensorShape::elements).sum()
            * config.weightType().bytes();
    return new Checkpoint(
        folder, config, file.notes(), shapes, Map.of(), seed, bytes, memoryBytes, arena);
  }

  private static Checkpoint mapped(Path folder, long memoryBytes, Arena arena) {
    ConfigFile file = ConfigFile.of(folder);
    ElementType declared = file.declaredType();
    ModelConfig config = file.model(declared == null ? ElementType.F32 : declared);
    Map<String, TensorShape> shapes = shapes(config);
    Map<String, Safetensors> files = files(folder, arena);
    long bytes = 0;
    for (TensorShape shape : shapes.values()) {
      Safetensors holder = files.get(shape.name());
      if (holder == null) {
        throw new CheckpointException(
            "%s: no file has tensor %s, which a %s of this config.json needs; fetch the folder again"
                .formatted(folder, shape.name(), config.architecture()));
      }
      bytes += shape.elements() * holder.check(shape).bytes();
    }
    checkStrangers(folder, config, shapes.keySet(), files.keySet());
    if (declared == null) {
      config = file.model(typeOf(files, shapes));
    }
    return new Checkpoint(
        folder, config, file.notes(), shapes, files, 0, bytes, memoryBytes, arena);
  }

  private static ElementType typeOf(
      Map<String, Safetensors> files, Map<String, TensorShape> shapes) {
    Map.Entry<String, TensorShape> first = shapes.entrySet().iterator().next();
    Safetensors holder = files.get(first.getKey());
    if (holder == null) {
      throw new IllegalStateException(first.getKey() + " was there before");
    }
    return holder.check(first.getValue());
  }

  private static Map<String, TensorShape> shapes(ModelConfig config) {
    Map<String, TensorShape> shapes = new LinkedHashMap<>();
    TensorShape.all(config).forEach(shape -> shapes.put(shape.name(), shape));
    return shapes;
  }

  /// A tensor that the model would not use changes what it computes: a bias, another norm. Tables
  /// that old versions of transformers saved do not.
  private static void checkStrangers(
      Path folder, ModelConfig config, Set<String> known, Set<String> there) {
    for (String name : there) {
      boolean harmless =
          known.contains(name)
              || name.endsWith(".rotary_emb.inv_freq")
              || (name.equals("lm_head.weight") && config.tiedEmbeddings());
      if (!harmless) {
        throw new CheckpointException(
            "%s: tensor %s is in the files, but a %s of this config.json has none; it belongs to another model, or config.json is not its own"
                .formatted(folder, name, config.architecture()));
      }
    }
  }

  private static Map<String, Safetensors> files(Path folder, Arena arena) {
    Map<String, Safetensors> files = new LinkedHashMap<>();
    Path single = folder.resolve(SINGLE);
    Path index = folder.resolve(INDEX);
    if (Files.isRegularFile(single)) {
      Safetensors file = Safetensors.open(single, arena);
      file.names().forEach(name -> files.put(name, file));
    } else if (Files.isRegularFile(index)) {
      shards(folder, JsonFile.read(index), arena, files);
    } else {
      throw noWeights(folder);
    }
    return files;
  }

  private static void shards(
      Path folder, JsonFile index, Arena arena, Map<String, Safetensors> files) {
    Set<String> shards = new LinkedHashSet<>();
    JsonNode map = index.child("weight_map").node();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      String shard = entry.getValue().asText();
      if (!shard.endsWith(".safetensors") || !Path.of(shard).equals(Path.of(shard).getFileName())) {
        throw index.wrong(
            "weight_map " + entry.getKey(),
            entry.getValue(),
            "names of safetensors files beside it");
      }
      shards.add(shard);
    }
    Map<String, Safetensors> opened = new LinkedHashMap<>();
    for (String shard : shards) {
      Path file = folder.resolve(shard);
      if (!Files.isRegularFile(file)) {
        throw new CheckpointException(
            "%s is missing, one of %d shards that %s names; fetch it"
                .formatted(file, shards.size(), INDEX));
      }
      opened.put(shard, Safetensors.open(file, arena));
    }
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      Safetensors shard = opened.get(entry.getValue().asText());
      if (shard == null || !shard.names().contains(entry.getKey())) {
        throw new CheckpointException(
            "%s has no tensor %s, where %s says it is; fetch both again"
                .formatted(folder.resolve(entry.getValue().asText()), entry.getKey(), INDEX));
      }
      files.put(entry.getKey(), shard);
    }
  }

  private static CheckpointException noWeights(Path folder) {
    String other = "";
    try (Stream<Path> files = Files.list(folder)) {
      other =
          files
              .map(file -> String.valueOf(file.getFileName()))
              .filter(name -> name.matches(".*\\.(safetensors|bin|pth|pt|gguf)"))
              .sorted()
              .findFirst()
              .map(name -> " (there is " + name + ")")
              .orElse("");
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(folder, e), e);
    }
    return new CheckpointException(
        "%s has neither %s nor %s%s; convert the weights to safetensors, or take --load-format dummy"
            .formatted(folder, SINGLE, INDEX, other));
  }

  /// The model's shape.
  public ModelConfig config() {
    return config;
  }

  /// What the user should know about how the folder was taken, a line each; mostly empty.
  public List<String> notes() {
    return notes;
  }

  /// Bytes of all weights.
  public long weightBytes() {
    return weightBytes;
  }

  /// Checks that the weights and `moreBytes` beside them fit into the machine's memory.
  ///
  /// @param what they are for, as the message should say it: `KV pools`
  /// @throws CheckpointException if they do not
  public void requireMemory(long moreBytes, String what) {
    if (weightBytes + moreBytes > memoryBytes) {
      throw new CheckpointException(
          "%s: the weights take %s%s, the machine has %s of memory; take a smaller model%s"
              .formatted(
                  folder,
                  gib(weightBytes),
                  moreBytes == 0 ? "" : " and %s %s more".formatted(what, gib(moreBytes)),
                  gib(memoryBytes),
                  moreBytes == 0 ? "" : ", or less for " + what));
    }
  }

  private static String gib(long bytes) {
    return bytes < 1 << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
        : String.format(Locale.ROOT, "%.1f GiB", bytes / 0x1p30);
  }

  /// The tensor of that name; dummy weights are made when they are first asked for. It begins at a
  /// multiple of 4 bytes.
  @Override
  public Tensor tensor(String name, int rows, int columns) {
    TensorShape shape = shapes.get(name);
    if (shape == null || shape.rows() != rows || shape.columns() != columns) {
      throw new CheckpointException(
          "%s: the model has no tensor %s of %d x %d%s"
              .formatted(
                  folder,
                  name,
                  rows,
                  columns,
                  shape == null
                      ? ""
                      : ", but of %d x %d".formatted(shape.rows(), shape.columns())));
    }
    return tensors.computeIfAbsent(name, ignored -> load(shape));
  }

  private Tensor load(TensorShape shape) {
    Safetensors file = files.get(shape.name());
    if (file == null) {
      ElementType type = config.weightType();
      return tensor(shape, type, DummyWeights.fill(shape, type, seed, arena));
    }
    return tensor(shape, file.check(shape), aligned(file.data(shape.name())));
  }

  private static Tensor tensor(TensorShape shape, ElementType type, MemorySegment data) {
    return new Tensor(shape.name(), type, shape.rows(), shape.columns(), data);
  }

  private MemorySegment aligned(MemorySegment mapped) {
    if (mapped.address() % ALIGNMENT_BYTES == 0) {
      return mapped;
    }
    MemorySegment copy = arena.allocate(mapped.byteSize(), 64);
    return copy.copyFrom(mapped).asReadOnly();
  }

  /// Lets go of the weights: their tensors must not be used any more.
  @Override
  public void close() {
    arena.close();
  }
}
