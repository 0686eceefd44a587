package io.fusespill.journal;

import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import io.fusespill.engine.event.EngineEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The engine's log in production: a ring, from which each event goes into the journal first and
/// then to whoever acts on it.
///
/// One thread appends; an append waits while the ring is full. When a handler throws, everything
/// stops: no handler acts on another event, and [#append] and [#close] throw with the handler's
/// failure as their cause.
public final class EnginePipeline implements DigestingLog {
  /*
   *                      ┌─────────┐ commit ┌──────────┐
   *                ┌────►│ journal ├───────►│ dispatch ├─┐
   *  append  ┌─────┴┐    └─────────┘        └──────────┘ │   ┌───────┐
   * ────────►│ ring │                                    ├──►│ clear │
   *          └─────┬┘    ┌─────────────────────────────┐ │   └───────┘
   *                └────►│ beside (metrics; any number)├─┘
   *                      └─────────────────────────────┘
   *
   * Each box behind the ring is a thread. Where nobody acts, as in virtual time, there is no dispatch: a thread that is
   * woken for nothing costs the others their cores. The journal's sequence moves at the end of a batch, so
   * that one commit covers whatever had gathered, and dispatch sees nothing of it before. Slots are
   * cleared last, or the ring would keep its events alive; only then can they take others.
   *
   * A handler that throws ends its thread by default, and the producer then waits for ever. Here it
   * notes its failure, and from then on every handler lets events pass without a look: the ring
   * drains and nobody waits. What passed the journal in that way is not dispatched, because the
   * failure is noted before the journal's sequence moves.
   */

  /// Slots of the ring where nothing else is said: some 2 ms of events at full speed.
  public static final int SLOTS_DEFAULT = 4096;

  /// The most slots that a ring may have.
  public static final int SLOTS_MAX = 1 << 20;

  /// How long handlers may take to return once one of them has failed.
  private static final long STOP_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

  /// How long a thread that waits for room or for an end sleeps before it looks again.
  private static final long PARK_NANOS = 20_000;

  private final Journal journal;
  private final RecordWriter writer;
  private final Failure failure;
  private final long stopNanosMax;
  private final List<Thread> threads = new ArrayList<>();
  private final WaitStrategy waitStrategy;
  private final Disruptor<Slot> disruptor;
  private final RingBuffer<Slot> ring;
  private final AtomicBoolean closed = new AtomicBoolean();

  private EnginePipeline(Builder builder) {
    journal = builder.journal;
    writer = new RecordWriter(journal);
    failure = new Failure(builder.failureListener);
    stopNanosMax = builder.stopNanosMax;
    waitStrategy = builder.waiting.strategy();
    disruptor =
        new Disruptor<>(
            Slot::new, builder.slots, this::newThread, ProducerType.SINGLE, waitStrategy);
    ring = start(builder);
  }

  private Thread newThread(Runnable handler) {
    Thread thread = new Thread(handler);
    thread.setDaemon(true);
    threads.add(thread);
    return thread;
  }

  /// Builds the picture above, and waits until every stage runs: halting one that does not yet
  /// would lose events.
  private RingBuffer<Slot> start(Builder builder) {
    EventConsumer dispatch = builder.dispatch;
    CountDownLatch started = new CountDownLatch((dispatch == null ? 1 : 2) + builder.beside.size());
    Stage journaling = new Stage("journal", writer, writer::commit, failure, started);
    List<Stage> last = new ArrayList<>();
    builder.beside.forEach(
        (name, consumer) -> last.add(new Stage(name, consumer, () -> {}, failure, started)));

    disruptor.setDefaultExceptionHandler(failure);
    last.forEach(disruptor::handleEventsWith);
    if (dispatch == null) {
      disruptor.handleEventsWith(journaling);
      last.add(journaling);
    } else {
      Stage dispatching = new Stage("dispatch", dispatch, () -> {}, failure, started);
      disruptor.handleEventsWith(journaling).then(dispatching);
      last.add(dispatching);
    }
    disruptor
        .after(last.toArray(Stage[]::new))
        .then((slot, position, endOfBatch) -> slot.event = null);
    RingBuffer<Slot> running = disruptor.start();
    while (started.getCount() > 0) {
      pause();
    }
    return running;
  }

