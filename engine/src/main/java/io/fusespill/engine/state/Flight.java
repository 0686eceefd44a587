package io.fusespill.engine.state;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A step queued or running on a device, with the sequences of its batch and the ordered transfers
/// that it took along. Reused from step to step.
final class Flight {

  @Nullable StepPlan plan;
  Sequence[] batch = new Sequence[16];

  /// Whether the entry samples a token.
  boolean[] sampling = new boolean[16];

  /// In force when the step was planned.
  EngineLimits limits = new EngineLimits(1, 1, 1, 1, 0);

  final List<TransferPlan> ordered = new ArrayList<>();

  void begin(StepPlan plan, List<TransferPlan> planned, EngineLimits limits) {
    this.plan = plan;
    this.limits = limits;
    if (batch.length < plan.size()) {
      int length = Math.max(plan.size(), 2 * batch.length);
      batch = new Sequence[length];
      sampling = new boolean[length];
    }
    ordered.clear();
    ordered.addAll(planned);
  }

  StepPlan requirePlan() {
    if (plan == null) {
      throw new IllegalStateException("a step ends on a place where none is in flight");
    }
    return plan;
  }
}
