package io.fusespill.engine.metrics;

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
import io.fusespill.engine.event.FinishReason;
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
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.Window;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.ToIntFunction;

/// A predictor's accuracy as a fold over a run's events, whether or not the run used it.
///
/// The predictor learns from each `SequenceFinished`; all but `STOP` count as cut off. In each 16th
/// step of a device, or as many as asked for, up to 16 of its sequences, evenly spaced in the
/// batch, are predicted, and counted when they have ended by `STOP` or `LENGTH`. Predictions are
/// cut at the request's own maximum and at the longest context, which a scheduler knows too. Memory
/// follows the live requests.
public final class PredictionAccuracy {

  private static final int STEPS_BETWEEN_SAMPLES = 16;
  private static final int SEQUENCES_PER_SAMPLE = 16;

  /// One sequence as far as this fold needs it.
  private static final class Track {
    final RequestArrived request;
    final List<Moment> moments = new ArrayList<>();
    int computedTokens;
    int totalTokens;
    boolean wasted;

    Track(RequestArrived request, int totalTokens) {
      this.request = request;
      this.totalTokens = totalTokens;
    }

    int outputTokens() {
      return totalTokens - request.promptTokens();
    }
  }

  private record Moment(BatchSample sample, int slot) {}

  /// Hears of each moment that is counted.
  @FunctionalInterface
  public interface MomentListener {

    /// @param generated output tokens at the moment
    /// @param median predicted median of the remaining tokens
    /// @param remaining tokens that came, at least 1
    void moment(int generated, int median, int remaining);
  }

  private final PredictorKind kind;
  private final ToIntFunction<RequestArrived> hint;
  private final int warmUpRequests;
  private final int stepsBetweenSamples;
  private final MomentListener moments;
  private final Window<Track> tracks = new Window<>();
  private final OrderedTransfers ordered = new OrderedTransfers();
  private final List<Deque<StepPlan>> flights = new ArrayList<>();
  private int maxModelTokens = Integer.MAX_VALUE;
  private LengthPredictor predictor;
  private PredictionTally tally;

  /// Hints are those of the log, and all requests are counted.
  public PredictionAccuracy(PredictorKind kind) {
    this(kind, STEPS_BETWEEN_SAMPLES);
  }

  /// Hints are those of the log, and all requests are counted.
  ///
  /// @param stepsBetweenSamples of so many steps of a device one is sampled, 1 or more
  public PredictionAccuracy(PredictorKind kind, int stepsBetweenSamples) {
    this(kind, stepsBetweenSamples, (generated, median, remaining) -> {});
  }

  /// Hints are those of the log, and all requests are counted.
  ///
  /// @param stepsBetweenSamples of so many steps of a device one is sampled, 1 or more
  /// @param moments hears of each moment as its sequence ends
  public PredictionAccuracy(PredictorKind kind, int stepsBetweenSamples, MomentListener moments) {
    this(kind, RequestArrived::hintTokens, 0, stepsBetweenSamples, moments);
  }

  /// @param hint output tokens that a request declares, 0 for none; the true ones for an oracle
  /// @param warmUpRequests requests from the first on that are learnt from and not counted
  public PredictionAccuracy(
      PredictorKind kind, ToIntFunction<RequestArrived> hint, int warmUpRequests) {
    this(kind, hint, warmUpRequests, STEPS_BETWEEN_SAMPLES, (generated, median, remaining) -> {});
  }

