package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Attention over a pool in this machine's memory, by threads of its own.
public final class HostAttention implements AttentionService {

  /// As in [WorkerPool]: layers follow each other within microseconds.
  private static final long SPIN_NANOS = 30_000;

  private final KvPool pool;
  private final PagedAttention attention;
  private final Thread thread;

  private @Nullable AttentionCall call;
  private @Nullable Thread waiting;
  private volatile int submitted;
  private volatile int done;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;

  /// A service for models of that shape.
  ///
  /// @param pool where the KV lies; stays open longer than the service
  /// @param workers who computes, with a thread of the service as the caller; likewise
  public HostAttention(ModelConfig config, KvPool pool, WorkerPool workers) {
    PagedAttention.check(pool, config);
    this.pool = pool;
    attention = new PagedAttention(config, workers);
    thread = new Thread(this::serve, "host-attention");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void submit(AttentionCall call) {
    if (closed) {
      throw new IllegalStateException("the attention service is closed");
    }
    if (submitted != done) {
      throw new IllegalStateException("the attention service has a call already");
    }
    for (int i = 0; i < call.entries(); i++) {
      PagedAttention.check(pool, call.start(i), call.rows(i), call.table(i));
    }
    this.call = call;
    waiting = Thread.currentThread();
    int next = submitted + 1;
    submitted = next;
    LockSupport.unpark(thread);
  }

  @Override
  public void await() {
    long until = System.nanoTime() + SPIN_NANOS;
    while (submitted != done) {
      pause(until);
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw new IllegalStateException("attention over remote KV failed: " + thrown, thrown);
    }
  }

  private void serve() {
    while (!closed) {
      long until = System.nanoTime() + SPIN_NANOS;
      while (submitted == done && !closed) {
        pause(until);
      }
      if (submitted != done) {
        answer();
      }
    }
  }

  private void answer() {
    AttentionCall current = call;
    Thread asker = waiting;
    try {
      if (current != null) {
        attention.run(current, pool);
      }
    } catch (Throwable e) {
      failure = e;
    }
    call = null;
    done = submitted;
    LockSupport.unpark(asker);
  }

  /// Spins until `until`, then sleeps; whoever is waited for wakes the thread.
  private void pause(long until) {
    if (System.nanoTime() - until < 0) {
      Thread.onSpinWait();
    } else {
      LockSupport.park(this);
    }
  }

  /// Ends the service's thread; a call in progress is finished first. Closes neither the pool nor
  /// the workers.
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    attention.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
