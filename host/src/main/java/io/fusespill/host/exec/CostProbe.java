package io.fusespill.host.exec;

import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.AttentionCall;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostAttention;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/// What steps of a model cost on some of this machine's cores, from a handful of short passes: good
/// enough for a policy to start with, and no substitute for a fitted profile.
public final class CostProbe {

  private static final int ROWS = 32;
  private static final int CONTEXT = 256;
  private static final int REPEATS = 3;
  private static final long WARM_UP_NANOS = 2_000_000_000;
  private static final long WARM_UP_MOST_NANOS = 10_000_000_000L;
  private static final int WARM_UP_ROUNDS = 3;
  private static final double WARM = 1.02;
  private static final long COPY_BYTES = 32L << 20;
  private static final double PICOS = 1_000;

  /// Sequences that are attended to at once when that is measured.
  private static final int ATTENDED = 8;

  private static final long ATTENTION_WARM_UP_NANOS = 500_000_000;

  /// What decides which kernels are compiled for a model.
  private record Kernels(ModelConfig config, KvShape kv) {}

  /// Compiled code is the process's: what was warm stays so.
  private static final Set<Kernels> WARMED = ConcurrentHashMap.newKeySet();

  private CostProbe() {}

  /// Measures passes on `threads` threads, once they are as fast as they get.
  public static StepCosts measure(ModelWeights weights, KvShape kv, int threads) {
    try (WorkerPool workers = WorkerPool.of(threads);
        HostModel model = new HostModel(weights, workers);
        KvPool pool = KvPool.of(kv, kv.blocks(CONTEXT + ROWS))) {
      int[] table = table(pool);
      if (WARMED.add(new Kernels(weights.config(), kv))) {
        warmUp(model, pool, table);
      }
      double one = nanos(model, pool, table, 1, 0, false);
      double head = Math.max(0, nanos(model, pool, table, 1, 0, true) - one);
      double many = nanos(model, pool, table, ROWS, 0, false);
      double context = Math.max(0, nanos(model, pool, table, 1, CONTEXT, false) - one);
      double pairs = Math.max(0, nanos(model, pool, table, ROWS, CONTEXT, false) - many);
      return new StepCosts(
          0,
          Math.round(one),
          Math.round(many * PICOS / ROWS),
          Math.round(head),
          Math.round(head * PICOS / ROWS),
          Math.round(context * PICOS / CONTEXT),
          0,
          Math.round(pairs * PICOS / (CONTEXT * ROWS)),
          0);
    }
  }

  /// Has the kernels compiled, so that the first steps of a benchmark take no longer than the
  /// others: goes on until passes are as fast as they were a few rounds ago, 2 to 10 seconds.
  /// Returns at once if this process has done so for such a model, [#measure] included.
  public static void warmUp(ModelWeights weights, KvShape kv, int threads) {
    if (!WARMED.add(new Kernels(weights.config(), kv))) {
      return;
    }
    try (WorkerPool workers = WorkerPool.of(threads);
        HostModel model = new HostModel(weights, workers);
        KvPool pool = KvPool.of(kv, kv.blocks(CONTEXT + ROWS))) {
      warmUp(model, pool, table(pool));
    }
  }

  private static void warmUp(HostModel model, KvPool pool, int[] table) {
    long begin = System.nanoTime();
    double best = Double.MAX_VALUE;
    int noFaster = 0;
    while (true) {
      double one = nanos(model, pool, table, 1, CONTEXT, true);
      double round = one + nanos(model, pool, table, ROWS, CONTEXT, true);
      noFaster = round * WARM < best ? 0 : noFaster + 1;
      best = Math.min(best, round);
      long taken = System.nanoTime() - begin;
      if (taken >= WARM_UP_MOST_NANOS || (taken >= WARM_UP_NANOS && noFaster >= WARM_UP_ROUNDS)) {
        return;
      }
    }
  }

