package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Given;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// A policy that decides anything, sensible or not, under inputs in any order: each decision either
/// is refused and has changed nothing, or is taken and leaves the state sound.
class DecisionFuzzTest {

  private static final int DEVICES = 2;
  private static final int PLACES = 4;
  private static final int REQUESTS_MAX = 8;

  @Test
  void anyDecision_isRefusedOrLeavesTheStateSound() {
    AtomicInteger taken = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    Seeds.forEach(
        500,
        DecisionFuzzTest.class,
        random -> {
          World world = new World(random);
          world.live();
          world.run.verify();
          taken.addAndGet(world.taken);
          refused.addAndGet(world.refused);
        });
    assertThat(taken.get()).as("decisions taken").isGreaterThan(refused.get() / 10);
    assertThat(refused.get()).as("decisions refused").isGreaterThan(taken.get() / 10);
  }

  private static final class World {

    private final Random random;
    private final Run run;
    private int taken;
    private int refused;

    World(Random random) {
      this.random = random;
      Given given = new EngineFixture().given().byHand().maxNumSeqs(4).maxNumBatchedTokens(20);
      given.blockTokens(1 + random.nextInt(4)).maxAttempts(1 + random.nextInt(3));
      given.device(3 + random.nextInt(10)).device(3 + random.nextInt(6));
      run = given.host(random.nextInt(12)).disk(random.nextInt(12)).start();
    }

    void live() {
      for (int i = 0; i < 120; i++) {
        if (random.nextInt(4) == 0) {
          happen();
        } else {
          decide();
        }
      }
    }

    // ---------------------------------------------------------------- inputs

    private void happen() {
      List<Runnable> possible = possible();
      if (!possible.isEmpty()) {
        possible.get(random.nextInt(possible.size())).run();
        run.thenWhatever();
      }
    }

    private List<Runnable> possible() {
      List<Runnable> possible = new ArrayList<>();
      EngineState state = run.state();
      if (state.nextRequest() < REQUESTS_MAX) {
        possible.add(
            () -> run.arrives(1 + random.nextInt(8), 1 + random.nextInt(8), 1 + random.nextInt(3)));
      }
      for (int device = 0; device < DEVICES; device++) {
        int there = device;
        if (state.stepInFlight(device) != null) {
          possible.add(() -> run.completes(there));
          possible.add(() -> run.completes(there));
          possible.add(() -> run.fails(there));
        }
      }
      for (int number = state.firstTransfer(); number < state.nextTransfer(); number++) {
        int transfer = number;
        if (state.transferInFlight(number) != null) {
          possible.add(() -> run.transferCompletes(transfer));
          possible.add(() -> run.transferFails(transfer));
        }
      }
      int place = random.nextInt(PLACES);
      if (state.failed(place)) {
        possible.add(() -> run.placeRestored(place));
      } else if (random.nextInt(6) == 0) {
        possible.add(() -> run.placeFails(place));
      }
      if (state.nextRequest() > 0 && random.nextInt(6) == 0) {
        possible.add(() -> run.cancels(random.nextInt(state.nextRequest())));
      }
      return possible;
    }

    // ------------------------------------------------------------- decisions

    private void decide() {
      long hash = run.state().hash();
      int events = run.log().size();
      try {
        run.decides(this::decideAnything);
        taken++;
      } catch (IllegalStateException | IllegalArgumentException e) {
        assertThat(run.log()).as("the log after '%s'", e.getMessage()).hasSize(events);
        assertThat(run.state().hash()).as("the hash after '%s'", e.getMessage()).isEqualTo(hash);
        refused++;
      }
    }

    private void decideAnything(EngineView view, Decisions decisions) {
      Sequence sequence = anySequence(view);
      if (sequence == null) {
        return;
      }
      int place = random.nextInt(PLACES);
      switch (random.nextInt(8)) {
        case 0, 1 -> decisions.admit(sequence, place);
        case 2 ->
            decisions.preempt(
                sequence, any(PreemptionKind.values()), PreemptionReason.OUT_OF_BLOCKS);
        case 3 -> rejectSometimes(view, decisions);
        case 4 -> transfer(view, decisions, sequence, place);
        case 5 -> decisions.sortResidents(place);
        default -> step(view, decisions, random.nextInt(DEVICES));
      }
    }

    private void rejectSometimes(EngineView view, Decisions decisions) {
      Request request = view.request(random.nextInt(run.state().nextRequest()));
      if (request != null && random.nextInt(6) == 0) {
        decisions.reject(request, RejectionReason.NEVER_FITS, 1, 0);
      }
    }

    private void transfer(EngineView view, Decisions decisions, Sequence sequence, int to) {
      boolean fromItsPlace = sequence.place() != Sequence.NOWHERE && random.nextInt(8) > 0;
      int from = fromItsPlace ? sequence.place() : random.nextInt(PLACES);
      Sequence other = random.nextBoolean() ? sequence : anySequence(view);
      Ints sequences =
          other == null || other == sequence
              ? Ints.of(sequence.id())
              : Ints.of(sequence.id(), other.id());
      decisions.transfer(from, to, any(TransferMode.values()), sequences);
    }

    /// Drafts only what lies on the device, is free and is not drafted yet: a draft takes the
    /// policy's word for that.
    private void step(EngineView view, Decisions decisions, int device) {
      StepDraft draft = decisions.draft(device);
      for (int i = random.nextInt(6); i > 0; i--) {
        Sequence sequence = anySequence(view);
        if (sequence != null
            && sequence.place() == device
            && !sequence.pinned()
            && !draft.contains(sequence)) {
          draft.add(
              sequence, random.nextInt(10) == 0 ? random.nextInt(5) : sequence.pendingTokens());
        }
      }
      decisions.start(draft, draft.tokens());
    }

    private Sequence anySequence(EngineView view) {
      int count = run.state().nextSequence();
      return count == 0 ? null : view.sequence(random.nextInt(count));
    }

    private <T> T any(T[] values) {
      return values[random.nextInt(values.length)];
    }
  }
}