  private PredictionAccuracy(
      PredictorKind kind,
      ToIntFunction<RequestArrived> hint,
      int warmUpRequests,
      int stepsBetweenSamples,
      MomentListener moments) {
    if (stepsBetweenSamples < 1) {
      throw new IllegalArgumentException(
          "stepsBetweenSamples is %d, must be at least 1".formatted(stepsBetweenSamples));
    }
    this.kind = kind;
    this.hint = hint;
    this.warmUpRequests = warmUpRequests;
    this.stepsBetweenSamples = stepsBetweenSamples;
    this.moments = moments;
    this.predictor = kind.create(1);
    this.tally = new PredictionTally(1, moments);
  }

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    switch (event) {
      case StepPlanned planned -> plan(planned.plan());
      case StepCompleted done -> complete(done);
      case SequenceFinished finished -> finish(finished);
      case RequestArrived arrival ->
          tracks.put(arrival.firstSequence(), new Track(arrival, arrival.promptTokens()));
      case SequencePreempted preempted -> preempt(preempted);
      case RequestRejected rejected -> reject(rejected);
      case SequenceFailed failed -> waste(Ints.of(failed.sequence()));
      case StepFailed step -> fail(flights.get(step.device()).remove());
      case RunStarted started -> start(started);
      case RequestCancelled cancellation -> {}
      case TransferPlanned planned -> ordered.add(planned.plan());
      case TransferCompleted transfer -> {}
      case TransferFailed transfer -> {}
      case PlaceFailed failed -> failPlace(failed.place());
      case PlaceRestored restored -> {}
      case SequenceRouted routed -> {}
      case SequenceAdmitted admitted -> {}
      case HandlingChosen chosen -> {}
      case ShareChosen share -> {}
      case ResidentsSorted sorted -> {}
      case Checkpointed checkpointed -> {}
      case ConfigurationChanged changed -> {}
    }
  }

  private void start(RunStarted started) {
    maxModelTokens = started.config().limits().maxModelTokens();
    started.config().topology().places().forEach(place -> flights.add(new ArrayDeque<>()));
    predictor = kind.create(maxModelTokens);
    tally = new PredictionTally(maxModelTokens, moments);
  }

  private void plan(StepPlan plan) {
    flights.get(plan.device()).add(plan);
    if (plan.step() % stepsBetweenSamples == 0) {
      sample(plan);
    }
  }

  private void sample(StepPlan plan) {
    int slots = Math.min(SEQUENCES_PER_SAMPLE, plan.size());
    BatchSample sample = new BatchSample(slots);
    for (int slot = 0; slot < slots; slot++) {
      Track track = track(plan.sequences().get((int) ((long) slot * plan.size() / slots)));
      if (track.request.request() >= warmUpRequests) {
        predict(track, sample, slot);
        track.moments.add(new Moment(sample, slot));
      }
    }
  }

  private void predict(Track track, BatchSample sample, int slot) {
    RequestArrived request = track.request;
    int generated = track.outputTokens();
    int most = Math.max(1, outputTokensMax(request) - generated);
    int declared = hint.applyAsInt(request);
    int[] quantiles = new int[PredictionFigures.LEVELS.size()];
    for (int level = 0; level < quantiles.length; level++) {
      int permille = PredictionFigures.LEVELS.get(level);
      int quantile =
          predictor.quantileRemaining(request.promptTokens(), generated, declared, permille);
      quantiles[level] = Math.min(most, quantile);
    }
    int mean = predictor.expectedRemaining(request.promptTokens(), generated, declared);
    sample.predict(slot, generated, Math.min(most, mean), quantiles);
  }

  private int outputTokensMax(RequestArrived request) {
    long withinContext = (long) maxModelTokens + 1 - request.promptTokens();
    return (int) Math.min(request.maxOutputTokens(), withinContext);
  }

  private void complete(StepCompleted done) {
    StepPlan plan = flights.get(done.device()).remove();
    ordered.takenAlong(plan);
    for (int i = 0; i < plan.size(); i++) {
      Track track = track(plan.sequences().get(i));
      if (track.wasted) {
        continue;
      }
      track.computedTokens = plan.computedTokens().get(i) + plan.newTokens().get(i);
      if (track.computedTokens == track.totalTokens) {
        track.totalTokens++;
        if (track.outputTokens() == 1) {
          fork(plan.sequences().get(i), track);
        }
      }
    }
    waste(done.ended());
  }

  /// Steps that ran ahead of a failure count for nothing, until the sequence is computed again.
  private void fail(StepPlan plan) {
    waste(plan.sequences());
    ordered.takenAlong(plan).forEach(transfer -> waste(transfer.sequences()));
  }

  /// Steps in flight on other devices may be using what lay there, too.
  private void failPlace(int place) {
    flights.forEach(queue -> queue.forEach(plan -> waste(plan.sequencesAt(place))));
  }

  private void waste(Ints sequences) {
    for (int i = 0; i < sequences.size(); i++) {
      Track track = tracks.get(sequences.get(i));
      if (track != null) {
        track.wasted = true;
      }
    }
  }

  private void fork(int sequence, Track parent) {
    if (sequence != parent.request.firstSequence()) {
      return;
    }
    for (int i = 1; i < parent.request.samples(); i++) {
      Track child = new Track(parent.request, parent.totalTokens);
      child.computedTokens = parent.computedTokens;
      tracks.put(sequence + i, child);
    }
  }

  private void preempt(SequencePreempted preempted) {
    if (preempted.kind() == PreemptionKind.RECOMPUTE) {
      Track track = track(preempted.sequence());
      track.computedTokens = 0;
      track.wasted = false;
    }
  }

  private void reject(RequestRejected rejected) {
    for (int i = 0; i < rejected.samples(); i++) {
      if (tracks.get(rejected.firstSequence() + i) != null) {
        tracks.remove(rejected.firstSequence() + i);
      }
    }
  }

  private void finish(SequenceFinished finished) {
    Track track = track(finished.sequence());
    tracks.remove(finished.sequence());
    int output = track.outputTokens();
    FinishReason reason = finished.reason();
    predictor.observe(track.request.promptTokens(), output, reason != FinishReason.STOP);
    if (reason == FinishReason.STOP || reason == FinishReason.LENGTH) {
      for (Moment moment : track.moments) {
        moment.sample().resolve(moment.slot(), output, tally);
      }
    }
  }

  private Track track(int sequence) {
    Track track = tracks.get(sequence);
    if (track == null) {
      throw new IllegalStateException("sequence %d is not live".formatted(sequence));
    }
    return track;
  }

  /// The figures so far: those of the sequences that have ended.
  public PredictionFigures figures() {
    return tally.figures(kind);
  }

  /// The predictor as it is now.
  public LengthPredictor predictor() {
    return predictor;
  }
}
