package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.live.LiveFixture.Run;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Steps and copies that fail, and a device that dies, cost time and no token.
@Timeout(300)
class LiveFaultTest {

  private static final String MODEL = "llama3-gqa-ropescaled-tied-sharded";
  private static final double MIB = 1.0 / 1024;

  @TempDir private Path temp;

  private Run disturbed(LiveSpec spec, UnaryOperator<Completions> disturbance) {
    try (Checkpoint checkpoint = GoldenModel.open(MODEL)) {
      LiveFixture live = new LiveFixture(checkpoint, temp);
      List<TextRequest> requests = live.requests(30, 1, 41);
      Run calm = live.run("calm", LiveFixture.spec("continuous", 1, 4096), requests);
      Run run = live.run("disturbed", spec, requests, disturbance);
      assertThat(run.outputs()).isEqualTo(calm.outputs());
      return run;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void failedStepsAndCopies_costNoToken(int depth) {
    Run run =
        disturbed(
            LiveFixture.spec(PolicySpec.of("fusespill"), depth, true, 64 * MIB, 0, 60, 60),
            Faulty::new);
    assertThat(run.count(StepFailed.class)).isPositive();
    assertThat(run.count(TransferFailed.class)).isPositive();
  }

  /// What it was at goes on computing for a while, and nobody listens.
  @Test
  void deviceThatDies_leavesItsSequencesToTheOther() {
    Run run =
        disturbed(
            LiveFixture.spec(PolicySpec.of("continuous"), 2, false, 0, 0, 80, 80), Dying::new);
    List<EngineEvent> events = run.events();
    int died = 0;
    while (!(events.get(died) instanceof PlaceFailed)) {
      died++;
    }
    assertThat(events.subList(died, events.size()))
        .noneMatch(event -> event instanceof StepPlanned planned && planned.plan().device() == 0)
        .anyMatch(event -> event instanceof StepPlanned planned && planned.plan().device() == 1);
  }

  /// Passes an executor's reports on.
  private static class Reports implements Completions {

    final Completions engine;

    Reports(Completions engine) {
      this.engine = engine;
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      engine.stepCompleted(device, step, ended, sampledTokens, busyNanos);
    }

    @Override
    public void stepFailed(int device, long step, String cause) {
      engine.stepFailed(device, step, cause);
    }

    @Override
    public void transferCompleted(int transfer) {
      engine.transferCompleted(transfer);
    }

    @Override
    public void transferFailed(int transfer, String cause) {
      engine.transferFailed(transfer, cause);
    }

    @Override
    public void placeFailed(int place, String cause) {
      engine.placeFailed(place, cause);
    }
  }

  /// Now and then says that a step or a copy has failed, whose work is done.
  private static final class Faulty extends Reports {

    private final Random random = new Random(3);

    Faulty(Completions engine) {
      super(engine);
    }

    private synchronized boolean fails(int permille) {
      return random.nextInt(1000) < permille;
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      if (fails(40)) {
        engine.stepFailed(device, step, "by chance");
      } else {
        super.stepCompleted(device, step, ended, sampledTokens, busyNanos);
      }
    }

    @Override
    public void transferCompleted(int transfer) {
      if (fails(200)) {
        engine.transferFailed(transfer, "by chance");
      } else {
        super.transferCompleted(transfer);
      }
    }
  }

  /// Says that device 0 is gone at its thirtieth step.
  private static final class Dying extends Reports {

    Dying(Completions engine) {
      super(engine);
    }

    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {
      if (device == 0 && step == 30) {
        engine.placeFailed(0, "pulled out");
      }
      super.stepCompleted(device, step, ended, sampledTokens, busyNanos);
    }
  }
}
