package io.fusespill.replay.calibrate;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.replay.timeline.StepSpan;
import io.fusespill.replay.timeline.TransferSpan;
import io.fusespill.replay.timeline.WorkSpans;
import io.fusespill.sim.calibrate.StepFit;
import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.calibrate.SubmitFit;
import io.fusespill.sim.calibrate.SubmitSample;
import io.fusespill.sim.calibrate.TransferFit;
import io.fusespill.sim.calibrate.TransferSample;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.ProfileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The times of steps and transfers that logs tell, by place and by link, as a fold over them.
///
/// A step's time is what its device says, else what passed since it was planned or since the step
/// before it was done, whichever is later. Of a device that tells, two more times are known: what
/// passes between a step's end and the start of one that waited in its queue, which the fit adds to
/// every step; and what passes more where the next step was only planned in answer, which is the
/// time of submitting. A device's first step of a log says nothing of that: the process that ran it
/// was only about to begin. Steps that failed or only copy are no measurements, and neither are
/// those behind ordered transfers where the device does not tell.
public final class Measurements {

  /// What is known of one place.
  private static final class PlaceTimes {
    final List<Timed> steps = new ArrayList<>();
    final Gaps queued = new Gaps();
    final List<Answered> answered = new ArrayList<>();
  }

  /// A step's own time, and whether its device told it.
  private record Timed(StepShape shape, long nanos, boolean told) {}

  /// How long a step of so many sequences waited that was planned in answer.
  private record Answered(int sequences, long nanos) {}

  /// A link by the names of its ends.
  private record Ends(String from, String to) implements Comparable<Ends> {
    @Override
    public int compareTo(Ends other) {
      int order = from.compareTo(other.from);
      return order == 0 ? to.compareTo(other.to) : order;
    }
  }

  private final Map<String, PlaceTimes> places = new TreeMap<>();
  private final Map<Ends, List<TransferSample>> transfers = new TreeMap<>();
  private final List<String> order = new ArrayList<>();
  private List<TransferSpan> ordered = new ArrayList<>();
  private long[] endedNanos = {};
  private boolean[] begun = {};
  private WorkSpans work = new WorkSpans(this::step, this::transfer);
  private int blockTokens;
  private long blockBytes;
  private List<Place> topology = List.of();
  private List<Link> links = List.of();

  /// Takes the next event of a log. Each log begins with `RunStarted`; several may follow one
  /// another.
  ///
  /// @throws ProfileException if a log's blocks hold another number of tokens than those before, or
  ///   take other memory
  public void accept(EngineEvent event) {
    if (event instanceof RunStarted run) {
      start(run.config());
    }
    work.accept(event);
  }

  private void start(EngineConfig config) {
    if (blockTokens != 0 && blockTokens != config.kv().blockTokens()) {
      throw new ProfileException(
          "blocks hold %d tokens in one run and %d in another: a profile is of one block size"
              .formatted(blockTokens, config.kv().blockTokens()));
    }
    if (blockBytes != 0 && blockBytes != config.kv().blockBytes()) {
      throw new ProfileException(
          "blocks take %,d bytes in one run and %,d in another: a profile is of one type of KV"
              .formatted(blockBytes, config.kv().blockBytes()));
    }
    blockTokens = config.kv().blockTokens();
    blockBytes = config.kv().blockBytes();
    topology = config.topology().places();
    links = config.topology().links();
    endedNanos = new long[topology.size()];
    begun = new boolean[topology.size()];
    ordered = new ArrayList<>();
    work = new WorkSpans(this::step, this::transfer);
    for (Place place : topology) {
      if (place.computes() && !order.contains(place.name())) {
        order.add(place.name());
      }
    }
  }

