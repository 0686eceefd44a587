package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
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
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.Window;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The lives of some sequences, or of all, as a fold over a log. Memory follows those that live.
///
/// Until a request's prompt is computed its first sequence stands for all its samples. Beyond that
/// it is followed for their sake where they share choices of its, whose outcome is its own.
final class Lives {

  /// Which sequences are followed.
  @FunctionalInterface
  interface Wanted {
    boolean wants(int request, int sequence);
  }

  private record Transfer(TransferPlan plan, long plannedNanos) {}

  private final Wanted wanted;
  private final Function<RequestArrived, LifeListener> listeners;
  private final Consumer<Life> over;
  private final Window<Life> lives = new Window<>();
  private final List<Deque<StepPlan>> flights = new ArrayList<>();
  private final TreeMap<Integer, Transfer> transfers = new TreeMap<>();
  private @Nullable Topology topology;
  private long nowNanos;
  private int requests;
  private int sequences;

  /// @param listeners makes the one that hears a request's first sequence, and by
  ///   [LifeListener#fork] the others
  /// @param over takes each life that is wanted, as it ends
  Lives(Wanted wanted, Function<RequestArrived, LifeListener> listeners, Consumer<Life> over) {
    this.wanted = wanted;
    this.listeners = listeners;
    this.over = over;
  }

  void accept(long position, EngineEvent event) {
    nowNanos = event.atNanos();
    switch (event) {
      case StepPlanned planned -> plan(planned.plan());
      case StepCompleted done -> complete(done);
      case SequenceFinished finished -> finish(finished);
      case RequestArrived arrival -> arrive(arrival);
      case SequenceRouted routed -> {
        Life life = lives.get(routed.sequence());
        if (life != null) {
          life.listener().noted(new Moment.Bound(nowNanos, routed.device()));
        }
      }
      case SequenceAdmitted admitted -> {
        Life life = lives.get(admitted.sequence());
        if (life != null) {
          life.admit(nowNanos, admitted.device(), admitted.keptBlocks());
        }
      }
      case SequencePreempted preempted -> {
        Life life = lives.get(preempted.sequence());
        if (life != null) {
          life.preempt(preempted);
        }
      }
      case HandlingChosen chosen -> {
        Life life = lives.get(chosen.sequence());
        if (life != null) {
          life.choose(position, chosen);
        }
      }
      case TransferPlanned planned -> plan(planned.plan());
      case TransferCompleted done -> complete(done.transfer());
      case TransferFailed failed -> fail(failed.transfer(), failed.cause());
      case SequenceFailed failed -> {
        Life life = lives.get(failed.sequence());
        if (life != null) {
          life.fail(nowNanos, failed.device(), failed.cause());
        }
      }
      case StepFailed failed -> fail(failed);
      case RequestRejected rejected -> reject(rejected);
      case RequestCancelled cancelled -> cancel(cancelled.request());
      case RunStarted started -> start(started.config().topology());
      case ConfigurationChanged changed -> {}
      case PlaceFailed failed -> fail(failed);
      case PlaceRestored restored -> {}
      case ShareChosen share -> {}
      case ResidentsSorted sorted -> {}
      case Checkpointed checkpointed -> {}
    }
  }

  private void start(Topology places) {
    topology = places;
    places.places().forEach(place -> flights.add(new ArrayDeque<>()));
  }

  private void arrive(RequestArrived arrival) {
    requests = arrival.request() + 1;
    sequences = arrival.firstSequence() + arrival.samples();
    if (wantsAny(arrival)) {
      Life life = new Life(arrival.firstSequence(), arrival, listeners.apply(arrival));
      life.listener().noted(new Moment.Arrived(arrival));
      lives.put(arrival.firstSequence(), life);
    }
  }

  private boolean wantsAny(RequestArrived arrival) {
    for (int i = 0; i < arrival.samples(); i++) {
      if (wanted.wants(arrival.request(), arrival.firstSequence() + i)) {
        return true;
      }
    }
    return false;
  }

  private void plan(StepPlan plan) {
    flights.get(plan.device()).add(plan);
    for (int i = 0; i < plan.size(); i++) {
      Life life = lives.get(plan.sequences().get(i));
      if (life != null) {
        life.plan(nowNanos, plan, i);
      }
    }
  }

  private void complete(StepCompleted done) {
    StepPlan plan = flights.get(done.device()).remove();
    for (int i = 0; i < plan.transfers().size(); i++) {
      complete(plan.transfers().get(i));
    }
    for (int i = 0; i < plan.size(); i++) {
      Life life = lives.get(plan.sequences().get(i));
      if (life != null
          && life.land(nowNanos, plan.computedTokens().get(i), plan.newTokens().get(i))) {
        fork(life);
      }
    }
    for (int i = 0; i < done.ended().size(); i++) {
      Life life = lives.get(done.ended().get(i));
      if (life != null) {
        life.noteEnd();
      }
    }
  }

