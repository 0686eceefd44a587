package io.fusespill.journal;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Events for logs that nobody decides on: any order will do, and number `i` is the same in every process.
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

  /// A transfer whose record has `bytes` bytes at position 0.
  static EngineEvent ofBytes(int bytes) {
    // Each block after the first adds a byte for its source and one for its target.
    EventEncoder encoder = new EventEncoder();
    for (int blocks = Math.max(1, bytes / 2 - 100); ; blocks++) {
      for (int extra = 0; extra < 2; extra++) {
        EngineEvent event = transfer(blocks, extra);
        if (encoder.encode(0, event) == bytes) {
          return event;
        }
      }
    }
  }

  private static TransferPlanned transfer(int blocks, int extraBytes) {
    Ints blockList = Ints.of(IntStream.range(0, blocks).toArray());
    return new TransferPlanned(
        0,
        new TransferPlan(
            extraBytes == 0 ? 1 : 200,
            TransferKind.SWAP_OUT,
            TransferMode.ORDERED,
            0,
            1,
            Ints.of(1),
            blockList,
            blockList));
  }

  static byte[] record(long position, EngineEvent event) {
    EventEncoder encoder = new EventEncoder();
    int length = encoder.encode(position, event);
    return Arrays.copyOf(encoder.bytes(), length);
  }
}
