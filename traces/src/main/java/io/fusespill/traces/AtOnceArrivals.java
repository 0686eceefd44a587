package io.fusespill.traces;

import java.util.function.LongSupplier;

/// An offline batch.
record AtOnceArrivals() implements ArrivalProcess {

  @Override
  public LongSupplier start(long seed) {
    return () -> 0;
  }
}
