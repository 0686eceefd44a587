package io.fusespill.bench;

import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.blas.LinearShape;
import io.fusespill.cuda.driver.Bandwidth;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.model.CudaModel;
import io.fusespill.cuda.model.CudaWeights;
import io.fusespill.cuda.model.ModelLimits;
import io.fusespill.cuda.model.StepInput;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.RopeFrequencies;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.model.KvShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// How fast a GPU runs models of the shapes of Llama 2 7B and Llama 3.1 8B in bf16 (random weights
/// and KV), against what its memory and cuBLASLt allow.
///
/// Decode: steps of so many sequences, each with 512 tokens of context; `ahead` is the time a step
/// takes when the next one is launched before it is done, `alone` when it is not, `host` what a
/// launch costs the calling thread. The floor is the bytes of weights and KV that a step has to
/// read, once, at the speed of a copy on the device, read and written bytes counted. Each figure is
/// the median of some rounds of twenty steps, but `host`, which is the mean.
///
/// Mixed: steps of 40 sequences and so many tokens of a prompt, its first ones, or (`late`) those
/// after its first 900; `a token` is what these take above the step without any, which is one graph
/// where the others are launched kernel by kernel.
///
/// Prefill: one sequence of 2,048 tokens; its operations are those of the linear layers and of the
/// attention, of which a causal mask leaves half.
///
/// Run, on a machine with an NVIDIA GPU of 80 GB: `./mvnw -q -DskipTests package &&
/// java @config/jvm.flags @config/vector.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.DecodeSpeed`
public final class DecodeSpeed {

  private static final int CONTEXT = 512;
  private static final int[] BATCHES = {1, 8, 32, 128};
  private static final int MIXED_BATCH = 40;
  private static final int[] MIXED_PROMPTS = {0, 24, 48, 88, 152, 216, 344, 472};

  /// Tokens of a prompt before those of a late step.
  private static final int LATE_TOKENS = 900;

  private static final int PROMPT = 2_048;
  private static final int BLOCK_TOKENS = 16;
  private static final int STEPS = 20;
  private static final int ROUNDS = 5;
  private static final int PRODUCT = 8_192;
  private static final int PATTERN = 1 << 20;
  private static final ElementType TYPE = ElementType.BF16;

  private final Context context;
  private final Stream stream;
  private final CublasLt blas;
  private final long copyBandwidth;
  private final double productFlops;

  private DecodeSpeed(Context context, Stream stream, CublasLt blas) {
    this.context = context;
    this.stream = stream;
    this.blas = blas;
    copyBandwidth = Bandwidth.measure(context).onDevice();
    productFlops = productFlops();
  }

  /// The program.
  public static void main(String[] args) {
    try (Context context = Context.open(0);
        Stream stream = context.stream("decode speed");
        CublasLt blas = CublasLt.open(context)) {
      DecodeSpeed speed = new DecodeSpeed(context, stream, blas);
      print(
          "%s: copies %.0f GB/s (read and written), cuBLASLt %s %.0f TFLOP/s at %d cubed",
          context.gpu().name(),
          speed.copyBandwidth / 1e9,
          blas.version(),
          speed.productFlops / 1e12,
          PRODUCT);
      speed.measure(
          "7B, 32 heads, 32 KV heads", config(32_000, 11_008, 32, RopeFrequencies.of(10_000, 128)));
      speed.measure(
          "8B, 32 heads, 8 KV heads", config(128_256, 14_336, 8, RopeFrequencies.of(500_000, 128)));
    }
  }

  private static ModelConfig config(
      int vocabulary, int intermediate, int kvHeads, RopeFrequencies rope) {
    return new ModelConfig(
        "LlamaForCausalLM",
        vocabulary,
        4_096,
        intermediate,
        32,
        32,
        kvHeads,
        128,
        1e-5,
        rope,
        false,
        false,
        false,
        false,
        false,
        4_096,
        TYPE,
        List.of());
  }

  private static void print(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }

  private double productFlops() {
    LinearShape shape = LinearShape.of(PRODUCT, PRODUCT, PRODUCT, TYPE, TYPE);
    long bytes = 2L * PRODUCT * PRODUCT;
    try (DeviceBuffer numbers = context.allocate(3 * bytes, "products");
        Timer timer = new Timer()) {
      fill(numbers);
      Runnable product =
          () ->
              blas.linear(
                  stream,
                  shape,
                  numbers.address(),
                  numbers.address(bytes),
                  0,
                  numbers.address(2 * bytes));
      return 2.0 * PRODUCT * PRODUCT * PRODUCT / timer.seconds(product, STEPS);
    }
  }

