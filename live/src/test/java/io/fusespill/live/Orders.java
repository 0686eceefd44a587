package io.fusespill.live;

import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// Passes an executor's orders on.
class Orders implements Executor {

  private final Executor executor;

  Orders(Executor executor) {
    this.executor = executor;
  }

  @Override
  public void arrived(RequestArrived request) {
    executor.arrived(request);
  }

  @Override
  public void admitted(int sequence) {
    executor.admitted(sequence);
  }

  @Override
  public void known(int sequence, int token) {
    executor.known(sequence, token);
  }

  @Override
  public void execute(StepPlan plan, List<TransferPlan> before) {
    executor.execute(plan, before);
  }

  @Override
  public void transfer(TransferPlan plan) {
    executor.transfer(plan);
  }

  @Override
  public void release(int sequence) {
    executor.release(sequence);
  }
}
