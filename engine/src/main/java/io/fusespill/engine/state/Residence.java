package io.fusespill.engine.state;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the state keeps of one place.
final class Residence {

  final BlockPool pool;
  final SequenceDeque residents = new SequenceDeque();

  /// Those that wait for this device alone.
  final SequenceDeque waiting = new SequenceDeque();

  final List<TransferPlan> orderedPlanned = new ArrayList<>();
  long nextStep;
  long boundTokens;
  int sharePpm;
  long shareNanos = Sequence.NEVER;

  /// Steps in flight, oldest first, in a ring of as many as there may be.
  private Flight[] flights;

  private int oldest;
  private int inFlight;

  Residence(int blocks, PrefixTree prefixes, int maxStepsInFlight) {
    pool = new BlockPool(blocks, prefixes);
    flights = new Flight[maxStepsInFlight];
    for (int i = 0; i < maxStepsInFlight; i++) {
      flights[i] = new Flight();
    }
  }

  /// Makes room for `most` steps in flight, or for those that there are.
  void hold(int most) {
    Flight[] larger = new Flight[Math.max(most, flights.length)];
    for (int i = 0; i < larger.length; i++) {
      larger[i] = i < flights.length ? flight(i) : new Flight();
    }
    flights = larger;
    oldest = 0;
  }

  int stepsInFlight() {
    return inFlight;
  }

  /// The `index`-th step in flight, oldest first.
  Flight flight(int index) {
    return flights[(oldest + index) % flights.length];
  }

  @Nullable StepPlan stepInFlight() {
    return inFlight == 0 ? null : flights[oldest].plan;
  }

  Flight addFlight() {
    if (inFlight == flights.length) {
      throw new IllegalStateException(
          "%d steps are in flight, which is all there may be".formatted(inFlight));
    }
    return flight(inFlight++);
  }

  /// Takes the oldest step out of the queue. It keeps its content until the ring comes round to it.
  Flight removeOldest() {
    Flight flight = flights[oldest];
    if (inFlight == 0) {
      throw new IllegalStateException("a step ends on a place where none is in flight");
    }
    oldest = (oldest + 1) % flights.length;
    inFlight--;
    return flight;
  }
}
