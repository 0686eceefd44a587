package io.fusespill.journal.live;

import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineView;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// A device that leaves every answer to the test.
class SilentExecutor implements Executor {

  final BlockingQueue<StepPlan> plans = new LinkedBlockingQueue<>();
  Completions completions;

  Executor reportTo(Completions completions, EngineView behind) {
    this.completions = completions;
    return this;
  }

  @Override
  public void execute(StepPlan plan, List<TransferPlan> before) {
    plans.add(plan);
  }

  @Override
  public void transfer(TransferPlan plan) {}

  @Override
  public void release(int sequence) {}
}
