package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The re-count notices whatever is broken, and names the invariant.
class InvariantsTest {

  private static final Prompt PROMPT = new Prompt(Ints.of(1, 2, 3, 4, 5, 6, 7, 8), "");

  /// Sequence 0 decodes on device 0, samples 1 and 2 rest there, 3 waits, 4 is on its way to host
  /// 1, 5 lies there.
  private static EngineState scene() {
    Run run = new EngineFixture().given().byHand().device(16).host(8).start();
    run.arrives(4, 9).arrives(6, 9, 2).arrives(3, 9).arrives(2, 9).arrives(2, 9);
    run.admits(0, 1, 4, 5).steps(0, 0, 4, 1, 6, 4, 2, 5, 2).thenWhatever();
    run.completes(0).transfers(0, 1, TransferMode.ASYNC, 5).transferCompletes(0);
    run.transfers(0, 1, TransferMode.ASYNC, 4).steps(0, 0, 1);
    return run.state();
  }

  @Test
  void soundState_hasNoViolations() {
    EngineState state = scene();
    assertThat(Invariants.violations(state)).isEmpty();
    assertThatCode(() -> Invariants.check(state)).doesNotThrowAnyException();
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        damage("I1", state -> state.request(1).liveSequences++),
        damage("I2", state -> state.pool(0).leave(state.sequence(0).table.last())),
        damage("I3", state -> state.pool(0).retain(state.sequence(0).table.last())),
        damage("I3", state -> state.pool(0).take(state.pool(0).upcoming(0))),
        damage("I3", state -> state.pool(0).release(state.sequence(1).table.get(0))),
        damage("I3", state -> state.pool(0).stay(state.sequence(4).table.last())),
        damage("I3", state -> state.sequence(1).table.set(0, state.sequence(0).table.last())),
        damage("I4", state -> state.sequence(1).computedTokens = 8),
        damage("I25", state -> state.sequence(0).computedTokens--),
        damage("I25", state -> state.sequence(0).inFlightTokens++),
        damage("I26", state -> state.sequence(0).place = 1),
        damage("I5", state -> state.sequence(1).table.removeLast()),
        damage("I5", state -> state.sequence(3).computedTokens++),
        damage("I6", state -> state.sequence(0).pins--),
        damage("I6", state -> state.sequence(1).pins++),
        damage("I6", state -> state.sequence(4).pins = 0),
        damage("I7", state -> state.sequence(3).place = 0),
        damage("I7", state -> state.sequence(1).status = SequenceStatus.SWAPPED),
        damage("I7", state -> ((SequenceDeque) state.residents(0)).remove(state.sequence(1))),
        damage("I7", state -> ((SequenceDeque) state.residents(0)).addLast(state.sequence(1))),
        damage("I7", state -> ((SequenceDeque) state.residents(1)).addLast(state.sequence(1))),
        damage("I7", state -> state.sequence(3).home = 0),
        damage("I27", state -> state.sequence(0).home = 0),
        damage("I29", state -> kept(state)),
        damage("I29", state -> state.pool(0).cache(15, kept(state))),
        damage("I30", state -> state.pool(0).cache(0, kept(state))),
        damage("I33", state -> known(state, 15).setBlock(0, BlockPool.NOBODY)),
        damage("I33", state -> known(state, 15).setBlock(0, 14)),
        damage("I33", state -> inACircle(state)),
        damage("I33", state -> freeTwice(state.pool(0))),
        damage("I7", state -> ((SequenceDeque) state.waiting()).remove(state.sequence(3))));
  }

  /// What a block of device 0 holds, which remembers from now on.
  private static PrefixTree.Node known(EngineState state, int block) {
    state.pool(0).keep(true);
    PrefixTree.Node node = kept(state);
    state.pool(0).cache(block, node);
    return node;
  }

  private static void inACircle(EngineState state) {
    state.pool(0).keep(true);
    PrefixTree.Node node = kept(state);
    node.setBlock(0, 14);
    state.pool(0).cache(14, node);
  }

  private static void freeTwice(BlockPool pool) {
    pool.keep(true);
    int block = pool.upcoming(1);
    pool.retain(block);
    pool.release(block);
  }

  /// What the prompt begins with, in use by nobody that is known.
  private static PrefixTree.Node kept(EngineState state) {
    PrefixTree.Beginning beginning = new PrefixTree.Beginning();
    state.prefixes().keep(beginning, PROMPT, 4, 4);
    return beginning.get(0);
  }

  private static Arguments damage(String invariant, Consumer<EngineState> damage) {
    return Arguments.of(invariant, damage);
  }

  @ParameterizedTest
  @MethodSource("damages")
  void damage_isNoticedUnderItsInvariant(String invariant, Consumer<EngineState> damage) {
    EngineState state = scene();
    damage.accept(state);
    assertThat(Invariants.violations(state))
        .anyMatch(violation -> violation.startsWith(invariant + ":"));
    assertThatThrownBy(() -> Invariants.check(state))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll("after " + state.events() + " events", invariant);
  }
}