  /// @return the event's position, which is the ring's own count
  /// @throws EngineStoppedException if a handler has failed, now or while this waited
  @Override
  public long append(EngineEvent event) {
    awaitRoom();
    long position = ring.next();
    ring.get(position).event = event;
    ring.publish(position);
    return position;
  }

  private void awaitRoom() {
    checkRunning();
    while (!ring.hasAvailableCapacity(1)) {
      pause();
      checkRunning();
    }
  }

  /// Does nothing while events are taken.
  ///
  /// @throws EngineStoppedException if a handler has failed
  /// @throws IllegalStateException if the pipeline is closed
  public void checkRunning() {
    failure.check();
    if (closed.get()) {
      throw new IllegalStateException("the pipeline is closed and takes no more events");
    }
  }

  /// Waits until every handler has had every event, ends the handlers and closes the journal. After
  /// a failure it waits for nothing but that the handlers return, and for no longer than ten
  /// seconds. Closing again does nothing.
  ///
  /// @throws EngineStoppedException if a handler has failed
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    while (!failure.noted() && ring.getMinimumGatingSequence() < ring.getCursor()) {
      pause();
    }
    disruptor.halt();
    if (waitStrategy instanceof BlockingChainWaitStrategy blocking) {
      blocking.signalProgress();
    }
    try {
      awaitHandlers();
      journal.close();
    } catch (RuntimeException e) {
      failure.note("closing", ring.getCursor(), e);
    }
    failure.check();
  }

  private void awaitHandlers() {
    long deadlineNanos = System.nanoTime() + stopNanosMax;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        if (System.nanoTime() - deadlineNanos > 0) {
          throw new IllegalStateException(
              "%s has not returned within %d ms; the journal stays open"
                  .formatted(thread.getName(), TimeUnit.NANOSECONDS.toMillis(stopNanosMax)));
        }
        pause();
      }
    }
  }

  private static void pause() {
    LockSupport.parkNanos(PARK_NANOS);
  }

  @Override
  public long events() {
    return digestOfAll().events();
  }

  @Override
  public long bytes() {
    return digestOfAll().bytes();
  }

  @Override
  public String digest() {
    return digestOfAll().hex();
  }

  private EventDigest digestOfAll() {
    if (!closed.get()) {
      throw new IllegalStateException("known once the pipeline is closed");
    }
    return writer.digest();
  }

  /// A pipeline to be: without a journal, and with nobody who acts, until told otherwise.
  public static Builder builder() {
    return new Builder();
  }

  /// What a pipeline consists of.
  public static final class Builder {

    private final SortedMap<String, EventConsumer> beside = new TreeMap<>();
    private Journal journal = Journal.none();
    private @Nullable EventConsumer dispatch;
    private Runnable failureListener = () -> {};
    private Waiting waiting = Waiting.BLOCKING;
    private int slots = SLOTS_DEFAULT;
    private long stopNanosMax = STOP_NANOS_MAX;

    private Builder() {}

    /// Keeps events in `journal`, which belongs to the pipeline once that has started.
    public Builder journal(Journal journal) {
      this.journal = journal;
      return this;
    }

    /// Has `dispatch` act on each event once the journal has it. Without one nobody acts.
    public Builder dispatch(EventConsumer dispatch) {
      this.dispatch = dispatch;
      return this;
    }

    /// Has `consumer` see each event on a thread of its own, before or after the journal.
    public Builder beside(String name, EventConsumer consumer) {
      beside.put(name, consumer);
      return this;
    }

    /// Tells `listener` of the first failure, on the thread that failed.
    public Builder onFailure(Runnable listener) {
      failureListener = listener;
      return this;
    }

    public Builder waiting(Waiting waiting) {
      this.waiting = waiting;
      return this;
    }

    /// @param slots events that may be on their way at once, a power of two up to [#SLOTS_MAX]
    public Builder slots(int slots) {
      if (slots < 1 || slots > SLOTS_MAX || Integer.bitCount(slots) != 1) {
        throw new IllegalArgumentException(
            "slots is %d, must be a power of two from 1 to %d".formatted(slots, SLOTS_MAX));
      }
      this.slots = slots;
      return this;
    }

    Builder stopNanosMax(long nanos) {
      stopNanosMax = nanos;
      return this;
    }

    /// Starts the pipeline's threads.
    public EnginePipeline start() {
      return new EnginePipeline(this);
    }
  }
}
