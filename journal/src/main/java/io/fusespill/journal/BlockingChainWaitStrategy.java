package io.fusespill.journal;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.WaitStrategy;

/// Sleeps until an event is published or, for a handler behind others, until those are done with
/// it.
///
/// `BlockingWaitStrategy` sleeps for the first and spins for the second. That is right where a
/// handler ahead takes microseconds; a journal that waits for its storage takes milliseconds, in
/// which two cores would spin. A handler comes back here after each batch with its sequence moved,
/// and that is when it wakes those behind it.
final class BlockingChainWaitStrategy implements WaitStrategy {

  private final Object published = new Object();
  private final Object progress = new Object();

  @Override
  public long waitFor(
      long sequence, Sequence cursor, Sequence dependentSequence, SequenceBarrier barrier)
      throws AlertException, InterruptedException {
    signalProgress();
    Object signal = dependentSequence.equals(cursor) ? published : progress;
    if (dependentSequence.get() < sequence) {
      synchronized (signal) {
        while (dependentSequence.get() < sequence) {
          barrier.checkAlert();
          signal.wait();
        }
      }
    }
    return dependentSequence.get();
  }

  @Override
  public void signalAllWhenBlocking() {
    synchronized (published) {
      published.notifyAll();
    }
  }

  /// Wakes the handlers behind others; also after these have been halted.
  void signalProgress() {
    synchronized (progress) {
      progress.notifyAll();
    }
  }
}
