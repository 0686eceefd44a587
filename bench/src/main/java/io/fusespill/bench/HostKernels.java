package io.fusespill.bench;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.Cores;
import io.fusespill.host.kernel.Pages;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// How fast the CPU runs a model of the shape of Llama 3.2 1B in bf16 (random weights, f32 KV), and
/// how much of the machine's read bandwidth that is.
///
/// A round measures all cases one after the other, so that whatever else the machine does falls on
/// all of them: reading 2 GiB with one thread and with all; decode steps of 1, 8 and 32 sequences
/// with 512 tokens each; a prompt of 512 tokens. The best of all rounds is the machine's, the
/// median says how quiet it was. GB/s counts the weights and the KV that a step reads, once.
///
/// What a machine can read changes while it is measured, where it is shared. So a round also takes
/// steps of one sequence and reads with all threads in turn, and each step's share is of the mean
/// of the reads right before and after.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags @config/vector.flags -cp
/// 'bench/target/lib/*' io.fusespill.bench.HostKernels [threads [rounds]]`
public final class HostKernels {

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final long READ_BYTES = 1L << 31;
  private static final int READ_CHUNK = 1 << 22;
  private static final int CONTEXT = 512;
  private static final int[] BATCHES = {1, 8, 32};
  private static final int[] STEPS = {6, 3, 2};
  private static final int PAIRS = 15;
  private static final int BLOCK_TOKENS = 16;
  private static final ModelConfig CONFIG = LlamaShape.CONFIG;

  private final int rounds;
  private final WorkerPool workers;
  private final HostModel model;
  private final KvPool pool;
  private final MemorySegment memory;
  private final float[] sums;
  private final double[] readOne;
  private final double[] readAll;
  private final double[] prompt;
  private final double[] shares;
  private final double[][] decode = new double[BATCHES.length][];
  private int round;

  private HostKernels(int threads, int rounds, Arena arena) {
    this.rounds = rounds;
    int[] cores = Cores.allowed();
    Cores.pin(cores[0]);
    workers = WorkerPool.pinned(Arrays.copyOf(cores, threads));
    memory = Pages.allocate(READ_BYTES, arena).fill((byte) 1);
    sums = new float[threads * 16];
    model = new HostModel(ModelWeights.of(CONFIG, new LlamaShape(arena)), workers);
    KvShape shape = KvShape.of(CONFIG, BLOCK_TOKENS, ElementType.F32);
    pool = KvPool.of(shape, BATCHES[BATCHES.length - 1] * shape.blocks(CONTEXT + 1));
    readOne = new double[rounds];
    readAll = new double[rounds];
    prompt = new double[rounds];
    shares = new double[rounds * PAIRS];
    Arrays.setAll(decode, i -> new double[rounds]);
  }

  /// The program.
  public static void main(String[] args) {
    int cores = Cores.allowed().length;
    int threads = args.length > 0 ? Integer.parseInt(args[0]) : cores;
    if (threads < 1 || threads > cores) {
      throw new IllegalArgumentException(
          "threads must be 1 to %d, got %d".formatted(cores, threads));
    }
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 5;
    try (Arena arena = Arena.ofShared()) {
      new HostKernels(threads, rounds, arena).measure();
    }
  }

  private void measure() {
    for (round = 0; round < rounds; round++) {
      readOne[round] = read(false);
      readAll[round] = read(true);
      for (int i = 0; i < BATCHES.length; i++) {
        decode[i][round] = decode(BATCHES[i], STEPS[i]);
      }
      inTurn();
      prompt[round] = prompt();
      System.err.printf(
          Locale.ROOT,
          "round %d: read %.1f GB/s, decode %.1f ms, %.1f ms, %.1f ms, prompt %.0f ms%n",
          round,
          READ_BYTES / readAll[round] / 1e9,
          1e3 * decode[0][round],
          1e3 * decode[1][round],
          1e3 * decode[2][round],
          1e3 * prompt[round]);
    }
    report();
    model.close();
    pool.close();
    workers.close();
  }

