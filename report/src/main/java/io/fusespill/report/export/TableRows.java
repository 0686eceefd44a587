package io.fusespill.report.export;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineView;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.explain.Choice;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Outcome;
import io.fusespill.replay.explain.Phase;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.timeline.StepSpan;
import io.fusespill.replay.timeline.TimelineListener;
import io.fusespill.replay.timeline.TransferSpan;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A run as rows of its tables.
final class TableRows implements TimelineListener {

  private final TableFiles files;
  private final RunMetrics metrics;
  private @Nullable Topology topology;

  TableRows(TableFiles files) {
    this.files = files;
    this.metrics = new RunMetrics(new Latencies(this::request));
  }

  @Override
  public void started(RunStarted run) {
    topology = run.config().topology();
  }

  @Override
  public void event(long position, EngineEvent event, EngineView before) {
    metrics.accept(event);
  }

  private void request(RequestOutcome outcome) {
    long arrival = outcome.arrivalNanos();
    long first = outcome.firstTokenNanos();
    files.row(
        RunTable.REQUESTS,
        (long) outcome.request(),
        lower(outcome.ending()),
        arrival,
        known(first),
        outcome.endNanos(),
        first < 0 ? null : (Long) (first - arrival),
        outcome.endNanos() - arrival,
        (long) outcome.promptTokens(),
        (long) outcome.outputTokens(),
        (long) outcome.samples(),
        (long) outcome.preemptions());
  }

  @Override
  public void lived(Story story) {
    long choices = 0;
    for (Moment moment : story.moments()) {
      if (moment instanceof Moment.Chosen chosen
          && chosen.choice().chosen().sequence() == story.sequence()) {
        choices++;
        choice(chosen.choice());
      }
    }
    files.row(
        RunTable.SEQUENCES,
        (long) story.sequence(),
        (long) story.request().request(),
        story.request().atNanos(),
        story.ended() ? (Long) story.endNanos() : null,
        (long) story.request().promptTokens(),
        (long) story.outputTokens(),
        known(story.ttftNanos()),
        known(story.tpotNanos()),
        story.nanosIn(Phase.WAITING),
        story.nanosIn(Phase.PREFILL),
        story.nanosIn(Phase.DECODE),
        story.nanosIn(Phase.RESTING),
        story.nanosIn(Phase.MOVING),
        (long) story.preemptions(),
        choices);
  }

  private void choice(Choice choice) {
    var chosen = choice.chosen();
    Outcome outcome = choice.outcome();
    for (int i = 0; i < chosen.estimates().size(); i++) {
      HandlingEstimate estimate = chosen.estimates().get(i);
      files.row(
          RunTable.CHOICES,
          choice.position(),
          chosen.atNanos(),
          (long) chosen.sequence(),
          name(chosen.device()),
          (long) chosen.blocks(),
          lower(estimate.handling()),
          name(estimate.place()),
          i == chosen.chosen(),
          estimate.lostNanos(),
          estimate.freeNanos(),
          (long) chosen.remainingTokens(),
          outcome.remainingKnown() ? (Long) (long) outcome.remainingTokens() : null,
          lower(outcome.fate()),
          known(outcome.copyNanos()),
          known(outcome.awayNanos()));
    }
  }

  @Override
  public void step(StepSpan step) {
    files.row(
        RunTable.STEPS,
        name(step.plan().device()),
        step.plan().step(),
        step.plannedNanos(),
        step.startNanos(),
        step.endNanos(),
        (long) step.plan().size(),
        (long) step.prefills(),
        (long) step.prefillTokens(),
        (long) step.decodes(),
        (long) step.plan().remoteEntries(),
        (long) step.plan().newBlocks().size(),
        (long) step.freeBlocks(),
        step.failure());
  }

  @Override
  public void transfer(TransferSpan transfer) {
    TransferPlan plan = transfer.plan();
    files.row(
        RunTable.TRANSFERS,
        (long) plan.transfer(),
        lower(plan.kind()),
        lower(plan.mode()),
        name(plan.from()),
        name(plan.to()),
        transfer.plannedNanos(),
        transfer.startNanos(),
        transfer.endNanos(),
        transfer.estimated(),
        (long) plan.blocks(),
        transfer.bytes(),
        (long) plan.sequences().size(),
        transfer.failure());
  }

  private @Nullable String name(int place) {
    return topology == null || place < 0 ? null : topology.place(place).name();
  }

  private static @Nullable Long known(long nanos) {
    return nanos < 0 ? null : nanos;
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
