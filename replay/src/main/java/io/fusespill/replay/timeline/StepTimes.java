package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.plan.StepPlan;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the run's policy believed that its steps take against what they took, in nanoseconds.
///
/// Empty for a policy that estimates nothing, and where no completion says how long its step ran.
public final class StepTimes {

  private record Flight(StepPlan plan, long predictedNanos) {}

  private final Span span;
  private final Pairs pairs = new Pairs();
  private final List<Deque<Flight>> flights = new ArrayList<>();
  private final StepLoad load = new StepLoad();
  private @Nullable CostEstimator estimator;

  public StepTimes(Span span) {
    this.span = span;
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    switch (event) {
      case RunStarted started -> start(started.config());
      case StepPlanned planned -> plan(planned.plan());
      case StepCompleted done -> {
        Flight flight = flights.get(done.device()).remove();
        if (flight.predictedNanos() > 0 && done.busyNanos() > 0 && span.contains(done.atNanos())) {
          pairs.add((double) flight.predictedNanos(), (double) done.busyNanos());
        }
      }
      case StepFailed failed -> flights.get(failed.device()).remove();
      default -> {}
    }
  }

  private void start(EngineConfig config) {
    config.topology().places().forEach(place -> flights.add(new ArrayDeque<>()));
    estimator = config.costs().isEmpty() ? null : new CostEstimator(config);
  }

  private void plan(StepPlan plan) {
    flights.get(plan.device()).add(new Flight(plan, estimate(plan)));
  }

  private long estimate(StepPlan plan) {
    if (estimator == null) {
      return 0;
    }
    load.clear();
    for (int i = 0; i < plan.size(); i++) {
      int computed = plan.computedTokens().get(i);
      if (i >= plan.localEntries()) {
        load.addRemote(computed);
      } else if (plan.isDecode(i)) {
        load.addDecode(computed);
      } else {
        load.addPrefill(computed, plan.newTokens().get(i));
      }
    }
    return estimator.stepNanos(plan.device(), load, plan.remotePlace(), sharing(plan));
  }

  /// Devices that the host of this step attends for at the same time.
  private int sharing(StepPlan plan) {
    int devices = 1;
    for (int device = 0; device < flights.size(); device++) {
      Flight other = flights.get(device).peek();
      if (device != plan.device()
          && other != null
          && other.plan().remoteEntries() > 0
          && other.plan().remotePlace() == plan.remotePlace()) {
        devices++;
      }
    }
    return devices;
  }

  public Pairs pairs() {
    return pairs;
  }
}
