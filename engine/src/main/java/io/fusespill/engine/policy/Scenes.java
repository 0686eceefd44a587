package io.fusespill.engine.policy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.ArrayList;
import java.util.List;

/// Says what devices would compute next under `fusespill`, and which rows of an attending host are
/// worth their time in that.
final class Scenes {

  /// A row with less context is priced as if it had so much: it will soon, and would only go to and
  /// fro.
  private static final int PRICED_TOKENS_MIN = 128;

  private final Topology topology;
  private final CostEstimator estimator;
  private final Hosts hosts;
  private final MemoryDemand demand;

  Scenes(Topology topology, CostEstimator estimator, Hosts hosts, MemoryDemand demand) {
    this.topology = topology;
    this.estimator = estimator;
    this.hosts = hosts;
    this.demand = demand;
  }

  /// What `device` would compute next, without anything changing.
  Scene of(EngineView view, int device) {
    StepLoad load = new StepLoad();
    SequenceQueue running = view.residents(device);
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null && isDecode(sequence)) {
        load.addDecode(sequence.plannedComputedTokens());
      }
    }
    int host = hosts.attending(device);
    int sharing = 1;
    for (Place place : topology.places()) {
      StepPlan step = place.id() == device ? null : view.stepInFlight(place.id());
      sharing += step != null && step.remoteEntries() > 0 && step.remotePlace() == host ? 1 : 0;
    }
    int localRows = load.rows();
    long nanos = nanos(device, load, sharing);
    if (host >= 0) {
      nanos = addHostRows(view, device, load, sharing, nanos);
    }
    return new Scene(view, device, load, sharing, localRows, nanos);
  }

  /// Those that take what the device swaps out: the other devices that swap to the same host.
  List<Scene> takers(Scene scene) {
    List<Scene> takers = new ArrayList<>();
    int host = hosts.swapping(scene.device());
    for (Place place : topology.places()) {
      int other = place.id();
      if (place.computes()
          && other != scene.device()
          && host >= 0
          && hosts.swapping(other) == host) {
        takers.add(of(scene.view(), other));
      }
    }
    return takers;
  }

  /// Adds those on the host that are worth their time in a step with all that decode on the device.
  ///
  /// @return how long the step takes then
  private long addHostRows(
      EngineView view, int device, StepLoad load, int sharing, long localNanos) {
    SequenceQueue resting = view.residents(hosts.attending(device));
    boolean waited = demand.wanted(view, device);
    int localRows = load.rows();
    long nanos = localNanos;
    for (int i = 0; i < resting.size(); i++) {
      Sequence sequence = resting.get(i);
      if (usableBy(sequence, device)) {
        int context = sequence.plannedComputedTokens();
        load.addRemote(context);
        long with = nanos(device, load, sharing);
        if (nanos == 0 || pays(with - nanos, nanos, load, localRows, context, waited)) {
          nanos = with;
        } else {
          load.removeRemote(context);
        }
      }
    }
    return nanos;
  }

  /// Whether one more row on the host is worth the time that it adds to the step. Where somebody
  /// waits for the device's memory, that has a price: a token with so much context would take this
  /// share of it for a step. Where nobody waits, a row has to raise the token rate.
  ///
  /// @param load the step with that row
  /// @param localRows decodes of the device, also those that the step leaves out
  static boolean pays(
      long added, long stepNanos, StepLoad load, int localRows, int context, boolean waited) {
    return waited
        ? added * Math.max(1, load.context()) <= stepNanos * Math.max(context, PRICED_TOKENS_MIN)
        : added * (Math.max(load.rows(), localRows + load.remoteRows()) - 1L) <= stepNanos;
  }

  /// How long the step that `scene` describes takes now that its load may have changed.
  long nanos(Scene scene) {
    return nanos(scene.device(), scene.load(), scene.sharing());
  }

  private long nanos(int device, StepLoad load, int sharing) {
    return estimator.stepNanos(device, load, Math.max(0, hosts.attending(device)), sharing);
  }

  /// What attending for `rows` more sequences of so much context adds to the step.
  long addedNanos(Scene scene, int contextTokens, int rows) {
    for (int i = 0; i < rows; i++) {
      scene.load().addRemote(contextTokens);
    }
    long with = nanos(scene);
    for (int i = 0; i < rows; i++) {
      scene.load().removeRemote(contextTokens);
    }
    return with - scene.stepNanos();
  }

  /// Whether `device` may compute the next token of a sequence whose KV lies on a host.
  static boolean usableBy(Sequence sequence, int device) {
    return sequence.pendingTokens() == 1 && (!sequence.pinned() || sequence.stepper() == device);
  }

  static boolean isDecode(Sequence sequence) {
    return sequence.pendingTokens() == 1 && sequence.plannedComputedTokens() > 0;
  }
}
