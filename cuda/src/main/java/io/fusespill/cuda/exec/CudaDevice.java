package io.fusespill.cuda.exec;

import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.model.CudaModel;
import io.fusespill.cuda.model.RemoteAttention;
import io.fusespill.cuda.model.StepInput;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.exec.BlockStore;
import io.fusespill.host.exec.Device;
import io.fusespill.host.exec.Draw;
import io.fusespill.host.exec.Generation;
import io.fusespill.host.exec.StepJob;
import io.fusespill.host.model.AttentionCall;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.TokenLogprobs;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// A device that is a GPU: one thread that queues its steps on a stream and reports what came of
/// them.
///
/// ```
///  step k      upload ─ pass ─ sample ─┬─ tokens to the host ─ reported
///  step k + 1           upload ─ feed ◄┘ pass ─ …
/// ```
///
/// A step whose sequences all have their newest token, or get it from the step queued just before,
/// is queued while that one runs: the token goes from pass to pass on the GPU, and the host sees it
/// later. What depends on more than logits (penalties, masked tokens, log-probabilities) is sampled
/// on the host, and the sequence's next step waits for it.
final class CudaDevice implements Device {

  /// Steps on the stream at once: one that runs and one that follows it without a gap.
  private static final int FLIGHTS = 2;

  private static final int NOT_COMPUTED = -1;

  /// A sample of a step: by the GPU, by the host from logits, or of an entry that was not computed.
  ///
  /// @param sampled the GPU's number of the sample, or -1
  /// @param logits the number of the logits, or -1
  private record Take(int entry, StepJob.Sample sample, int sampled, int logits) {}

  /// What a step on the stream needs, used again and again.
  private record Slot(StepInput input, Event begun, Event done) {

    void close() {
      input.close();
      begun.close();
      done.close();
    }
  }

  /// A step on the stream.
  private static final class Flight {
    final Slot slot;
    final StepJob job;
    final List<Take> takes = new ArrayList<>();

    /// Samples of the GPU by their generations.
    final IdentityHashMap<Generation, Take> sources = new IdentityHashMap<>();

    Flight(Slot slot, StepJob job) {
      this.slot = slot;
      this.job = job;
      slot.input.clear();
    }
  }

  private final Place place;
  private final CudaStore store;
  private final CudaModel model;
  private final Optional<CublasLt> blas;
  private final IntFunction<BlockStore> stores;
  private final IntFunction<@Nullable AttentionService> attention;
  private final Completions completions;
  private final Context context;
  private final Stream stream;
  private final Sampler sampler;
  private final boolean f16;
  private final float[] logits;
  private final AttentionCall remoteCall = new AttentionCall();

  /// Steps to come; nothing where the thread is only to look whether the device is closed.
  private final BlockingQueue<Optional<StepJob>> queue = new LinkedBlockingQueue<>();

  private final List<Slot> slots = new ArrayList<>();
  private final Deque<Slot> idle = new ArrayDeque<>();
  private final Deque<Flight> flying = new ArrayDeque<>();
  private final Thread thread;
  private volatile boolean closed;