  private void step(StepSpan span) {
    int device = span.plan().device();
    long since = Math.max(span.plannedNanos(), endedNanos[device]);
    boolean queued = span.plannedNanos() < endedNanos[device];
    endedNanos[device] = span.endNanos();
    boolean first = !begun[device];
    begun[device] = true;
    List<TransferSpan> before = ordered;
    ordered = new ArrayList<>();
    if (span.failure() != null || span.plan().size() == 0) {
      return;
    }
    PlaceTimes times =
        places.computeIfAbsent(topology.get(device).name(), name -> new PlaceTimes());
    boolean told = span.busyNanos() > 0;
    long spanned = span.endNanos() - since;
    long nanos = told ? span.busyNanos() : spanned;
    if (nanos > 0 && (told || before.isEmpty())) {
      times.steps.add(new Timed(StepShape.of(span.plan()), nanos, told));
    }
    if (told) {
      long gap = spanned - span.busyNanos();
      if (!before.isEmpty()) {
        orderedTransfers(before, gap, queued);
      } else if (queued) {
        times.queued.add(gap);
      } else if (!first) {
        times.answered.add(new Answered(span.plan().size(), gap));
      }
    }
  }

  private void transfer(TransferSpan span) {
    if (span.estimated()) {
      ordered.add(span);
    } else if (span.failure() == null && span.nanos() > 0 && span.bytes() > 0) {
      samples(span.link()).add(new TransferSample(foundIdle(span), span.bytes(), span.nanos()));
    }
  }

  /// Copies in front of a step had all the time until the device was at work on it; their way to
  /// the link passed while it was at work on the step before, if it was. Over several links at
  /// once, nobody knows which took how long.
  private void orderedTransfers(List<TransferSpan> spans, long nanos, boolean queued) {
    long bytes = spans.stream().mapToLong(TransferSpan::bytes).sum();
    boolean oneLink = spans.stream().mapToInt(TransferSpan::link).distinct().count() == 1;
    if (oneLink && nanos > 0 && bytes > 0) {
      samples(spans.getFirst().link())
          .add(new TransferSample(!queued && foundIdle(spans.getFirst()), bytes, nanos));
    }
  }

  /// Whether its link was idle when it was planned.
  private static boolean foundIdle(TransferSpan span) {
    return span.startNanos() == span.plannedNanos();
  }

  private List<TransferSample> samples(int link) {
    Ends ends =
        new Ends(
            topology.get(links.get(link).from()).name(), topology.get(links.get(link).to()).name());
    return transfers.computeIfAbsent(ends, each -> new ArrayList<>());
  }

  /// Steps that were measured.
  public int steps() {
    return places.values().stream().mapToInt(each -> each.steps.size()).sum();
  }

  /// Transfers that were measured.
  public int transfers() {
    return transfers.values().stream().mapToInt(List::size).sum();
  }

  /// Places that are not fitted, because too few of their steps were measured: how many, by name.
  public Map<String, Integer> placesLeftOut() {
    Map<String, Integer> few = new TreeMap<>();
    places.forEach((place, times) -> {
      if (times.steps.size() < StepFit.SAMPLES_MIN) {
        few.put(place, times.steps.size());
      }
    });
    return few;
  }

  /// Links that are not fitted, because too few transfers over them were measured: how many, by
  /// `from > to`.
  public Map<String, Integer> linksLeftOut() {
    Map<String, Integer> few = new TreeMap<>();
    transfers.forEach((ends, samples) -> {
      if (samples.size() < TransferFit.SAMPLES_MIN) {
        few.put(ends.from() + " > " + ends.to(), samples.size());
      }
    });
    return few;
  }

  /// What the steps of a place took, and what a profile says of them; null where none was measured.
  /// Steps whose attention is elsewhere count only where the profile was fitted to such.
  ///
  /// @param fitted the profile's times for that place
  /// @param queuedNanos what the profile's steps have of the gap in front of a queued one; taken
  ///   for a run that queued none
  public @Nullable ForetoldSteps foretold(String place, FittedPlace fitted, long queuedNanos) {
    PlaceTimes times = places.get(place);
    List<StepSample> samples =
        times == null
            ? List.of()
            : samples(times, queuedNanos(times, queuedNanos)).stream()
                .filter(each -> fitted.remote() != null || each.shape().remoteRows() == 0)
                .toList();
    return samples.isEmpty() ? null : ForetoldSteps.of(place, fitted, samples);
  }

