package io.fusespill.journal;

import com.lmax.disruptor.EventHandler;
import io.fusespill.engine.event.EngineEvent;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;

/// A handler of the ring that acts on each event until something has failed, and then lets events
/// pass.
final class Stage implements EventHandler<Slot> {

  private final String name;
  private final EventConsumer consumer;
  private final Runnable batchEnd;
  private final Failure failure;
  private final CountDownLatch started;

  /// @param batchEnd what is due before others may see the events of a batch
  Stage(
      String name,
      EventConsumer consumer,
      Runnable batchEnd,
      Failure failure,
      CountDownLatch started) {
    this.name = name;
    this.consumer = consumer;
    this.batchEnd = batchEnd;
    this.failure = failure;
    this.started = started;
  }

  @Override
  public void onStart() {
    Thread.currentThread().setName("fusespill-" + name);
    started.countDown();
  }

  @Override
  public void onEvent(Slot slot, long position, boolean endOfBatch) {
    if (failure.noted()) {
      return;
    }
    try {
      EngineEvent event = Objects.requireNonNull(slot.event);
      consumer.accept(position, event);
      if (endOfBatch) {
        batchEnd.run();
      }
    } catch (Throwable e) {
      failure.note(name, position, e);
    }
  }
}
