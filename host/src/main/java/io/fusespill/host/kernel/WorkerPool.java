package io.fusespill.host.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A fixed number of threads that share out the items of a task; the thread that calls [#run] is
/// one of them. A call allocates nothing. One call at a time.
///
/// Items go out in chunks to whoever is free, and the caller waits only for threads that have begun
/// a chunk: where the system gives a thread's core to somebody else, the others do its work. A
/// thread that finds nothing to do looks for work a few microseconds longer and then sleeps.
public final class WorkerPool implements AutoCloseable {

  /* One word says all: the number of the call, whether it is open, and how many workers are in it.
   * A worker enters an open call by counting itself in, and leaves by counting itself out. The
   * caller closes the call once no chunk is left, waits until the count is zero, and only then
   * touches the fields that describe the task. A worker that wakes too late finds the call closed. */

  private static final long NEXT_CALL = 1L << 32;
  private static final long OPEN = 1L << 31;
  private static final long INSIDE = OPEN - 1;

  /// How long a thread spins before it sleeps: longer than the serial work between two calls of a
  /// forward pass, short enough to leave a shared core to others.
  private static final long SPIN_NANOS = 30_000;

  private static final int SPINS_PER_CLOCK = 32;
  private static final int LARGEST = 1_024;

  private final int[] cores;
  private final Worker[] workers;
  private final AtomicLong state = new AtomicLong();
  private final AtomicInteger cursor = new AtomicInteger();
  private final AtomicBoolean busy = new AtomicBoolean();

  private @Nullable RangeTask task;
  private int count;
  private int chunk;
  private @Nullable Thread caller;
  private volatile boolean callerSleeps;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;

  private WorkerPool(int threads, int[] cores) {
    if (threads < 1 || threads > LARGEST) {
      throw new IllegalArgumentException(
          "threads must be 1 to %d, got %d".formatted(LARGEST, threads));
    }
    this.cores = cores;
    workers = new Worker[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(i + 1);
      workers[i].start();
    }
  }

  /// A pool of `threads` threads, 1 to 1,024, that run wherever the system puts them.
  public static WorkerPool of(int threads) {
    return new WorkerPool(threads, new int[0]);
  }

  /// A pool of one thread a core, each bound to its own where the system allows it. The first core
  /// is the caller's, which binds itself by [Cores#pin] if it wants to.
  public static WorkerPool pinned(int... cores) {
    return new WorkerPool(cores.length, cores.clone());
  }

  /// Threads, the caller's among them.
  public int threads() {
    return workers.length + 1;
  }

  /// Does the items 0 to `count` - 1 of `task`, in pieces that begin at multiples of `chunk` and
  /// have `chunk` items but for the last, and returns when all are done. What a piece throws is
  /// thrown here, once nobody works any more; pieces not begun by then are left out.
  public void run(RangeTask task, int count, int chunk) {
    if (chunk < 1) {
      throw new IllegalArgumentException("chunk must be at least 1, got " + chunk);
    }
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException("the pool runs a task already");
    }
    try {
      if (closed) {
        throw new IllegalStateException("the pool is closed");
      }
      if (workers.length == 0 || count <= chunk) {
        for (int from = 0; from < count; from += chunk) {
          task.run(0, from, Math.min(count, from + chunk));
        }
      } else {
        share(task, count, chunk);
      }
    } finally {
      this.task = null;
      busy.set(false);
    }
  }

  private void share(RangeTask task, int count, int chunk) {
    this.task = task;
    this.count = count;
    this.chunk = chunk;
    caller = Thread.currentThread();
    failure = null;
    cursor.set(0);
    state.set((state.get() & -NEXT_CALL) + NEXT_CALL | OPEN);
    int chunks = (count - 1) / chunk + 1;
    for (int i = 0; i < Math.min(workers.length, chunks - 1); i++) {
      workers[i].wake();
    }
    work(task, 0);
    state.getAndAdd(-OPEN);
    awaitWorkers();
    switch (failure) {
      case null -> {}
      case RuntimeException thrown -> throw thrown;
      case Error thrown -> throw thrown;
      case Throwable thrown -> throw new IllegalStateException(thrown);
    }
  }

  private void work(RangeTask task, int worker) {
    int count = this.count;
    int chunk = this.chunk;
    int chunks = (count - 1) / chunk + 1;
    try {
      for (int i = cursor.getAndIncrement(); i < chunks; i = cursor.getAndIncrement()) {
        int from = i * chunk;
        task.run(worker, from, Math.min(count - from, chunk) + from);
      }
    } catch (Throwable e) {
      failure = e;
      cursor.set(chunks);
    }
  }

  private void awaitWorkers() {
    long until = 0;
    for (int spins = 1; (state.get() & INSIDE) != 0; spins++) {
      Thread.onSpinWait();
      if (spins % SPINS_PER_CLOCK != 0) {
        continue;
      }
      long now = System.nanoTime();
      if (until == 0) {
        until = now + SPIN_NANOS;
      } else if (now - until >= 0) {
        callerSleeps = true;
        while ((state.get() & INSIDE) != 0) {
          LockSupport.park(this);
        }
        callerSleeps = false;
      }
    }
  }

  /// Ends the threads; a task in progress is finished first. Does nothing the second time.
  @Override
  public void close() {
    closed = true;
    Arrays.stream(workers).forEach(LockSupport::unpark);
    boolean interrupted = false;
    for (Worker worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Worker extends Thread {

    private final int number;
    private volatile boolean sleeps;

    Worker(int number) {
      super("host-worker-" + number);
      this.number = number;
      setDaemon(true);
    }

    void wake() {
      if (sleeps) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      if (number < cores.length) {
        Cores.pin(cores[number]);
      }
      long seen = 0;
      while (awaitCall(seen)) {
        long now = state.get();
        if ((now & OPEN) == 0) {
          seen = now & -NEXT_CALL;
        } else if (state.compareAndSet(now, now + 1)) {
          seen = now & -NEXT_CALL;
          RangeTask entered = task;
          if (entered != null) {
            work(entered, number);
          }
          Thread waiting = caller;
          if ((state.decrementAndGet() & (OPEN | INSIDE)) == 0 && callerSleeps) {
            LockSupport.unpark(waiting);
          }
        }
      }
    }

    /// Waits for a call after `seen`.
    ///
    /// @return whether there is one; otherwise the pool is closed
    private boolean awaitCall(long seen) {
      long until = 0;
      for (int spins = 1; (state.get() & -NEXT_CALL) == seen; spins++) {
        if (closed) {
          return false;
        }
        Thread.onSpinWait();
        if (spins % SPINS_PER_CLOCK != 0) {
          continue;
        }
        long now = System.nanoTime();
        if (until == 0) {
          until = now + SPIN_NANOS;
        } else if (now - until >= 0) {
          sleeps = true;
          while ((state.get() & -NEXT_CALL) == seen && !closed) {
            LockSupport.park(WorkerPool.this);
          }
          sleeps = false;
        }
      }
      return true;
    }
  }
}