  /// Fills device memory with random numbers.
  private void fill(DeviceBuffer memory) {
    try (PinnedBuffer pinned = context.allocatePinned(2L * PATTERN, "random numbers")) {
      MemorySegment.copy(pattern(1), 0, pinned.memory(), ValueLayout.JAVA_SHORT, 0, PATTERN);
      long done = Math.min(pinned.bytes(), memory.bytes());
      stream.copyToDevice(memory.address(), pinned.address(), done);
      while (done < memory.bytes()) {
        long more = Math.min(done, memory.bytes() - done);
        stream.copyOnDevice(memory.address(done), memory.address(), more);
        done += more;
      }
      stream.synchronize();
    }
  }

  private static short[] pattern(double deviation) {
    SplittableRandom random = new SplittableRandom(1);
    short[] pattern = new short[PATTERN];
    for (int i = 0; i < PATTERN; i++) {
      float value = (float) (deviation * random.nextGaussian());
      pattern[i] = (short) (Float.floatToRawIntBits(value) >>> 16);
    }
    return pattern;
  }

  private void measure(String name, ModelConfig config) {
    KvShape kv = KvShape.of(config, BLOCK_TOKENS, TYPE);
    int largest = BATCHES[BATCHES.length - 1];
    int blocks = largest * kv.blocks(CONTEXT);
    try (Arena arena = Arena.ofShared()) {
      WeightSource source = weights(config, arena);
      long begin = System.nanoTime();
      try (CudaWeights weights = CudaWeights.upload(context, config, source, TYPE, bytes -> {});
          DeviceBuffer pool = context.allocate(blocks * kv.blockBytes(), "KV pool")) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        print("");
        print(
            "%s: %.2f GB of weights, uploaded at %.1f GB/s",
            name, weights.bytes() / 1e9, weights.bytes() / 1e9 / seconds);
        fill(pool);
        ModelLimits limits = new ModelLimits(PROMPT, largest, largest, 4_096);
        try (CudaModel model =
            new CudaModel(
                context, weights, kv, pool.address(), blocks, limits, Optional.of(blas))) {
          print(" batch   ahead, ms   alone, ms   floor, ms   of floor   host, us   tokens/s");
          for (int batch : BATCHES) {
            decode(model, weights, kv, batch);
          }
          mixed(model, kv);
          prefill(model, config, kv);
        }
      }
    }
  }

  /// All tensors from one piece of memory.
  private static WeightSource weights(ModelConfig config, Arena arena) {
    long largest = 2L * config.vocabulary() * config.hidden();
    MemorySegment random = arena.allocate(largest, 64);
    short[] pattern = pattern(1 / Math.sqrt(config.hidden()));
    for (long at = 0; at < largest; at += 2L * PATTERN) {
      int count = (int) Math.min(PATTERN, (largest - at) / 2);
      MemorySegment.copy(pattern, 0, random, ValueLayout.JAVA_SHORT, at, count);
    }
    short[] one = new short[config.hidden()];
    Arrays.fill(one, (short) 0x3f80);
    MemorySegment ones = arena.allocateFrom(ValueLayout.JAVA_SHORT, one);
    return (name, rows, columns) ->
        new Tensor(
            name, TYPE, rows, columns, (rows == 1 ? ones : random).asSlice(0, 2L * rows * columns));
  }

  private void decode(CudaModel model, CudaWeights weights, KvShape kv, int batch) {
    int[][] tables = tables(kv, batch);
    try (StepInput input = model.input();
        Timer timer = new Timer()) {
      describe(input, tables, 0, 0, false);
      for (int i = 0; i < 3; i++) {
        model.launch(input, stream, null);
      }
      stream.synchronize();
      double alone =
          timer.seconds(
              () -> {
                describe(input, tables, 0, 0, false);
                model.launch(input, stream, null);
                stream.synchronize();
              },
              STEPS);
      Ahead ahead = ahead(model, tables, 0, 0);
      ModelConfig config = weights.config();
      double bytes =
          weights.bytes()
              - 2.0 * config.vocabulary() * config.hidden()
              + (double) batch * CONTEXT * kv.blockBytes() / BLOCK_TOKENS;
      double floor = bytes / copyBandwidth;
      print(
          "%6d %11.3f %11.3f %11.3f %9.0f%% %10.0f %10.0f",
          batch,
          1e3 * ahead.stepSeconds(),
          1e3 * alone,
          1e3 * floor,
          100 * floor / ahead.stepSeconds(),
          1e6 * ahead.launchSeconds(),
          batch / ahead.stepSeconds());
    }
  }

  private void mixed(CudaModel model, KvShape kv) {
    model.warmUp(stream);
    int[][] tables = tables(kv, MIXED_BATCH);
    print(
        "with %d decodes, prompt of   ahead, ms   a token, us   late, ms   a token, us   host, us",
        MIXED_BATCH);
    double without = 0;
    for (int prompt : MIXED_PROMPTS) {
      Ahead ahead = ahead(model, tables, prompt, 0);
      Ahead late = prompt == 0 ? ahead : ahead(model, tables, prompt, LATE_TOKENS);
      if (prompt == 0) {
        without = ahead.stepSeconds();
      }
      print(
          "%26d %11.3f %13.1f %10.3f %13.1f %10.0f",
          prompt,
          1e3 * ahead.stepSeconds(),
          1e6 * (ahead.stepSeconds() - without) / Math.max(1, prompt),
          1e3 * late.stepSeconds(),
          1e6 * (late.stepSeconds() - without) / Math.max(1, prompt),
          1e6 * ahead.launchSeconds());
    }
  }

  private static int[][] tables(KvShape kv, int batch) {
    int[][] tables = new int[batch][];
    Arrays.setAll(
        tables,
        i -> IntStream.range(0, kv.blocks(CONTEXT)).map(block -> block * batch + i).toArray());
    return tables;
  }

  /// A step that is launched while the one before runs, and what its launch takes the thread.
  private record Ahead(double stepSeconds, double launchSeconds) {}

  private Ahead ahead(CudaModel model, int[][] tables, int prompt, int start) {
    List<StepInput> inputs = List.of(model.input(), model.input());
    List<Event> done = List.of(context.event(), context.event());
    long[] step = new long[2];
    try (Timer timer = new Timer()) {
      double seconds =
          timer.seconds(
              () -> {
                int i = (int) (step[0]++ % 2);
                done.get(i).synchronize();
                long begin = System.nanoTime();
                describe(inputs.get(i), tables, prompt, start, step[0] > 1);
                model.launch(inputs.get(i), stream, null);
                stream.record(done.get(i));
                step[1] += System.nanoTime() - begin;
              },
              STEPS);
      return new Ahead(seconds, 1e-9 * step[1] / step[0]);
    } finally {
      stream.synchronize();
      inputs.forEach(StepInput::close);
      done.forEach(Event::close);
    }
  }

  /// Decodes, and a prompt that reads and writes blocks which decodes read: their numbers do not
  /// matter.
  private static void describe(
      StepInput input, int[][] tables, int prompt, int start, boolean fed) {
    input.clear();
    for (int i = 0; i < tables.length; i++) {
      int row = input.decode(100 + i, fed ? i : -1, CONTEXT, tables[i]);
      input.sample(row, 1, 0, 1, 0, i, 0);
    }
    if (prompt > 0) {
      int[] tokens = IntStream.range(0, prompt).toArray();
      int blocks = (start + prompt + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
      int[] table = Arrays.stream(tables).flatMapToInt(Arrays::stream).limit(blocks).toArray();
      int row = input.prefill(tokens, 0, prompt, start, table);
      input.sample(row, 1, 0, 1, 0, tables.length, 0);
    }
  }

  private void prefill(CudaModel model, ModelConfig config, KvShape kv) {
    int[] tokens = IntStream.range(0, PROMPT).map(i -> 7 * i % config.vocabulary()).toArray();
    int[] table = IntStream.range(0, kv.blocks(PROMPT)).toArray();
    try (StepInput input = model.input();
        Timer timer = new Timer()) {
      input.sample(input.prefill(tokens, 0, PROMPT, 0, table), 0, 0, 1, 0, 0, 0);
      double seconds =
          timer.seconds(
              () -> {
                model.launch(input, stream, null);
                stream.synchronize();
              },
              4);
      double width = (double) config.heads() * config.headDim();
      double linear =
          config.hidden() * (2 * width + 2.0 * config.kvWidth() + 3.0 * config.intermediate());
      double attention = width * PROMPT;
      double flops =
          2.0 * PROMPT * config.layers() * (linear + attention)
              + 2.0 * config.hidden() * config.vocabulary();
      print(
          "prefill of %d: %.1f ms, %.0f TFLOP/s, %.0f%% of cuBLASLt's",
          PROMPT, 1e3 * seconds, flops / seconds / 1e12, 100 * flops / seconds / productFlops);
    }
  }

  /// Times work on the stream by marks in it.
  private final class Timer implements AutoCloseable {

    private final Event begin = context.timedEvent();
    private final Event end = context.timedEvent();

    /// Seconds that one of `times` runs of the work takes: the median of some rounds.
    double seconds(Runnable work, int times) {
      double[] rounds = new double[ROUNDS + 1];
      for (int round = 0; round <= ROUNDS; round++) {
        stream.synchronize();
        stream.record(begin);
        for (int i = 0; i < times; i++) {
          work.run();
        }
        stream.record(end);
        end.synchronize();
        rounds[round] = end.millisSince(begin) / 1e3 / times;
      }
      double[] timed = Arrays.copyOfRange(rounds, 1, rounds.length);
      Arrays.sort(timed);
      return timed[ROUNDS / 2];
    }

    @Override
    public void close() {
      begin.close();
      end.close();
    }
  }
}
