package io.fusespill.journal;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Events for logs that nobody decides on: any order will do, and number `i` is the same in every
/// process.
final class Events {

  private Events() {}

  /// Event number `i` of an endless, varied log.
  static EngineEvent event(long i) {
    int number = (int) (i % 1_000_000);
    return switch (number % 6) {
      case 0 -> new RequestArrived(i, number, number, 1, 1 + number % 2000, 100);
      case 1 -> new SequenceAdmitted(i, number, 0);
      case 2 -> step(i, 1 + number % 40);
      case 3 -> new StepCompleted(i, 0, i, Ints.of(number), Ints.of(7, 8, 9, number));
      case 4 -> new StepFailed(i, 0, i, "out of memory".repeat(number % 5));
      default -> new SequenceFinished(i, number, FinishReason.LENGTH);
    };
  }

  static List<EngineEvent> events(int count) {
    return IntStream.range(0, count).mapToObj(Events::event).toList();
  }

  /// A step of `entries` decodes: about 3 bytes each.
  static StepPlanned step(long i, int entries) {
    int[] tokens = new int[entries];
    Arrays.fill(tokens, 1);
    int[] computed = IntStream.range(0, entries).map(entry -> 100 + entry).toArray();
    StepPlan plan =
        new StepPlan(
            0,
            i,
            Ints.of(IntStream.range(0, entries).toArray()),
            Ints.of(tokens),
            Ints.of(computed),
            Ints.EMPTY,
            List.of(),
            Ints.EMPTY,
            entries);
    return new StepPlanned(i, plan, 10, 0);
  }

  /// An event whose record has `bytes` bytes; at least 3 MiB, so that the text's length takes the
  /// same room.
  static EngineEvent ofBytes(int bytes) {
    int others = record(0, failed(3 << 20)).length - (3 << 20);
    return failed(bytes - others);
  }

  private static StepFailed failed(int causeBytes) {
    return new StepFailed(0, 0, 0, "x".repeat(causeBytes));
  }

  static byte[] record(long position, EngineEvent event) {
    EventEncoder encoder = new EventEncoder();
    int length = encoder.encode(position, event);
    return Arrays.copyOf(encoder.bytes(), length);
  }
}
