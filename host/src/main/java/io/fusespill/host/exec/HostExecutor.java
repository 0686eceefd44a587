package io.fusespill.host.exec;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.BlockTable;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.host.kernel.Cores;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.model.HostAttention;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.host.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// Runs a model on this machine: each device of the topology is some of its cores with a pool of KV
/// blocks, or an [Accelerator]; each host is a pool, with threads that attend where it can, and
/// each disk a file.
///
/// Devices run their steps in order, each on a thread of its own; asynchronous transfers of each
/// link do so, too. Sampled tokens depend on the logits, the request's parameters and the place in
/// the output alone. The methods of [Executor] are for the thread that dispatches.
public final class HostExecutor implements Executor, AutoCloseable {

  /// How a machine is shared out.
  ///
  /// @param kv layout of the blocks; its bytes are those of the engine's configuration
  /// @param threads of each place that computes or attends, at least 1
  /// @param disks folder of the files of disks
  /// @param used places to which the policy can move KV: beside an accelerator, memory of others is
  ///   not pinned
  /// @param touching whether their memory is taken at once, for benchmarks
  /// @param accelerators of the devices that are not this machine's cores, by their places
  public record Setup(
      ModelWeights weights,
      List<Integer> eosIds,
      @Nullable Tokenizer tokenizer,
      KvShape kv,
      Map<Integer, Integer> threads,
      Path disks,
      Set<Integer> used,
      boolean touching,
      Map<Integer, Accelerator> accelerators) {}

  private final Setup setup;
  private final EngineConfig config;
  private final Completions completions;
  private final EngineView behind;
  private final CoreShare cores = new CoreShare(Cores.allowed());
  private final Map<Integer, BlockStore> stores = new TreeMap<>();
  private final Map<Integer, Device> devices = new TreeMap<>();
  private final List<AutoCloseable> pins = new ArrayList<>();
  private final Map<Integer, Map<Integer, AttentionService>> attention = new TreeMap<>();
  private final List<WorkerPool> attentionWorkers = new ArrayList<>();

  /// Of each link of the topology, by its index, the thread that copies.
  private final List<ExecutorService> links = new ArrayList<>();

  /// Made beforehand, as all that a run's first copy needs.
  private final Copied reporting = this::report;

  private final Map<Integer, Generation> generations = new HashMap<>();

  /// Samples of each request that has several, by its first sequence, until that is released.
  private final Map<Integer, Integer> samples = new HashMap<>();

