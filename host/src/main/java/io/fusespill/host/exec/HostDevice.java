package io.fusespill.host.exec;

import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.host.kernel.Cores;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.TokenLogprobs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// A device of this machine's cores: one thread that runs its steps in order, with the help of
/// workers.
final class HostDevice implements Device {

  private final int place;
  private final BlockStore.Memory store;
  private final IntFunction<BlockStore> stores;
  private final IntFunction<@Nullable AttentionService> attention;
  private final Completions completions;
  private final WorkerPool workers;
  private final HostModel model;
  private final Sampler sampler;
  private final float[] logits;
  private final Batch batch = new Batch();
  private final BlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  /// @param cores of its threads, one each; the device's own is on the first
  /// @param attention who attends in a place for this device
  HostDevice(
      int place,
      String name,
      ModelWeights weights,
      int[] cores,
      BlockStore.Memory store,
      IntFunction<BlockStore> stores,
      IntFunction<@Nullable AttentionService> attention,
      Completions completions) {
    this.place = place;
    this.store = store;
    this.stores = stores;
    this.attention = attention;
    this.completions = completions;
    workers = WorkerPool.pinned(cores);
    model = new HostModel(weights, workers);
    int vocabulary = weights.config().vocabulary();
    sampler = new Sampler(vocabulary);
    logits = new float[vocabulary];
    thread = new Thread(() -> work(cores[0]), "fusespill-device-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void submit(StepJob job) {
    queue.add(() -> run(job));
  }

  /// Whatever ends the thread before the device is closed: nobody computes here any more.
  private void work(int core) {
    try {
      Cores.pin(core);
      while (!closed) {
        queue.take().run();
      }
    } catch (Throwable e) {
      completions.placeFailed(place, "its thread has ended: " + e);
    }
  }

  private void run(StepJob job) {
    long startNanos;
    int[] sampled;
    List<Integer> ended = new ArrayList<>();
    Set<Integer> failed = new LinkedHashSet<>();
    try {
      copy(job);
      startNanos = System.nanoTime();
      sampled = compute(job, ended, failed);
    } catch (IOException | RuntimeException e) {
      job.entries().forEach(entry -> entry.generation().breakOff(entry.life()));
      completions.stepFailed(place, job.plan().step(), String.valueOf(e.getMessage()));
      return;
    }
    failed.forEach(sequence ->
        completions.sequenceFailed(place, job.plan().step(), sequence, Sampler.NO_TOKEN));
    completions.stepCompleted(
        place,
        job.plan().step(),
        Ints.of(ended.stream().mapToInt(Integer::intValue).toArray()),
        Ints.of(sampled),
        Math.max(1, System.nanoTime() - startNanos));
  }

  private void copy(StepJob job) throws IOException {
    for (TransferPlan transfer : job.before()) {
      copy(transfer, stores);
    }
    for (BlockCopy copy : job.plan().copies()) {
      store.pool().copyBlock(copy.source(), store.pool(), copy.target());
    }
  }

  static void copy(TransferPlan transfer, IntFunction<BlockStore> stores) throws IOException {
    stores
        .apply(transfer.from())
        .copy(transfer.sourceBlocks(), stores.apply(transfer.to()), transfer.targetBlocks());
  }

  /// Computes the entries that still stand, and returns the sampled tokens in entry order.
  private int[] compute(StepJob job, List<Integer> ended, Set<Integer> failed) {
    batch.clear();
    List<StepJob.Entry> entries = job.entries();
    int[] numbers = new int[entries.size()];
    int samples = 0;
    for (int i = 0; i < numbers.length; i++) {
      StepJob.Entry entry = entries.get(i);
      int[] tokens = entry.generation().tokens(entry.life(), entry.end());
      numbers[i] =
          tokens == null
              ? -1
              : batch.add(
                  tokens,
                  entry.start(),
                  entry.end(),
                  entry.start(),
                  entry.table(),
                  !entry.samples().isEmpty(),
                  entry.remote());
      samples += entry.samples().size();
    }
    if (batch.entries() > 0) {
      int remote = job.plan().remotePlace();
      model.forward(batch, store.pool(), remote < 0 ? null : attention.apply(remote));
    }
    int[] sampled = new int[samples];
    int next = 0;
    for (int i = 0; i < numbers.length; i++) {
      StepJob.Entry entry = entries.get(i);
      if (numbers[i] < 0 || entry.samples().isEmpty()) {
        for (int s = 0; s < entry.samples().size(); s++) {
          sampled[next++] = -1;
        }
        continue;
      }
      model.copyLogits(numbers[i], logits);
      for (StepJob.Sample sample : entry.samples()) {
        int token = sample.generation().choose(sampler, logits);
        if (token < 0) {
          sample.generation().breakOff(sample.life());
          failed.add(job.plan().sequences().get(i));
          sampled[next++] = -1;
          continue;
        }
        TokenLogprobs details = sample.generation().describe(sampler, logits, token);
        Generation.Offer offer = sample.generation().offer(sample.life(), token, details);
        sampled[next++] = offer == Generation.Offer.REFUSED ? -1 : token;
        if (offer == Generation.Offer.LAST) {
          ended.add(sample.sequence());
        }
      }
    }
    return sampled;
  }

  KvPool pool() {
    return store.pool();
  }

  /// Ends the thread once the step in progress is done.
  @Override
  public void close() {
    closed = true;
    queue.add(() -> {});
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    model.close();
    workers.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
