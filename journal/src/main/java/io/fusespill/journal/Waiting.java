package io.fusespill.journal;

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.function.Supplier;

/// How a handler of the ring waits for the next event.
public enum Waiting {
  /// Asleep: costs nothing while idle, and some ten microseconds to wake up.
  BLOCKING(BlockingChainWaitStrategy::new),
  /// Trying again and again, giving way to whoever wants the core. Wants a core for each handler.
  YIELDING(YieldingWaitStrategy::new),
  /// Trying again and again. Needs a core for each handler, and one for the engine.
  BUSY_SPIN(BusySpinWaitStrategy::new);

  private final Supplier<WaitStrategy> factory;

  Waiting(Supplier<WaitStrategy> factory) {
    this.factory = factory;
  }

  WaitStrategy strategy() {
    return factory.get();
  }
}
