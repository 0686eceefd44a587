package io.fusespill.journal;

import com.lmax.disruptor.ExceptionHandler;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The first failure behind the ring, if there has been one. Any thread may note and ask.
final class Failure implements ExceptionHandler<Slot> {

  private record Noted(String handler, long position, Throwable cause) {}

  private final AtomicReference<@Nullable Noted> first = new AtomicReference<>();
  private final Runnable listener;

  /// @param listener told once, by the thread that failed
  Failure(Runnable listener) {
    this.listener = listener;
  }

  void note(String handler, long position, Throwable cause) {
    Noted noted = new Noted(handler, position, cause);
    Noted before = first.compareAndExchange(null, noted);
    if (before == null) {
      listener.run();
    } else if (!before.cause().equals(cause)) {
      before.cause().addSuppressed(cause);
    }
  }

  boolean noted() {
    return first.get() != null;
  }

  /// Does nothing where nothing has failed.
  ///
  /// @throws EngineStoppedException with the first failure as its cause
  void check() {
    Noted noted = first.get();
    if (noted != null) {
      throw new EngineStoppedException(
          "the engine has stopped: %s failed at position %d: %s"
              .formatted(noted.handler(), noted.position(), noted.cause()),
          noted.cause());
    }
  }

  /// Handlers note their own failures; what comes here is an interrupt of a thread that waits.
  @Override
  public void handleEventException(Throwable cause, long position, @Nullable Slot slot) {
    note(Thread.currentThread().getName(), position, cause);
  }

  @Override
  public void handleOnStartException(Throwable cause) {
    note(Thread.currentThread().getName(), 0, cause);
  }

  @Override
  public void handleOnShutdownException(Throwable cause) {
    note(Thread.currentThread().getName(), 0, cause);
  }
}
