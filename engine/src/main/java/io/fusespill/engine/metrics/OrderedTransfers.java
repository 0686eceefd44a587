package io.fusespill.engine.metrics;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;

/// Ordered transfers that are planned or under way, for folds over a log: what a step took along
/// fails with it.
final class OrderedTransfers {

  private final List<TransferPlan> underWay = new ArrayList<>();

  /// Takes note of a transfer that was planned.
  void add(TransferPlan plan) {
    if (plan.mode() == TransferMode.ORDERED) {
      underWay.add(plan);
    }
  }

  /// Forgets those that the step took along, which is done or has failed, and returns them.
  List<TransferPlan> takenAlong(StepPlan step) {
    if (step.transfers().isEmpty()) {
      return List.of();
    }
    List<TransferPlan> taken = new ArrayList<>();
    for (TransferPlan plan : underWay) {
      if (step.transfers().contains(plan.transfer())) {
        taken.add(plan);
      }
    }
    underWay.removeAll(taken);
    return taken;
  }
}
