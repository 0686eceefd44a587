package io.fusespill.replay.calibrate;

import io.fusespill.sim.calibrate.StepRegion;
import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What the measured steps of one place took, and what a profile says of the very same steps: so
/// far the profile is off by itself, or the machine was not as fast as when it was measured,
/// however steps were planned.
///
/// @param steps how many
/// @param liveNanos what they took together
/// @param foretoldNanos what the profile says, above 0
/// @param partErrors the same by at most [#PARTS] parts of about as many steps each, in order of
///   time; per cent
/// @param kinds the same by steps that are alike, those that are there
public record ForetoldSteps(
    String place,
    int steps,
    long liveNanos,
    long foretoldNanos,
    List<Double> partErrors,
    List<Kind> kinds) {

  /// Parts that a run is looked at by.
  public static final int PARTS = 10;

  /// Steps that are alike.
  ///
  /// @param label which, in words: `9 to 32 decodes`
  public record Kind(String label, int steps, long liveNanos, long foretoldNanos) {

    /// As [ForetoldSteps#errorPercent].
    public double errorPercent() {
      return percent(liveNanos, foretoldNanos);
    }

    private Kind plus(Kind other) {
      return new Kind(
          label,
          steps + other.steps,
          liveNanos + other.liveNanos,
          foretoldNanos + other.foretoldNanos);
    }
  }

  static ForetoldSteps of(String place, FittedPlace fitted, List<StepSample> samples) {
    FittedModel model = new FittedModel(fitted);
    List<Double> errors = new ArrayList<>();
    Map<StepRegion, Kind> kinds = new EnumMap<>(StepRegion.class);
    long live = 0;
    long foretold = 0;
    for (int part = 0; part < PARTS; part++) {
      int from = (int) ((long) samples.size() * part / PARTS);
      int to = (int) ((long) samples.size() * (part + 1) / PARTS);
      long partLive = 0;
      long partForetold = 0;
      for (StepSample sample : samples.subList(from, to)) {
        long nanos = model.nanos(sample.shape());
        partLive += sample.nanos();
        partForetold += nanos;
        StepRegion region = StepRegion.of(sample.shape());
        kinds.merge(region, new Kind(region.label(), 1, sample.nanos(), nanos), Kind::plus);
      }
      if (from < to) {
        errors.add(percent(partLive, partForetold));
      }
      live += partLive;
      foretold += partForetold;
    }
    return new ForetoldSteps(
        place, samples.size(), live, foretold, List.copyOf(errors), List.copyOf(kinds.values()));
  }

  /// How far the profile is off, in per cent of what the steps took: below 0 where they took longer
  /// than it says.
  public double errorPercent() {
    return percent(liveNanos, foretoldNanos);
  }

  /// What the profile's steps are to be multiplied by to be as long together as the run's.
  public double factor() {
    return (double) liveNanos / foretoldNanos;
  }

  private static double percent(long live, long foretold) {
    return 100.0 * (foretold - live) / live;
  }
}
