package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.kernel.WorkerPool;
import java.lang.management.ManagementFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AllocationTest {

  private static final int STEPS = 2_000;

  /// Bytes of one vector of 128 bits as an object: the least that a kernel allocates if it does.
  private static final long BOXED_VECTOR = 48;

  /// The first windows allocate: the vectors of code that is not compiled yet.
  private static final int WINDOWS = 100;

  @Test
  void aDecodeStepAllocatesNothing() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var config = RandomModel.config(16, true, true);
    KvShape shape = KvShape.of(config, 16, ElementType.F32);
    int[] ids = {1, 2, 3, 4, 5};
    int[] table = IntStream.range(0, 4).toArray();
    int[] remoteTable = {3, 1, 2, 0};
    try (ModelWeights weights =
            ModelWeights.of(config, new RandomModel(1, name -> ElementType.BF16));
        WorkerPool workers = WorkerPool.of(1);
        WorkerPool remoteWorkers = WorkerPool.of(1);
        KvPool pool = KvPool.of(shape, 4);
        KvPool remotePool = KvPool.of(shape, 4);
        AttentionService remote = new HostAttention(config, remotePool, remoteWorkers);
        HostModel model = new HostModel(weights, workers)) {
      Batch batch = new Batch();
      float[] logits = new float[config.vocabulary()];
      long least = Long.MAX_VALUE;
      for (int window = 0; window < WINDOWS && least >= BOXED_VECTOR; window++) {
        long before = allocated(threads);
        for (int step = 0; step < STEPS; step++) {
          batch.clear();
          batch.add(ids, 0, 3, step % 40, table, true, false);
          batch.add(ids, 4, 5, step % 60, remoteTable, true, true);
          model.forward(batch, pool, remote);
          model.copyLogits(0, logits);
          ids[4] = model.argmax(1);
        }
        least = Math.min(least, (allocated(threads) - before) / STEPS);
      }
      assertThat(least).as("bytes a step").isLessThan(BOXED_VECTOR);
    }
  }

  /// Bytes that all threads have allocated that live.
  private static long allocated(ThreadMXBean threads) {
    return threads.getTotalThreadAllocatedBytes();
  }
}