  private void fork(Life parent) {
    RequestArrived request = parent.request();
    if (parent.sequence() != request.firstSequence()) {
      return;
    }
    for (int i = 1; i < request.samples(); i++) {
      int sample = parent.sequence() + i;
      if (wanted.wants(request.request(), sample)) {
        Life child = parent.fork(nowNanos, sample);
        child.listener().noted(new Moment.Forked(nowNanos, parent.sequence()));
        lives.put(sample, child);
      }
    }
    if (!wanted(parent) && parent.choices().isEmpty()) {
      lives.remove(parent.sequence());
    }
  }

  private void fail(StepFailed failed) {
    StepPlan plan = flights.get(failed.device()).remove();
    for (int i = 0; i < plan.size(); i++) {
      Life life = lives.get(plan.sequences().get(i));
      if (life != null) {
        life.lose(nowNanos, failed.device(), failed.cause());
      }
    }
    for (int i = 0; i < plan.transfers().size(); i++) {
      fail(plan.transfers().get(i), failed.cause());
    }
  }

  private void fail(PlaceFailed failed) {
    for (int i = lives.base(); i < lives.next(); i++) {
      Life life = lives.get(i);
      if (life != null) {
        life.losePlace(nowNanos, failed.place(), failed.cause());
      }
    }
  }

  private void plan(TransferPlan plan) {
    boolean followed = false;
    Ints moved = plan.sequences();
    for (int i = 0; i < moved.size(); i++) {
      Life life = lives.get(moved.get(i));
      if (life != null) {
        life.planTransfer(nowNanos, plan);
        followed = true;
      }
    }
    if (followed) {
      transfers.put(plan.transfer(), new Transfer(plan, nowNanos));
    }
  }

  private void complete(int id) {
    Transfer transfer = transfers.remove(id);
    if (transfer != null) {
      TransferPlan plan = transfer.plan();
      boolean computes = requireTopology().place(plan.to()).computes();
      for (Life life : moved(plan)) {
        life.completeTransfer(nowNanos, plan, transfer.plannedNanos(), computes);
      }
    }
  }

  private void fail(int id, String cause) {
    Transfer transfer = transfers.remove(id);
    if (transfer != null) {
      for (Life life : moved(transfer.plan())) {
        life.failTransfer(nowNanos, transfer.plan(), transfer.plannedNanos(), cause);
      }
    }
  }

  private List<Life> moved(TransferPlan plan) {
    List<Life> moved = new ArrayList<>();
    for (int i = 0; i < plan.sequences().size(); i++) {
      Life life = lives.get(plan.sequences().get(i));
      if (life != null) {
        moved.add(life);
      }
    }
    return moved;
  }

  private void cancel(int request) {
    for (int i = lives.base(); i < lives.next(); i++) {
      Life life = lives.get(i);
      if (life != null && life.request().request() == request) {
        life.listener().noted(new Moment.Cancelled(nowNanos));
      }
    }
  }

  private void finish(SequenceFinished finished) {
    end(finished.sequence(), life -> life.finish(nowNanos, finished.reason()));
  }

  private void reject(RequestRejected rejected) {
    for (int i = 0; i < rejected.samples(); i++) {
      end(rejected.firstSequence() + i, life -> life.reject(rejected));
    }
  }

  private void end(int sequence, Consumer<Life> how) {
    Life life = lives.get(sequence);
    if (life != null) {
      lives.remove(sequence);
      bury(life, how);
    }
  }

  /// Ends a life, and with a first sequence that never forked those for which it stood.
  private void bury(Life life, Consumer<Life> how) {
    RequestArrived request = life.request();
    List<Life> ending = new ArrayList<>(List.of(life));
    for (int i = 1; life.unforked() && i < request.samples(); i++) {
      int sample = life.sequence() + i;
      if (wanted.wants(request.request(), sample)) {
        ending.add(life.fork(nowNanos, sample));
      }
    }
    for (Life each : ending) {
      how.accept(each);
      if (wanted(each)) {
        over.accept(each);
      }
    }
  }

  private boolean wanted(Life life) {
    return wanted.wants(life.request().request(), life.sequence());
  }

  /// The log ends here.
  void close() {
    for (Transfer transfer : transfers.values()) {
      for (Life life : moved(transfer.plan())) {
        life.noteUnfinished(transfer.plan(), transfer.plannedNanos());
      }
    }
    for (int i = lives.base(); i < lives.next(); i++) {
      Life life = lives.get(i);
      if (life != null) {
        bury(life, last -> last.breakOff(nowNanos));
      }
    }
  }

  /// Requests that arrived.
  int requests() {
    return requests;
  }

  /// Sequences of the requests that arrived.
  int sequences() {
    return sequences;
  }

  Topology requireTopology() {
    if (topology == null) {
      throw new IllegalStateException("the log holds no RunStarted");
    }
    return topology;
  }
}
