package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The hash tells apart what behaves differently, and nothing else.
class StateHashTest {

  /// Sequence 0 decodes on device 0, samples 1 and 2 rest there, 3 and 4 wait, 5 lies on host 1 and
  /// 6 is on its way there.
  ///
  /// The fixture is not registered as an extension: a test breaks the state that this one builds.
  private static Run scene() {
    Run run = new EngineFixture().given().byHand().device(16).host(8).start();
    run.arrives(4, 9).arrives(6, 9, 2).arrives(3, 9).arrives(3, 9).arrives(2, 9).arrives(2, 9);
    run.admits(0, 1, 5, 6).steps(0, 0, 4, 1, 6, 5, 2, 6, 2).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 5).transferCompletes(0);
    run.transfers(0, 1, TransferMode.ASYNC, 6).steps(0, 0, 1);
    return run;
  }

  @Test
  void sameHistory_sameHash() {
    assertThat(scene().state().hash()).isEqualTo(scene().state().hash());
  }

  @Test
  void fold_ofTheLog_hashesAsTheLiveStateAfterEveryEvent() {
    Run run = scene();
    EngineState live = new EngineState();
    EngineState folded = new EngineState();
    for (int i = 0; i < run.log().size(); i++) {
      live.apply(run.log().get(i));
      folded = new EngineState();
      run.log().subList(0, i + 1).forEach(folded::apply);
      assertThat(folded.hash()).as("after event %d", i).isEqualTo(live.hash());
    }
    assertThat(folded.hash()).isEqualTo(run.state().hash());
  }

  /// Changes of one field each; those of a sequence and a request are named after it.
  static Stream<Arguments> changes() {
    return Stream.of(
        change("Sequence.totalTokens", state -> state.sequence(1).totalTokens++),
        change("Sequence.computedTokens", state -> state.sequence(1).computedTokens--),
        change("Sequence.status", state -> state.sequence(1).status = SequenceStatus.TRANSFERRING),
        change("Sequence.home", state -> state.sequence(5).home = 0),
        change("Sequence.place", state -> state.sequence(5).place = 0),
        change("Sequence.unforked", state -> state.sequence(3).unforked++),
        change("Sequence.pins", state -> state.sequence(0).pins++),
        change("Sequence.preemptions", state -> state.sequence(0).preemptions++),
        change("Sequence.failures", state -> state.sequence(0).failures++),
        change("Sequence.movedNanos", state -> state.sequence(0).movedNanos++),
        change("Sequence.stepper", state -> state.sequence(0).stepper++),
        change("Sequence.intent", state -> state.sequence(0).intent = Handling.SWAP),
        change("Sequence.intentPlace", state -> state.sequence(0).intentPlace++),
        change("Sequence.lost", state -> state.sequence(0).lost = true),
        change("Sequence.ending", state -> state.sequence(0).ending = FinishReason.STOP),
        change(
            "Sequence.formerPlace",
            state -> {
              state.sequence(5).former.append(0);
              state.sequence(5).formerPlace++;
            }),
        change(
            "what a free block still holds",
            state -> {
              state.pool(0).keep(true);
              state.pool(0).leftBehind(state.pool(0).upcoming(0), 5, 0);
            }),
        change(
            "what a prompt begins with",
            state ->
                state
                    .prefixes()
                    .keep(state.request(0).beginning, new Prompt(Ints.of(1, 2, 3, 4), ""), 4, 4)),
        change("Request.cancelled", state -> state.request(0).cancelled = true),
        change("tokens of a waiting sequence", state -> state.sequence(4).totalTokens++),
        change("a block of a table", state -> state.sequence(1).table.set(0, 15)),
        change("the length of a table", state -> state.sequence(1).table.append(0)),
        change("the order of a table", state -> swapBlocks(state.sequence(1).table)),
        change("the next free block", state -> state.pool(0).take(state.pool(0).upcoming(0))),
        change("the order of free blocks", state -> swapFree(state.pool(1))),
        change("leaving blocks", state -> state.pool(0).leave(state.sequence(0).table.last())),
        change("the order of waiting ones", state -> swapFirstTwo(state.waiting())),
        change("the order of residents", state -> swapFirstTwo(state.residents(0))),
        change(
            "a resident gone",
            state -> ((SequenceDeque) state.residents(1)).remove(state.sequence(5))));
  }

  /// Mutable fields that no change above needs to try: what steps in flight do for a sequence
  /// stands in their plans, and a request's live sequences can be counted.
  private static final Set<String> DERIVED =
      Set.of("Sequence.inFlightTokens", "Sequence.placeholders", "Request.liveSequences");

  @Test
  void everyMutableField_isTried() {
    Set<Object> tried = changes().map(change -> change.get()[0]).collect(Collectors.toSet());
    assertThat(Stream.of(Sequence.class, Request.class).flatMap(StateHashTest::mutableFields))
        .allMatch(field -> tried.contains(field) || DERIVED.contains(field));
  }

  private static Stream<String> mutableFields(Class<?> type) {
    return Arrays.stream(type.getDeclaredFields())
        .filter(field -> !Modifier.isFinal(field.getModifiers()))
        .map(field -> type.getSimpleName() + "." + field.getName());
  }

  private static Arguments change(String what, Consumer<EngineState> change) {
    return Arguments.of(what, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changes")
  void anyFieldChanged_anotherHash(String what, Consumer<EngineState> change) {
    EngineState state = scene().state();
    long before = state.hash();
    change.accept(state);
    assertThat(state.hash()).as(what).isNotEqualTo(before);
  }

  @Test
  void everyEventOfTheScene_changesTheHash() {
    EngineState state = new EngineState();
    long before = state.hash();
    for (EngineEvent event : scene().log()) {
      state.apply(event);
      assertThat(state.hash()).as("after %s", event).isNotEqualTo(before);
      before = state.hash();
    }
  }

  @Test
  void add_isSensitiveToOrderAndLength() {
    List<long[]> inputs =
        List.of(
            new long[] {},
            new long[] {0},
            new long[] {0, 0},
            new long[] {1, 2},
            new long[] {2, 1},
            new long[] {-1});
    assertThat(inputs.stream().map(StateHashTest::hash)).doesNotHaveDuplicates();
  }

  /// One step of SplitMix64 from the golden gamma: its first output for seed 0x9E3779B97F4A7C15,
  /// which is its second for seed 0, 0x6E789E6AA1B965F4 in the reference of the xoshiro authors.
  @Test
  void add_isTheDocumentedMix() {
    assertThat(hash(0)).isEqualTo(0x6E789E6AA1B965F4L);
  }

  private static long hash(long... values) {
    StateHash hash = new StateHash();
    for (long value : values) {
      hash.add(value);
    }
    return hash.value();
  }

  private static void swapBlocks(BlockTable table) {
    int first = table.get(0);
    table.set(0, table.get(1));
    table.set(1, first);
  }

  private static void swapFree(BlockPool pool) {
    int first = pool.upcoming(0);
    int second = pool.upcoming(1);
    pool.take(first);
    pool.take(second);
    pool.release(first);
    pool.release(second);
  }

  private static void swapFirstTwo(SequenceQueue view) {
    SequenceDeque queue = (SequenceDeque) view;
    Sequence first = queue.get(0);
    queue.remove(first);
    queue.insert(1, first);
  }
}
