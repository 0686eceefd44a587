package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.kernel.WorkerPool;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// In a process of its own, as the program runs: how the compiler takes kernels in depends on all
/// that ran before, and other tests run them in every odd shape.
class AllocationTest {

  private static final int STEPS = 2_000;

  /// Bytes of one vector of 128 bits as an object: the least that a kernel allocates if it does.
  private static final long BOXED_VECTOR = 48;

  /// The first windows allocate: the vectors of code that is not compiled yet.
  private static final int WINDOWS = 100;

  @Test
  void aDecodeStepAllocatesNothing() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), AllocationTest.class.getName()));

    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(out).isZero();
    long bytes = Long.parseLong(out.lines().toList().getLast());
    assertThat(bytes).as("bytes a step").isLessThan(BOXED_VECTOR);
  }

  /// Prints the bytes that a step allocates once it is compiled.
  public static void main(String[] arguments) {
    System.out.println(measure());
  }

  private static long measure() {
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
      return least;
    }
  }

  /// Bytes that all threads have allocated that live.
  private static long allocated(ThreadMXBean threads) {
    return threads.getTotalThreadAllocatedBytes();
  }
}
