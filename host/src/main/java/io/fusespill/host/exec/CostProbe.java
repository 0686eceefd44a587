package io.fusespill.host.exec;

import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;

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

  /// Fixed time of handing one layer's rows to another thread and back.
  private static final long HAND_OFF_NANOS = 20_000;

  private CostProbe() {}

  /// Measures passes on `threads` threads, once they are as fast as they get.
  public static StepCosts measure(ModelWeights weights, KvShape kv, int threads) {
    try (WorkerPool workers = WorkerPool.of(threads);
        HostModel model = new HostModel(weights, workers);
        KvPool pool = KvPool.of(kv, kv.blocks(CONTEXT + ROWS))) {
      int[] table = table(pool);
      warmUp(model, pool, table);
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
  public static void warmUp(ModelWeights weights, KvShape kv, int threads) {
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

  /// What a place costs that attends with the threads that a device of `device`'s costs has.
  public static StepCosts attention(StepCosts device, int layers) {
    return new StepCosts(layers * HAND_OFF_NANOS, 0, 0, 0, 0, device.contextPicos(), 0, 0, 0);
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