  CudaDevice(
      Place place,
      ModelConfig config,
      CudaStore store,
      CudaModel model,
      Optional<CublasLt> blas,
      IntFunction<BlockStore> stores,
      IntFunction<@Nullable AttentionService> attention,
      Completions completions) {
    this.place = place;
    this.store = store;
    this.model = model;
    this.blas = blas;
    this.stores = stores;
    this.attention = attention;
    this.completions = completions;
    context = store.context();
    stream = context.stream(place.name() + " steps");
    sampler = new Sampler(config.vocabulary());
    logits = new float[config.vocabulary()];
    f16 = config.weightType() == ElementType.F16;
    for (int i = 0; i < FLIGHTS; i++) {
      slots.add(new Slot(model.input(), context.timedEvent(), context.timedEvent()));
    }
    idle.addAll(slots);
    model.warmUp(stream);
    thread = new Thread(this::work, "fusespill-device-" + place.name());
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void submit(StepJob job) {
    queue.add(Optional.of(job));
  }

  /// Whatever ends the thread before the device is closed, be it that a step in flight has broken
  /// the GPU for this process: nobody computes here any more.
  private void work() {
    try {
      context.bind();
      run();
    } catch (CudaException e) {
      settle();
      completions.placeFailed(place.id(), String.valueOf(e.getMessage()));
    } catch (Throwable e) {
      settle();
      completions.placeFailed(place.id(), "its thread has ended: " + e);
    }
  }

  /// Waits for copies of steps in flight, whose blocks elsewhere are others' once the place is said
  /// to be gone. On a GPU that is broken nothing goes on, and that is all this has to know.
  private void settle() {
    try {
      stream.synchronize();
    } catch (CudaException e) {
      // Said already, or about to be.
    }
  }

  private void run() throws InterruptedException {
    StepJob next = null;
    while (!closed) {
      if (next == null) {
        next = next();
      }
      Flight first = flying.peek();
      if (next != null && !idle.isEmpty() && isReady(next)) {
        launch(next);
        next = null;
      } else if (first != null && first.slot.done.isPassed()) {
        report(flying.remove());
      } else {
        Thread.onSpinWait();
      }
    }
  }

  /// The next step; null if there is none while others are in flight, or the device may be closed.
  private @Nullable StepJob next() throws InterruptedException {
    Optional<StepJob> next = flying.isEmpty() ? queue.take() : queue.poll();
    return next == null ? null : next.orElse(null);
  }

  // ---------------------------------------------------------------- launch

  /// Whether all tokens are there, on the host or as samples of the step queued last. With nothing
  /// in flight, what is not there never comes.
  private boolean isReady(StepJob job) {
    if (flying.isEmpty()) {
      return true;
    }
    for (StepJob.Entry entry : job.entries()) {
      int known = entry.generation().known(entry.life());
      if (known > 0 && entry.end() > known && source(entry, known) < 0) {
        return false;
      }
    }
    return true;
  }

  /// The sample of the step queued last that is the entry's newest token; -1 if none is.
  private int source(StepJob.Entry entry, int known) {
    if (flying.isEmpty() || entry.end() != known + 1 || entry.end() - entry.start() != 1) {
      return -1;
    }
    Take take = flying.getLast().sources.get(entry.generation());
    return take == null || take.sample().life() != entry.life() ? -1 : take.sampled();
  }

  private void launch(StepJob job) {
    Flight flight = new Flight(idle.remove(), job);
    StepInput input = flight.slot.input;
    try {
      copy(job);
      fill(flight);
      if (input.rows() > 0) {
        model.launch(input, stream, remoteAttention(job), flight.slot.begun);
      } else {
        stream.record(flight.slot.begun);
      }
      stream.record(flight.slot.done);
    } catch (IOException | RuntimeException e) {
      if (e instanceof CudaException broken && broken.isFatal()) {
        throw broken;
      }
      fail(flight, e);
      return;
    }
    flying.add(flight);
  }

  /// Reports a step that could not be queued, behind those before it: reports are in order, and
  /// what of it is on the stream may have put other samples in the place of theirs, which no later
  /// step must take then.
  private void fail(Flight flight, Exception e) {
    stream.synchronize();
    while (!flying.isEmpty()) {
      report(flying.remove());
    }
    flight.job.entries().forEach(entry -> entry.generation().breakOff(entry.life()));
    idle.add(flight.slot);
    completions.stepFailed(place.id(), flight.job.plan().step(), String.valueOf(e.getMessage()));
  }

  private void copy(StepJob job) throws IOException {
    for (TransferPlan transfer : job.before()) {
      BlockStore source = stores.apply(transfer.from());
      BlockStore target = stores.apply(transfer.to());
      if (source == store) {
        store.copy(stream, transfer.sourceBlocks(), target, transfer.targetBlocks());
      } else if (target == store && source instanceof BlockStore.Memory memory) {
        store.copyFrom(stream, memory, transfer.sourceBlocks(), transfer.targetBlocks());
      } else {
        stream.synchronize();
        source.copy(transfer.sourceBlocks(), target, transfer.targetBlocks());
        // That may have been the work of another GPU.
        context.bind();
      }
    }
    for (BlockCopy copy : job.plan().copies()) {
      store.copy(stream, Ints.of(copy.source()), store, Ints.of(copy.target()));
    }
  }

  /// Describes the pass: decodes, then those whose KV is elsewhere, then what has more than a
  /// token.
  private void fill(Flight flight) {
    List<StepJob.Entry> entries = flight.job.entries();
    int[] rows = new int[entries.size()];
    remoteCall.clear();
    for (int kind = 0; kind < 3; kind++) {
      for (int i = 0; i < rows.length; i++) {
        StepJob.Entry entry = entries.get(i);
        boolean one = entry.end() - entry.start() == 1;
        int own = entry.remote() ? 1 : one ? 0 : 2;
        if (own == kind) {
          rows[i] = add(flight.slot.input, entry);
        }
      }
    }
    for (int i = 0; i < rows.length; i++) {
      addSamples(flight, i, entries.get(i), rows[i]);
    }
  }

  /// Adds an entry and returns its last row, -1 if its tokens are not there or its life is over.
  private int add(StepInput input, StepJob.Entry entry) {
    Generation generation = entry.generation();
    int known = generation.known(entry.life());
    int source = source(entry, known);
    int[] tokens = generation.tokens(entry.life(), source < 0 ? entry.end() : entry.end() - 1);
    if (tokens == null) {
      return NOT_COMPUTED;
    }
    int token = source < 0 ? tokens[entry.end() - 1] : 0;
    if (entry.remote()) {
      if (entry.end() - entry.start() != 1) {
        throw new IllegalStateException(
            "%d tokens of a sequence whose KV is elsewhere: on a GPU one at a time"
                .formatted(entry.end() - entry.start()));
      }
      remoteCall.add(input.remotes(), 1, entry.start(), entry.table());
      return input.remote(token, source, entry.end(), entry.table());
    }
    return entry.end() - entry.start() == 1
        ? input.decode(token, source, entry.end(), entry.table())
        : input.prefill(tokens, entry.start(), entry.end(), entry.start(), entry.table());
  }

  private static void addSamples(Flight flight, int index, StepJob.Entry entry, int row) {
    int logits = -1;
    for (StepJob.Sample sample : entry.samples()) {
      if (row == NOT_COMPUTED) {
        flight.takes.add(new Take(index, sample, -1, -1));
        continue;
      }
      Draw draw = sample.generation().draw(entry.end());
      if (draw == null) {
        logits = logits < 0 ? flight.slot.input.logits(row) : logits;
        flight.takes.add(new Take(index, sample, -1, logits));
        continue;
      }
      int number =
          flight.slot.input.sample(
              row,
              (float) draw.temperature(),
              Math.max(0, draw.topK()),
              (float) draw.topP(),
              (float) draw.minP(),
              draw.key(),
              draw.position());
      Take take = new Take(index, sample, number, -1);
      flight.takes.add(take);
      flight.sources.put(sample.generation(), take);
    }
  }

  private @Nullable RemoteAttention remoteAttention(StepJob job) {
    if (remoteCall.entries() == 0) {
      return null;
    }
    AttentionService service = attention.apply(job.plan().remotePlace());
    if (service == null) {
      throw new IllegalStateException(
          "nobody attends in place %d for %s".formatted(job.plan().remotePlace(), place.name()));
    }
    return new RemoteAttention() {
      @Override
      public void begin(int layer, StepInput input, MemorySegment qkv, MemorySegment out) {
        remoteCall.at(layer, qkv, out);
        service.submit(remoteCall);
      }

      @Override
      public void await() {
        service.await();
      }
    };
  }

  // ---------------------------------------------------------------- report

  private void report(Flight flight) {
    StepJob job = flight.job;
    List<Integer> ended = new ArrayList<>();
    Set<Integer> failed = new LinkedHashSet<>();
    int[] sampled = new int[flight.takes.size()];
    long busyNanos = Math.max(1, Math.round(flight.slot.done.millisSince(flight.slot.begun) * 1e6));
    try {
      for (int i = 0; i < sampled.length; i++) {
        sampled[i] = take(flight, flight.takes.get(i), ended, failed);
      }
    } catch (RuntimeException e) {
      job.entries().forEach(entry -> entry.generation().breakOff(entry.life()));
      idle.add(flight.slot);
      completions.stepFailed(place.id(), job.plan().step(), String.valueOf(e.getMessage()));
      return;
    }
    idle.add(flight.slot);
    failed.forEach(sequence ->
        completions.sequenceFailed(
            place.id(),
            job.plan().step(),
            sequence,
            Sampler.NO_TOKEN
                + (f16 ? "; f16 holds no number beyond 65,504, bf16 does: --dtype bf16" : "")));
    completions.stepCompleted(
        place.id(),
        job.plan().step(),
        Ints.of(ended.stream().mapToInt(Integer::intValue).toArray()),
        Ints.of(sampled),
        busyNanos);
  }

  private int take(Flight flight, Take take, List<Integer> ended, Set<Integer> failed) {
    StepJob.Sample sample = take.sample();
    Generation generation = sample.generation();
    if (generation.known(sample.life()) == 0) {
      return NOT_COMPUTED;
    }
    int token;
    if (take.sampled() >= 0) {
      token = flight.slot.input.sampled(take.sampled());
    } else if (take.logits() >= 0) {
      MemorySegment.copy(
          flight.slot.input.logitsOf(take.logits()),
          ValueLayout.JAVA_FLOAT,
          0,
          logits,
          0,
          logits.length);
      token = generation.choose(sampler, logits);
    } else {
      return NOT_COMPUTED;
    }
    if (token < 0) {
      generation.breakOff(sample.life());
      failed.add(flight.job.plan().sequences().get(take.entry()));
      return NOT_COMPUTED;
    }
    TokenLogprobs details = take.logits() >= 0 ? generation.describe(sampler, logits, token) : null;
    return switch (generation.offer(sample.life(), token, details)) {
      case REFUSED -> NOT_COMPUTED;
      case TAKEN -> token;
      case LAST -> {
        ended.add(sample.sequence());
        yield token;
      }
    };
  }

  /// Ends the thread, waits for what is on the stream, and frees all but the blocks, also where the
  /// GPU is broken.
  @Override
  public void close() {
    closed = true;
    queue.add(Optional.empty());
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    context.settle();
    slots.forEach(Slot::close);
    model.close();
    blas.ifPresent(CublasLt::close);
    stream.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
