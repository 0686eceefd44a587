package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.replay.explain.Stories;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Everything that takes time, as a fold over a log: steps, transfers, sequences, and the state
/// after each instant. Memory follows what is live.
public final class Timeline {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final String CUT_OFF = "the journal ends first";

  private record PlannedTransfer(TransferPlan plan, long plannedNanos) {}

  private final TimelineListener listener;
  private final EngineState state = new EngineState();
  private final Stories stories;
  private final List<Deque<StepPlanned>> flights = new ArrayList<>();
  private final TreeMap<Integer, PlannedTransfer> transfers = new TreeMap<>();
  private long[] stepEndedNanos = {};
  private int[] channelOf = {};
  private long[] channelFreeNanos = {};

  public Timeline(TimelineListener listener) {
    this.listener = listener;
    this.stories = Stories.ofAll(listener::lived);
  }

  /// Takes the next event of the log, which begins with `RunStarted`.
  public void accept(long position, EngineEvent event) {
    if (state.started() && event.atNanos() != state.nowNanos()) {
      listener.instant(state, state.waitingSequences());
    }
    if (event instanceof RunStarted run) {
      start(run);
    }
    listener.event(position, event, state);
    long now = event.atNanos();
    switch (event) {
      case StepPlanned planned -> flights.get(planned.plan().device()).add(planned);
      case StepCompleted done -> end(done.device(), now, done.busyNanos(), null);
      case StepFailed failed -> end(failed.device(), now, 0, failed.cause());
      case TransferPlanned planned ->
          transfers.put(planned.plan().transfer(), new PlannedTransfer(planned.plan(), now));
      case TransferCompleted done -> endAsync(done.transfer(), now, null);
      case TransferFailed failed -> endAsync(failed.transfer(), now, failed.cause());
      default -> {}
    }
    stories.accept(position, event);
    state.apply(event);
  }

  private void start(RunStarted run) {
    Topology topology = run.config().topology();
    List<Link> links = topology.links();
    int shared = links.stream().mapToInt(link -> link.channel() + 1).max().orElse(0);
    channelOf = new int[links.size()];
    for (int i = 0; i < channelOf.length; i++) {
      channelOf[i] = links.get(i).hasOwnChannel() ? shared + i : links.get(i).channel();
    }
    channelFreeNanos = new long[shared + links.size()];
    stepEndedNanos = new long[topology.places().size()];
    topology.places().forEach(place -> flights.add(new ArrayDeque<>()));
    listener.started(run);
  }

  private void end(int device, long now, long busyNanos, @Nullable String failure) {
    StepPlanned planned = flights.get(device).remove();
    StepPlan plan = planned.plan();
    long sinceNanos = Math.max(planned.atNanos(), stepEndedNanos[device]);
    long startNanos =
        busyNanos == 0 ? sinceNanos : Math.max(stepEndedNanos[device], now - busyNanos);
    stepEndedNanos[device] = now;
    endOrdered(plan, startNanos, now, failure);
    int prefills = 0;
    int prefillTokens = 0;
    for (int i = 0; i < plan.size(); i++) {
      if (!plan.isDecode(i)) {
        prefills++;
        prefillTokens += plan.newTokens().get(i);
      }
    }
    listener.step(
        new StepSpan(
            plan,
            planned.atNanos(),
            startNanos,
            now,
            prefills,
            prefillTokens,
            planned.freeBlocks(),
            failure));
  }

  private void endOrdered(StepPlan step, long startNanos, long endNanos, @Nullable String failure) {
    for (int i = 0; i < step.transfers().size(); i++) {
      PlannedTransfer transfer = transfers.remove(step.transfers().get(i));
      if (transfer != null) {
        TransferPlan plan = transfer.plan();
        int link = link(plan);
        long from = Math.clamp(channelFreeNanos[channelOf[link]], startNanos, endNanos);
        long to = Math.min(endNanos, from + copyNanos(plan, link));
        end(transfer, link, from, to, true, failure);
      }
    }
  }

  private void endAsync(int id, long now, @Nullable String failure) {
    PlannedTransfer transfer = transfers.remove(id);
    if (transfer != null) {
      int link = link(transfer.plan());
      long from = Math.max(transfer.plannedNanos(), channelFreeNanos[channelOf[link]]);
      end(transfer, link, Math.min(from, now), now, false, failure);
    }
  }

  private void end(
      PlannedTransfer transfer,
      int link,
      long startNanos,
      long endNanos,
      boolean estimated,
      @Nullable String failure) {
    channelFreeNanos[channelOf[link]] = endNanos;
    listener.transfer(
        new TransferSpan(
            transfer.plan(),
            link,
            config().kv().blockBytes() * transfer.plan().blocks(),
            transfer.plannedNanos(),
            startNanos,
            endNanos,
            estimated,
            failure));
  }

  private int link(TransferPlan plan) {
    return config().topology().linkIndex(plan.from(), plan.to());
  }

  private long copyNanos(TransferPlan plan, int index) {
    Link link = config().topology().links().get(index);
    double bytes = (double) config().kv().blockBytes() * plan.blocks();
    return link.copyNanos() * config().kv().copiesPerBlock() * plan.blocks()
        + Math.round(bytes * NANOS_PER_SECOND / link.bytesPerSecond());
  }

  private EngineConfig config() {
    return state.config();
  }

  /// The log ends: what it leaves open ends with it.
  public void close() {
    if (!state.started()) {
      return;
    }
    listener.instant(state, state.waitingSequences());
    long now = state.nowNanos();
    for (int device = 0; device < flights.size(); device++) {
      while (!flights.get(device).isEmpty()) {
        end(device, now, 0, CUT_OFF);
      }
    }
    for (PlannedTransfer transfer : List.copyOf(transfers.values())) {
      if (transfer.plan().mode() == TransferMode.ASYNC) {
        endAsync(transfer.plan().transfer(), now, CUT_OFF);
      }
    }
    stories.close();
  }

  /// Time of the last event.
  public long nowNanos() {
    return state.started() ? state.nowNanos() : 0;
  }
}
