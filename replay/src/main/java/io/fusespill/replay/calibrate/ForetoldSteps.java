package io.fusespill.replay.calibrate;

import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import java.util.ArrayList;
import java.util.List;

/// What the measured steps of one place took, and what a profile says of the very same steps: so
/// far the profile is off by itself, or the machine was not as fast as when it was measured,
/// however steps were planned.
///
/// @param steps how many
/// @param liveNanos what they took together
/// @param foretoldNanos what the profile says, above 0
/// @param partErrors the same by at most [#PARTS] parts of about as many steps each, in order of
///   time; per cent
public record ForetoldSteps(
    String place, int steps, long liveNanos, long foretoldNanos, List<Double> partErrors) {

  /// Parts that a run is looked at by.
  public static final int PARTS = 10;

  static ForetoldSteps of(String place, FittedPlace fitted, List<StepSample> samples) {
    FittedModel model = new FittedModel(fitted);
    List<Double> errors = new ArrayList<>();
    long live = 0;
    long foretold = 0;
    for (int part = 0; part < PARTS; part++) {
      int from = (int) ((long) samples.size() * part / PARTS);
      int to = (int) ((long) samples.size() * (part + 1) / PARTS);
      long partLive = 0;
      long partForetold = 0;
      for (StepSample sample : samples.subList(from, to)) {
        partLive += sample.nanos();
        partForetold += model.nanos(sample.shape());
      }
      if (from < to) {
        errors.add(percent(partLive, partForetold));
      }
      live += partLive;
      foretold += partForetold;
    }
    return new ForetoldSteps(place, samples.size(), live, foretold, List.copyOf(errors));
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
