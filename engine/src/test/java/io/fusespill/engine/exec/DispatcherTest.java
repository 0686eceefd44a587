package io.fusespill.engine.exec;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static io.fusespill.engine.plan.TransferMode.ORDERED;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DispatcherTest {

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  private static List<String> calls(Run run) {
    List<String> calls = new ArrayList<>();
    Dispatcher dispatcher =
        new Dispatcher(
            new Executor() {
              @Override
              public void execute(StepPlan plan, List<TransferPlan> before) {
                calls.add(
                    "execute %d.%d after %s"
                        .formatted(
                            plan.device(),
                            plan.step(),
                            before.stream().map(TransferPlan::transfer).toList()));
              }

              @Override
              public void transfer(TransferPlan plan) {
                calls.add("transfer " + plan.transfer());
              }

              @Override
              public void release(int sequence) {
                calls.add("release " + sequence);
              }
            });
    run.log().forEach(dispatcher::accept);
    return calls;
  }

  @Test
  void accept_orderedTransfers_goWithTheStepThatTakesThemAlong() {
    Run run = engine.given().byHand().device(8).device(8).host(8).start();
    run.arrives(4, 9).arrives(4, 9).arrives(4, 9).arrives(4, 9).admits(0, 1);
    run.admitsOn(1, 2, 3).steps(0, 0, 4, 1, 4).steps(1, 2, 4, 3, 4).thenWhatever();
    run.completes(0).completes(1);
    run.transfers(0, 2, ORDERED, 0).transfers(1, 2, ORDERED, 2).transfers(0, 2, ORDERED, 1);
    run.steps(1, 3, 1).steps(0).thenWhatever();
    run.completes(0).completes(1).transfers(2, 1, ASYNC, 0).thenWhatever();
    assertThat(calls(run))
        .containsExactly(
            "execute 0.0 after []",
            "execute 1.0 after []",
            "execute 1.1 after [1]",
            "execute 0.1 after [0, 2]",
            "transfer 3");
  }

  @Test
  void accept_endedSequences_areReleasedWithAllTheirSamples() {
    Run run = engine.given().device(4).start();
    run.arrives(17, 1, 3).arrives(4, 1).thenWhatever();
    run.completes(0).then("finish 3 LENGTH");
    assertThat(calls(run))
        .containsExactly(
            "release 0", "release 1", "release 2", "execute 0.0 after []", "release 3");
  }
}
