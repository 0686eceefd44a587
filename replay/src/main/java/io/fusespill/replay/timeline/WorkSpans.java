package io.fusespill.replay.timeline;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Steps and transfers with the time that each had its device or link, as a fold over a log; each
/// is told when it ends.
public final class WorkSpans {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final String CUT_OFF = "the journal ends first";

  private record PlannedTransfer(TransferPlan plan, long plannedNanos) {}

  private final Consumer<StepSpan> steps;
  private final Consumer<TransferSpan> copies;
  private final List<Deque<StepPlanned>> flights = new ArrayList<>();
  private final TreeMap<Integer, PlannedTransfer> transfers = new TreeMap<>();
  private @Nullable EngineConfig config;
  private long[] stepEndedNanos = {};
  private int[] channelOf = {};
  private long[] channelFreeNanos = {};

  public WorkSpans(Consumer<StepSpan> steps, Consumer<TransferSpan> copies) {
    this.steps = steps;
    this.copies = copies;
  }

  /// Takes the next event of the log, which begins with `RunStarted`.
  public void accept(EngineEvent event) {
    long now = event.atNanos();
    switch (event) {
      case RunStarted run -> start(run.config());
      case StepPlanned planned -> flights.get(planned.plan().device()).add(planned);
      case StepCompleted done -> end(done.device(), now, done.busyNanos(), null);
      case StepFailed failed -> end(failed.device(), now, 0, failed.cause());
      case TransferPlanned planned ->
          transfers.put(planned.plan().transfer(), new PlannedTransfer(planned.plan(), now));
      case TransferCompleted done -> endAsync(done.transfer(), now, null);
      case TransferFailed failed -> endAsync(failed.transfer(), now, failed.cause());
      default -> {}
    }
  }

  private void start(EngineConfig started) {
    config = started;
    List<Link> links = started.topology().links();
    int shared = links.stream().mapToInt(link -> link.channel() + 1).max().orElse(0);
    channelOf = new int[links.size()];
    for (int i = 0; i < channelOf.length; i++) {
      channelOf[i] = links.get(i).hasOwnChannel() ? shared + i : links.get(i).channel();
    }
    channelFreeNanos = new long[shared + links.size()];
    stepEndedNanos = new long[started.topology().places().size()];
    started.topology().places().forEach(place -> flights.add(new ArrayDeque<>()));
  }

  private void end(int device, long now, long busyNanos, @Nullable String failure) {
    StepPlanned planned = flights.get(device).remove();
    StepPlan plan = planned.plan();
    long sinceNanos = Math.max(planned.atNanos(), stepEndedNanos[device]);
    long startNanos =
        busyNanos == 0 ? sinceNanos : Math.max(stepEndedNanos[device], now - busyNanos);
    stepEndedNanos[device] = now;
    endOrdered(plan, busyNanos == 0 ? now : startNanos, failure);
    int prefills = 0;
    int prefillTokens = 0;
    for (int i = 0; i < plan.size(); i++) {
      if (!plan.isDecode(i)) {
        prefills++;
        prefillTokens += plan.newTokens().get(i);
      }
    }
    steps.accept(
        new StepSpan(
            plan,
            planned.atNanos(),
            startNanos,
            now,
            busyNanos,
            prefills,
            prefillTokens,
            planned.freeBlocks(),
            failure));
  }

  private void endOrdered(StepPlan step, long latestNanos, @Nullable String failure) {
    for (int i = 0; i < step.transfers().size(); i++) {
      PlannedTransfer transfer = transfers.remove(step.transfers().get(i));
      if (transfer != null) {
        int link = link(transfer.plan());
        long from = Math.max(transfer.plannedNanos(), channelFreeNanos[channelOf[link]]);
        long to = Math.min(Math.max(from, latestNanos), from + copyNanos(transfer.plan(), link));
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
    copies.accept(
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
    if (config == null) {
      throw new IllegalStateException("the log has not begun with RunStarted");
    }
    return config;
  }

  /// The log ends at `now`: what it leaves open ends with it.
  public void close(long now) {
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
  }
}