  private static int[] table(KvPool pool) {
    int[] table = new int[pool.blocks()];
    for (int i = 0; i < table.length; i++) {
      table[i] = i;
    }
    return table;
  }

  private static double nanos(
      HostModel model, KvPool pool, int[] table, int rows, int start, boolean logits) {
    Batch batch = new Batch();
    int[] tokens = new int[rows];
    long best = Long.MAX_VALUE;
    for (int i = 0; i < REPEATS; i++) {
      batch.clear();
      batch.add(tokens, 0, rows, start, table, logits, false);
      long begin = System.nanoTime();
      model.forward(batch, pool, null);
      best = Math.min(best, System.nanoTime() - begin);
    }
    return best;
  }

  /// What a place of a host costs that attends with `threads` threads. Measured by itself: beside
  /// the weights of a large model, reading the KV of a few tokens is lost in the noise.
  public static StepCosts attention(ModelConfig config, KvShape kv, int threads) {
    int blocks = kv.blocks(CONTEXT);
    try (Arena arena = Arena.ofShared();
        WorkerPool workers = WorkerPool.of(threads);
        KvPool pool = KvPool.of(kv, ATTENDED * blocks);
        HostAttention attention = new HostAttention(config, pool, workers)) {
      int width = (config.heads() + 2 * config.kvHeads()) * config.headDim();
      MemorySegment input = arena.allocate((long) ATTENDED * width * Float.BYTES, 64);
      MemorySegment output = arena.allocate(input.byteSize(), 64);
      List<int[]> tables = new ArrayList<>();
      for (int i = 0; i < ATTENDED; i++) {
        tables.add(IntStream.range(i * blocks, (i + 1) * blocks).toArray());
      }
      Attending attending = new Attending(attention, config.layers(), tables, input, output);
      long begin = System.nanoTime();
      do {
        attending.nanos(ATTENDED, CONTEXT);
      } while (System.nanoTime() - begin < ATTENTION_WARM_UP_NANOS);
      double one = attending.nanos(1, 1);
      double few = attending.nanos(ATTENDED, 1);
      double many = attending.nanos(ATTENDED, CONTEXT);
      return new StepCosts(
          Math.round(one),
          0,
          0,
          0,
          0,
          Math.round(Math.max(0, many - few) * PICOS / (ATTENDED * (CONTEXT - 1))),
          Math.round(Math.max(0, few - one) * PICOS / (ATTENDED - 1)),
          0,
          0);
    }
  }

  /// A step's attention, all layers of it.
  private record Attending(
      HostAttention attention,
      int layers,
      List<int[]> tables,
      MemorySegment input,
      MemorySegment output) {

    /// The fastest of some steps.
    double nanos(int rows, int context) {
      AttentionCall call = new AttentionCall();
      for (int i = 0; i < rows; i++) {
        call.add(i, 1, context - 1, tables.get(i));
      }
      long best = Long.MAX_VALUE;
      for (int repeat = 0; repeat < REPEATS; repeat++) {
        long begin = System.nanoTime();
        for (int layer = 0; layer < layers; layer++) {
          call.at(layer, input, output);
          attention.submit(call);
          attention.await();
        }
        best = Math.min(best, System.nanoTime() - begin);
      }
      return best;
    }
  }

  /// Bytes a second at which blocks are copied from memory to memory.
  public static long copyBytesPerSecond(KvShape kv) {
    int blocks = (int) Math.max(2, Math.min(1 << 12, COPY_BYTES / kv.blockBytes()));
    try (KvPool pool = KvPool.of(kv, blocks)) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < REPEATS; i++) {
        long begin = System.nanoTime();
        for (int block = 1; block < blocks; block++) {
          pool.copyBlock(block - 1, pool, block);
        }
        best = Math.min(best, System.nanoTime() - begin);
      }
      return Math.max(1, (long) ((blocks - 1) * kv.blockBytes() * 1e9 / best));
    }
  }
}
