package io.fusespill.engine.exec;

import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;

/// Turns logged decisions into calls of an executor, in log order. Used by one thread.
public final class Dispatcher {

  private final Executor executor;
  private final List<TransferPlan> ordered = new ArrayList<>();

  public Dispatcher(Executor executor) {
    this.executor = executor;
  }

  /// Tells the executor of an event that a run goes on from: who is there and who has gone. Steps
  /// and transfers of that time are not to be done again.
  public void recall(EngineEvent event) {
    if (!(event instanceof StepPlanned) && !(event instanceof TransferPlanned)) {
      accept(event);
    }
  }

  public void accept(EngineEvent event) {
    switch (event) {
      case StepPlanned planned -> executor.execute(planned.plan(), takeOrdered(planned.plan()));
      case TransferPlanned planned -> transfer(planned.plan());
      case SequenceFinished finished -> executor.release(finished.sequence());
      case RequestRejected rejected -> {
        for (int i = 0; i < rejected.samples(); i++) {
          executor.release(rejected.firstSequence() + i);
        }
      }
      case RequestArrived arrived -> executor.arrived(arrived);
      case InputEvent input -> {}
      case SequenceRouted routed -> {}
      case SequenceAdmitted admitted -> executor.admitted(admitted.sequence());
      case SequencePreempted preempted -> {}
      case ResidentsSorted sorted -> {}
      case Checkpointed checkpointed -> {}
      case HandlingChosen chosen -> {}
      case ShareChosen chosen -> {}
    }
  }

  private void transfer(TransferPlan plan) {
    if (plan.mode() == TransferMode.ORDERED) {
      ordered.add(plan);
    } else {
      executor.transfer(plan);
    }
  }

  private List<TransferPlan> takeOrdered(StepPlan plan) {
    if (plan.transfers().isEmpty()) {
      return List.of();
    }
    List<TransferPlan> before = new ArrayList<>();
    for (TransferPlan transfer : ordered) {
      if (plan.transfers().contains(transfer.transfer())) {
        before.add(transfer);
      }
    }
    ordered.removeAll(before);
    return before;
  }
}