  /// The profile of these measurements.
  ///
  /// @param padded whether the steps computed the padding that their plans have
  /// @param hardware tells the hardware of a place by its name
  /// @throws ProfileException if no place has enough measured steps
  public FittedProfile fit(
      String name, String model, String source, boolean padded, UnaryOperator<String> hardware) {
    return fit(name, model, source, padded, hardware, null);
  }

  /// The profile of these measurements, laid over another: what they say nothing of is as there, at
  /// the level of what they do say.
  ///
  /// @param padded whether the steps computed the padding that their plans have
  /// @param base the other; null for none
  /// @throws ProfileException if no place has enough measured steps, or the other is of another
  ///   model, hardware or block size
  public FittedProfile fit(
      String name,
      String model,
      String source,
      boolean padded,
      UnaryOperator<String> hardware,
      @Nullable Base base) {
    List<FittedPlace> fitted = new ArrayList<>();
    for (String place : order) {
      PlaceTimes times = places.get(place);
      if (times != null && times.steps.size() >= StepFit.SAMPLES_MIN) {
        String machine = hardware.apply(place);
        List<StepSample> samples = samples(times, queuedNanos(times, otherwise(base)));
        fitted.add(
            base == null
                ? StepFit.of(place, machine, padded, samples)
                : base.refined(place, machine, model, blockTokens, padded, samples));
      }
    }
    if (fitted.isEmpty()) {
      throw new ProfileException(
          "%,d measured steps, must be at least %d on one place: measure a longer run"
              .formatted(steps(), StepFit.SAMPLES_MIN));
    }
    List<FittedLink> fittedLinks = new ArrayList<>();
    transfers.forEach((ends, samples) -> {
      if (samples.size() >= TransferFit.SAMPLES_MIN) {
        fittedLinks.add(TransferFit.of(ends.from(), ends.to(), samples));
      }
    });
    if (base != null) {
      base.addWhatIsMissing(fitted, fittedLinks, submitLatency(base));
    }
    return new FittedProfile(
            name,
            model,
            blockTokens,
            blockBytes,
            source,
            submitLatency(base),
            queuedNanos(base),
            fitted,
            fittedLinks)
        .rounded();
  }

  private static List<StepSample> samples(PlaceTimes times, long gap) {
    return times.steps.stream()
        .map(step -> new StepSample(step.shape(), step.told() ? step.nanos() + gap : step.nanos()))
        .toList();
  }

  /// What passes in front of a queued step; `otherwise` where none was queued.
  private static long queuedNanos(PlaceTimes times, long otherwise) {
    return times.queued.count() == 0 ? otherwise : Math.round(times.queued.usual());
  }

  private static long otherwise(@Nullable Base base) {
    return base == null ? 0 : base.queuedNanos();
  }

  /// Over all places, what passes in front of a queued step.
  private long queuedNanos(@Nullable Base base) {
    double sum = 0;
    long count = 0;
    for (PlaceTimes times : places.values()) {
      sum += times.queued.count() * times.queued.usual();
      count += times.queued.count();
    }
    return count == 0 ? otherwise(base) : Math.round(sum / count);
  }

  /// Over all places, what an answered step waits longer than a queued one.
  private SubmitLatency submitLatency(@Nullable Base base) {
    List<SubmitSample> samples = new ArrayList<>();
    for (PlaceTimes times : places.values()) {
      long queued = queuedNanos(times, otherwise(base));
      for (Answered step : times.answered) {
        samples.add(new SubmitSample(step.sequences(), step.nanos() - queued));
      }
    }
    return samples.isEmpty() && base != null ? base.submitLatency() : SubmitFit.of(samples);
  }
}