  /// Takes the memory and starts the threads.
  ///
  /// @throws IllegalArgumentException if the configuration's blocks are not those of the setup
  /// @throws UncheckedIOException if a disk's file cannot be made
  public HostExecutor(
      Setup setup, EngineConfig config, Completions completions, EngineView behind) {
    if (config.kv().blockBytes() != setup.kv().blockBytes()
        || config.kv().blockTokens() != setup.kv().blockTokens()) {
      throw new IllegalArgumentException(
          "blocks of %d tokens and %d bytes in the configuration, of %d and %d in memory"
              .formatted(
                  config.kv().blockTokens(),
                  config.kv().blockBytes(),
                  setup.kv().blockTokens(),
                  setup.kv().blockBytes()));
    }
    this.setup = setup;
    this.config = config;
    this.completions = completions;
    this.behind = behind;
    try {
      for (Place place : config.topology().places()) {
        stores.put(place.id(), store(place));
      }
      pin();
      for (Place place : config.topology().places()) {
        if (place.computes()) {
          start(place);
        }
      }
      startCopiers();
    } catch (RuntimeException | Error e) {
      try {
        close();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private BlockStore store(Place place) {
    Accelerator accelerator = setup.accelerators().get(place.id());
    if (accelerator != null) {
      return accelerator.store(place);
    }
    if (place.kind() != PlaceKind.DISK) {
      KvPool pool = KvPool.of(setup.kv(), place.blocks());
      if (setup.touching() && setup.used().contains(place.id())) {
        pool.touch();
      }
      return new BlockStore.Memory(pool);
    }
    Path file = setup.disks().resolve(place.name() + ".kv");
    try {
      return BlockStore.File.create(file, setup.kv());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot make %s, the file of a disk: %s".formatted(file, e), e);
    }
  }

  /// Once for each pool: what one accelerator has pinned is so for all. Pinned memory is taken from
  /// the system as a whole.
  private void pin() {
    if (setup.accelerators().isEmpty()) {
      return;
    }
    Accelerator any = setup.accelerators().values().iterator().next();
    for (Map.Entry<Integer, BlockStore> each : stores.entrySet()) {
      if (setup.used().contains(each.getKey())
          && each.getValue() instanceof BlockStore.Memory memory) {
        pins.add(any.pin(memory.pool()));
      }
    }
  }

  private void start(Place device) {
    Map<Integer, AttentionService> services = new TreeMap<>();
    attention.put(device.id(), services);
    for (Place host : config.topology().places()) {
      if (config.topology().attends(host.id(), device.id())) {
        WorkerPool workers = WorkerPool.pinned(cores.take(threads(host.id())));
        attentionWorkers.add(workers);
        services.put(
            host.id(),
            new HostAttention(setup.weights().config(), memory(host.id()).pool(), workers));
      }
    }
    Accelerator accelerator = setup.accelerators().get(device.id());
    if (accelerator != null) {
      BlockStore.Remote store = (BlockStore.Remote) storeOf(device.id());
      devices.put(
          device.id(),
          accelerator.device(device, store, this::storeOf, services::get, completions));
      return;
    }
    devices.put(
        device.id(),
        new HostDevice(
            device.id(),
            device.name(),
            setup.weights(),
            cores.take(threads(device.id())),
            memory(device.id()),
            this::storeOf,
            services::get,
            completions));
  }

  /// Starts a thread for each link, and has each between memories copy a block while none holds
  /// anything, all at once, on the way that a run's copies take up to their report: the first copy
  /// of a process takes a GPU and the JVM some 8 ms longer than the next, and while a link is busy
  /// others are handled otherwise. One that fails will fail again when it counts, and is told then.
  private void startCopiers() {
    Ints first = Ints.of(0);
    List<Link> all = config.topology().links();
    CountDownLatch copied = new CountDownLatch(all.size());
    for (Link link : all) {
      links.add(Executors.newSingleThreadExecutor(HostExecutor::copier));
      if (storeOf(link.from()) instanceof BlockStore.File
          || storeOf(link.to()) instanceof BlockStore.File) {
        copied.countDown();
      } else {
        start(
            new TransferPlan(
                0,
                TransferKind.SWAP_OUT,
                TransferMode.ASYNC,
                link.from(),
                link.to(),
                first,
                first,
                first),
            (plan, failure) -> copied.countDown());
      }
    }
    awaitAll(copied);
  }

  /// Waits also where it is interrupted: a copy that is left behind would meet a run's blocks.
  private static void awaitAll(CountDownLatch copied) {
    boolean interrupted = false;
    while (copied.getCount() > 0) {
      try {
        copied.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private int threads(int place) {
    return Objects.requireNonNull(setup.threads().get(place), "threads of place " + place);
  }

  private BlockStore storeOf(int place) {
    return Objects.requireNonNull(stores.get(place));
  }

  private BlockStore.Memory memory(int place) {
    return (BlockStore.Memory) storeOf(place);
  }

  // ------------------------------------------------------------- sequences

  /// @throws IllegalArgumentException if the request has no token ids or its parameters are not
  ///   legal
  @Override
  public void arrived(RequestArrived request) {
    Ints ids = request.prompt().ids();
    if (ids.isEmpty()) {
      throw new IllegalArgumentException(
          "request %d has no token ids: this executor needs text".formatted(request.request()));
    }
    int[] prompt = new int[ids.size()];
    for (int i = 0; i < prompt.length; i++) {
      prompt[i] = ids.get(i);
    }
    String text = request.prompt().parameters();
    SamplingParams params = SamplingParams.parse(text.isEmpty() ? "{}" : text);
    boolean endsAtMaximum = request.maxOutputTokens() > params.maxTokens();
    if (request.samples() > 1) {
      samples.put(request.firstSequence(), request.samples());
    }
    for (int i = 0; i < request.samples(); i++) {
      int sample = i;
      generations.put(
          request.firstSequence() + i,
          new Generation(
              prompt,
              () ->
                  new Continuation(
                      params, setup.eosIds(), setup.tokenizer(), sample, endsAtMaximum, prompt)));
    }
  }

  /// The samples to come begin anew with their first: a step that was to bring them to life may
  /// have given them a token before it failed.
  @Override
  public void admitted(int sequence) {
    Sequence admitted = Objects.requireNonNull(behind.sequence(sequence), "an admitted sequence");
    for (int s = 0; s <= admitted.unforked(); s++) {
      generation(sequence + s).restart(admitted.totalTokens());
    }
  }

  @Override
  public void known(int sequence, int token) {
    Generation generation = generation(sequence);
    generation.offer(generation.life(), token, null);
  }

  /// With the first of several samples go those that have never come to life; no event tells of
  /// these.
  @Override
  public void release(int sequence) {
    generations.remove(sequence);
    Integer all = samples.remove(sequence);
    for (int s = 1; all != null && s < all; s++) {
      if (behind.sequence(sequence + s) == null) {
        generations.remove(sequence + s);
      }
    }
  }

  /// What a request asked to know of an output token that has been reported, until its sequence is
  /// released. For the thread that dispatches; nothing of this is in the journal.
  ///
  /// @param position among the sequence's output tokens, from 0
  /// @return null where the request asked nothing, or an earlier process sampled the token
  public @Nullable TokenLogprobs logprobs(int sequence, int position) {
    return generation(sequence).logprobs(position);
  }

  /// Whether a token or text that ends it was the last of a sequence that is not released, also
  /// where it had all of its tokens then. For the thread that dispatches.
  public boolean stopped(int sequence) {
    return generation(sequence).stopped();
  }

  private Generation generation(int sequence) {
    return Objects.requireNonNull(generations.get(sequence), "sequence " + sequence);
  }

  // ----------------------------------------------------------------- steps

  @Override
  public void execute(StepPlan plan, List<TransferPlan> before) {
    List<StepJob.Entry> entries = new ArrayList<>(plan.size());
    for (int i = 0; i < plan.size(); i++) {
      entries.add(entry(plan, i));
    }
    submit(new StepJob(plan, before, entries));
  }

  /// Has the job's device run it.
  void submit(StepJob job) {
    Objects.requireNonNull(devices.get(job.plan().device())).submit(job);
  }

  private StepJob.Entry entry(StepPlan plan, int i) {
    Sequence sequence =
        Objects.requireNonNull(behind.sequence(plan.sequences().get(i)), "an entry's sequence");
    Generation generation = generation(sequence.id());
    int start = plan.computedTokens().get(i);
    int end = start + plan.newTokens().get(i);
    int life = generation.life();
    int newest = behind.stepsInFlight(plan.device()) - 1;
    boolean samples = behind.samples(plan.device(), newest, i);
    return new StepJob.Entry(
        generation,
        life,
        start,
        end,
        table(sequence.table()),
        i >= plan.localEntries(),
        samples ? samples(sequence, generation, life) : List.of());
  }

  private List<StepJob.Sample> samples(Sequence sequence, Generation generation, int life) {
    List<StepJob.Sample> samples = new ArrayList<>(1 + sequence.unforked());
    samples.add(new StepJob.Sample(sequence.id(), generation, life));
    for (int s = 1; s <= sequence.unforked(); s++) {
      Generation forked = generation(sequence.id() + s);
      samples.add(new StepJob.Sample(sequence.id() + s, forked, forked.life()));
    }
    return samples;
  }

  private static int[] table(BlockTable table) {
    int[] blocks = new int[table.size()];
    for (int b = 0; b < blocks.length; b++) {
      blocks[b] = table.get(b);
    }
    return blocks;
  }

  // ------------------------------------------------------------- transfers

  /// Hears that a transfer is done, or why not.
  @FunctionalInterface
  private interface Copied {
    void copied(TransferPlan plan, @Nullable String failure);
  }

  @Override
  public void transfer(TransferPlan plan) {
    start(plan, reporting);
  }

  private void start(TransferPlan plan, Copied copied) {
    int link = config.topology().linkIndex(plan.from(), plan.to());
    links.get(link).execute(() -> copied.copied(plan, copy(plan)));
  }

  private static Thread copier(Runnable copies) {
    Thread thread = new Thread(copies, "fusespill-copier");
    thread.setDaemon(true);
    return thread;
  }

  /// Copies, and returns why that failed, or null.
  private @Nullable String copy(TransferPlan plan) {
    try {
      HostDevice.copy(plan, this::storeOf);
      return null;
    } catch (IOException | RuntimeException e) {
      return String.valueOf(e.getMessage());
    } catch (Error e) {
      return e.toString();
    }
  }

  private void report(TransferPlan plan, @Nullable String failure) {
    if (failure == null) {
      completions.transferCompleted(plan.transfer());
    } else {
      completions.transferFailed(plan.transfer(), failure);
    }
  }

  /// Ends all threads, once what they are at is done, and gives the memory back: all of it, also
  /// where something fails meanwhile.
  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>(links);
    all.addAll(devices.values());
    attention.values().forEach(services -> all.addAll(services.values()));
    all.addAll(attentionWorkers);
    all.addAll(pins);
    all.addAll(stores.values());
    RuntimeException failure = null;
    for (AutoCloseable each : all) {
      try {
        each.close();
      } catch (Exception e) {
        RuntimeException thrown =
            e instanceof RuntimeException unchecked
                ? unchecked
                : new IllegalStateException("cannot close %s: %s".formatted(each, e), e);
        if (failure == null) {
          failure = thrown;
        } else {
          failure.addSuppressed(thrown);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
