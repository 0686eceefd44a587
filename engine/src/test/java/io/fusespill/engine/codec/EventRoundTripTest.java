package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.Seeds;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every event comes back from its bytes, and has no others.
class EventRoundTripTest {

  private static final int MAX = Integer.MAX_VALUE;

  /// Every record that implements `EngineEvent`, found by reflection.
  static Stream<Class<?>> eventTypes() {
    return leaves(EngineEvent.class);
  }

  private static Stream<Class<?>> leaves(Class<?> type) {
    return type.isSealed()
        ? Arrays.stream(type.getPermittedSubclasses()).flatMap(EventRoundTripTest::leaves)
        : Stream.of(type);
  }

  @ParameterizedTest
  @MethodSource("eventTypes")
  void everyEventType_hasAnExample(Class<?> type) {
    assertThat(EventExamples.all())
        .as("examples in EventExamples")
        .hasAtLeastOneElementOfType(type);
  }

  @ParameterizedTest
  @MethodSource("eventTypes")
  void everyEventType_hasANumberOfItsOwn(Class<?> type) {
    assertThat(EventType.values())
        .filteredOn(eventType -> eventType.event() == type)
        .as("types of %s", type.getSimpleName())
        .singleElement()
        .satisfies(
            eventType -> assertThat(EventType.numbered(eventType.number())).isSameAs(eventType));
  }

  @ParameterizedTest
  @MethodSource("io.fusespill.engine.codec.EventExamples#all")
  void decode_ofEncoded_givesTheEvent(EngineEvent event) {
    assertThat(EventType.of(event).event()).isSameAs(event.getClass());
    assertSurvives(0, event);
    assertSurvives(Long.MAX_VALUE, event);
  }

  @Test
  void encode_afterALongerRecord_leavesNothingOfIt() {
    EventEncoder encoder = new EventEncoder();
    EventDecoder decoder = new EventDecoder();
    List<EngineEvent> events = new ArrayList<>(EventExamples.all());
    events.addAll(events.reversed());
    for (EngineEvent event : events) {
      int length = encoder.encode(1, event);
      assertThat(decoder.decode(1, encoder.bytes(), length)).isEqualTo(event);
      assertThat(Arrays.copyOf(encoder.bytes(), length)).isEqualTo(Records.encode(1, event));
    }
  }

  @Test
  void encode_largestStep_growsTheBuffer() {
    int[] sequences = IntStream.range(0, 65_536).map(i -> i % 2 == 0 ? MAX - i : i).toArray();
    int[] tokens = IntStream.range(0, 65_536).map(i -> EngineLimits.MAX_TOKENS - i).toArray();
    StepPlan plan =
        new StepPlan(
            0,
            0,
            Ints.of(sequences),
            Ints.of(tokens),
            Ints.of(tokens),
            Ints.of(sequences),
            List.of(),
            Ints.EMPTY,
            EngineLimits.MAX_TOKENS);
    assertSurvives(3, new StepPlanned(0, plan, 0, 0));
    assertSurvives(4, new StepCompleted(0, 0, 0, Ints.of(sequences), Ints.of(tokens)));
  }

  @Test
  void randomStep_survives() {
    Seeds.forEach(
        300,
        EventRoundTripTest.class,
        random -> {
          int entries = random.nextInt(40);
          List<BlockCopy> copies = new ArrayList<>();
          for (int i = random.nextInt(5); i > 0; i--) {
            copies.add(new BlockCopy(value(random), value(random), value(random)));
          }
          StepPlan plan =
              new StepPlan(
                  value(random),
                  random.nextLong() >>> 1 >>> random.nextInt(63),
                  ints(random, entries),
                  ints(random, entries),
                  ints(random, entries),
                  ints(random, random.nextInt(40)),
                  List.copyOf(copies),
                  ints(random, 1 + random.nextInt(3)),
                  value(random));
          assertSurvives(
              random.nextLong(),
              new StepPlanned(random.nextLong(), plan, value(random), value(random)));
        });
  }

  @Test
  void randomTransfer_survives() {
    Seeds.forEach(
        300,
        EventRoundTripTest.class,
        random -> {
          int blocks = random.nextInt(40);
          int from = value(random);
          TransferPlan plan =
              new TransferPlan(
                  value(random),
                  TransferKind.values()[random.nextInt(TransferKind.values().length)],
                  TransferMode.values()[random.nextInt(TransferMode.values().length)],
                  from,
                  from ^ 1,
                  ints(random, 1 + random.nextInt(5)),
                  ints(random, blocks),
                  ints(random, blocks));
          assertSurvives(random.nextLong(), new TransferPlanned(random.nextLong(), plan));
        });
  }

  private static void assertSurvives(long position, EngineEvent event) {
    byte[] bytes = Records.encode(position, event);
    EngineEvent decoded = Records.decode(position, bytes);
    assertThat(decoded).isEqualTo(event);
    assertThat(Records.encode(position, decoded)).isEqualTo(bytes);
  }

  private static Ints ints(Random random, int count) {
    return Ints.of(random.ints(count).map(i -> value(random)).toArray());
  }

  /// 0, the greatest int, one of the lengths where a byte more is needed, or anything between.
  private static int value(Random random) {
    return switch (random.nextInt(5)) {
      case 0 -> 0;
      case 1 -> 1;
      case 2 -> MAX;
      case 3 -> (1 << 7 * (1 + random.nextInt(4))) - random.nextInt(2);
      default -> random.nextInt(MAX) >>> random.nextInt(31);
    };
  }
}
