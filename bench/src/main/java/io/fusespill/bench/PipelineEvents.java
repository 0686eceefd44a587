package io.fusespill.bench;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Events for benchmarks of the way out of the engine: planned steps of 24 to 48 sequences, whose
/// records have 100 to 200 bytes.
final class PipelineEvents {

  private static final int PLANS = 1024;

  private final StepPlan[] plans = new StepPlan[PLANS];

  PipelineEvents() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < PLANS; i++) {
      plans[i] = plan(i, 24 + random.nextInt(25), random);
    }
  }

  private static StepPlan plan(int step, int entries, SplittableRandom random) {
    int[] sequences = new int[entries];
    int[] tokens = new int[entries];
    int[] computed = new int[entries];
    int[] blocks = new int[entries / 16];
    int sequence = 100_000;
    for (int i = 0; i < entries; i++) {
      sequence += 1 + random.nextInt(3);
      sequences[i] = sequence;
      computed[i] = 1 + random.nextInt(2000);
    }
    Arrays.fill(tokens, 1);
    Arrays.setAll(blocks, i -> random.nextInt(10_000));
    return new StepPlan(
        0,
        step,
        Ints.of(sequences),
        Ints.of(tokens),
        Ints.of(computed),
        Ints.of(blocks),
        List.of(),
        Ints.EMPTY,
        entries);
  }

  /// A new event, the `i`th, at `atNanos`.
  EngineEvent event(long i, long atNanos) {
    return new StepPlanned(atNanos, plans[(int) (i % PLANS)], 100, 0);
  }

  /// @throws IllegalStateException if a record has less than 100 or more than 200 bytes
  void checkSizes() {
    EventEncoder encoder = new EventEncoder();
    for (int i = 0; i < PLANS; i++) {
      int bytes = encoder.encode(i, event(i, i));
      if (bytes < 100 || bytes > 200) {
        throw new IllegalStateException("record %d has %d bytes".formatted(i, bytes));
      }
    }
  }
}
