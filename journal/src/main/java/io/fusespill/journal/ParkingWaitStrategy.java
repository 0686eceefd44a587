package io.fusespill.journal;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.WaitStrategy;
import java.util.concurrent.locks.LockSupport;

/// Sleeps until an event is published, and then until the handlers ahead are done with it.
///
/// `BlockingWaitStrategy` sleeps for the first and spins for the second. That is right where a
/// handler ahead takes microseconds; a journal that waits for its storage takes milliseconds, in
/// which two cores would spin.
final class ParkingWaitStrategy implements WaitStrategy {

  private static final int SPINS = 200;
  private static final long PARK_NANOS = 20_000;

  private final Object published = new Object();

  @Override
  public long waitFor(
      long sequence, Sequence cursor, Sequence dependentSequence, SequenceBarrier barrier)
      throws AlertException, InterruptedException {
    if (cursor.get() < sequence) {
      synchronized (published) {
        while (cursor.get() < sequence) {
          barrier.checkAlert();
          published.wait();
        }
      }
    }
    long available = dependentSequence.get();
    for (int spins = 0; available < sequence; spins++) {
      barrier.checkAlert();
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(PARK_NANOS);
      }
      available = dependentSequence.get();
    }
    return available;
  }

  @Override
  public void signalAllWhenBlocking() {
    synchronized (published) {
      published.notifyAll();
    }
  }
}