  /// The clock: with one thread its CPU time, which other processes lengthen less than wall time.
  private long nanos() {
    return workers.threads() == 1
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  /// Seconds to read the memory.
  private double read(boolean all) {
    long start = nanos();
    int chunks = (int) (READ_BYTES / READ_CHUNK);
    if (all) {
      workers.run(this::sum, chunks, 1);
    } else {
      sum(0, 0, chunks);
    }
    return (nanos() - start) / 1e9;
  }

  private void sum(int worker, int from, int to) {
    for (int chunk = from; chunk < to; chunk++) {
      sums[16 * worker] += sum(memory, (long) chunk * READ_CHUNK);
    }
  }

  private static float sum(MemorySegment memory, long from) {
    int step = FLOATS.vectorByteSize();
    FloatVector a = FloatVector.zero(FLOATS);
    FloatVector b = FloatVector.zero(FLOATS);
    FloatVector c = FloatVector.zero(FLOATS);
    FloatVector d = FloatVector.zero(FLOATS);
    for (int i = 0; i < READ_CHUNK; i += 4 * step) {
      a = a.add(FloatVector.fromMemorySegment(FLOATS, memory, from + i, ByteOrder.LITTLE_ENDIAN));
      b = b.add(load(memory, from + i + step));
      c = c.add(load(memory, from + i + 2L * step));
      d = d.add(load(memory, from + i + 3L * step));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(FLOATS, memory, at, ByteOrder.LITTLE_ENDIAN);
  }

  /// Seconds of the fastest of some decode steps.
  private double decode(int sequences, int steps) {
    int blocks = pool.shape().blocks(CONTEXT + 1);
    Batch batch = new Batch();
    double best = Double.MAX_VALUE;
    for (int step = 0; step < steps; step++) {
      batch.clear();
      for (int i = 0; i < sequences; i++) {
        int first = i * blocks;
        int[] table = IntStream.range(first, first + blocks).toArray();
        batch.add(new int[] {step * 100 + i}, 0, 1, CONTEXT, table, true, false);
      }
      best = Math.min(best, forward(batch));
    }
    return best;
  }

  private void inTurn() {
    double before = READ_BYTES / read(true);
    for (int pair = 0; pair < PAIRS; pair++) {
      double rate = stepBytes(1) / decode(1, 1);
      double after = READ_BYTES / read(true);
      shares[round * PAIRS + pair] = rate / ((before + after) / 2);
      before = after;
    }
  }

  private double prompt() {
    Batch batch = new Batch();
    int[] ids = IntStream.range(0, CONTEXT).map(i -> i * 7).toArray();
    int[] table = IntStream.range(0, pool.shape().blocks(CONTEXT)).toArray();
    batch.add(ids, 0, CONTEXT, 0, table, true, false);
    return forward(batch);
  }

  private double forward(Batch batch) {
    long start = nanos();
    model.forward(batch, pool, null);
    return (nanos() - start) / 1e9;
  }

  private void report() {
    double bandwidth = READ_BYTES / best(readAll) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "threads %d, vectors of %d bits, %d rounds%n",
        workers.threads(),
        FLOATS.vectorBitSize(),
        rounds);
    line("read, 1 thread", readOne, 0, READ_BYTES, bandwidth);
    line("read, all threads", readAll, 0, READ_BYTES, bandwidth);
    for (int i = 0; i < BATCHES.length; i++) {
      line("decode, batch " + BATCHES[i], decode[i], BATCHES[i], stepBytes(BATCHES[i]), bandwidth);
    }
    line("prompt of " + CONTEXT, prompt, CONTEXT, weightBytes(), bandwidth);
    Arrays.sort(shares);
    System.out.printf(
        Locale.ROOT,
        "decode, batch 1, and reads in turn: of what is read median %.0f %%, 10 %% below %.0f %%, 10 %% above %.0f %%%n",
        100 * shares[shares.length / 2],
        100 * shares[shares.length / 10],
        100 * shares[shares.length - 1 - shares.length / 10]);
  }

  private static void line(
      String name, double[] seconds, int tokens, long bytes, double bandwidth) {
    double best = best(seconds);
    double rate = bytes / best / 1e9;
    System.out.printf(
        Locale.ROOT,
        "%-18s best %8.1f ms, median %8.1f ms, %7.2f tokens/s, %5.2f GB/s, %3.0f %% of bandwidth%n",
        name,
        1e3 * best,
        1e3 * Arrays.stream(seconds).sorted().toArray()[seconds.length / 2],
        tokens / best,
        rate,
        100 * rate / bandwidth);
  }

  private static double best(double[] seconds) {
    return Arrays.stream(seconds).min().orElseThrow();
  }

  /// What a decode step reads: the weights and the KV.
  private static long stepBytes(int sequences) {
    return weightBytes()
        + (long) sequences * CONTEXT * 2 * CONFIG.kvWidth() * Float.BYTES * CONFIG.layers();
  }

  private static long weightBytes() {
    long layer =
        2L * CONFIG.heads() * CONFIG.headDim() * CONFIG.hidden()
            + 2L * CONFIG.kvWidth() * CONFIG.hidden()
            + 3L * CONFIG.intermediate() * CONFIG.hidden();
    return 2 * (CONFIG.layers() * layer + (long) CONFIG.vocabulary() * CONFIG.hidden());
  }
}
