package io.fusespill.replay.calibrate;

import io.fusespill.sim.calibrate.StepFit;
import io.fusespill.sim.calibrate.StepRegion;
import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.SubmitLatency;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// A profile under measurements: for steps of which they tell nothing, it stands in with what it
/// foretells, stretched until it agrees with them where both say something of steps of the kind.
///
/// @param shapes steps that it is asked for; those outside its ranges are passed over
public record Base(FittedProfile profile, List<StepShape> shapes) {

  /// Sequences of a step whose way to the device is compared.
  private static final int USUAL_SEQUENCES = 32;

  /// Fewer measured steps of a kind do not tell its level.
  private static final int LEVEL_MIN = 30;

  public Base {
    shapes = List.copyOf(shapes);
  }

  long queuedNanos() {
    return profile.queuedNanos();
  }

  SubmitLatency submitLatency() {
    return profile.submitLatency();
  }

  /// A place fitted to what was measured and to what stands in.
  ///
  /// @throws io.fusespill.sim.profile.ProfileException if the profile is not of that place, or the
  ///   steps are too few
  FittedPlace refined(
      String place,
      String hardware,
      String model,
      int blockTokens,
      boolean padded,
      List<StepSample> measured) {
    FittedPlace known = profile.place(place, hardware, model, blockTokens);
    return StepFit.of(place, hardware, padded, known.terms(), with(known, measured));
  }

  /// The measured samples behind those that stand in. A level that differs from the profile's by no
  /// more than the profile's own error tells nothing of steps of other kinds.
  private List<StepSample> with(FittedPlace known, List<StepSample> measured) {
    FittedModel foretold = new FittedModel(known);
    double all = level(foretold, measured, shape -> true, 1);
    double others = 100 * Math.abs(all - 1) <= known.errors().meanPercent() ? 1 : all;
    Map<StepRegion, Double> levels = new EnumMap<>(StepRegion.class);
    List<StepSample> samples = new ArrayList<>();
    for (StepShape shape : shapes) {
      if (foretold.covers(shape)) {
        double level =
            levels.computeIfAbsent(
                StepRegion.of(shape),
                region -> level(foretold, measured, each -> StepRegion.of(each) == region, others));
        samples.add(new StepSample(shape, Math.max(1, Math.round(level * foretold.nanos(shape)))));
      }
    }
    // A run has thousands of steps of a few kinds, which must not outweigh all others. Copies lie
    // together, so that what is held out is not seen.
    long own = measured.stream().filter(sample -> sample.shape().remoteRows() == 0).count();
    int copies = (int) Math.max(1, own / Math.max(1, samples.size()));
    List<StepSample> weighed = new ArrayList<>();
    samples.forEach(sample -> weighed.addAll(Collections.nCopies(copies, sample)));
    weighed.addAll(measured);
    return weighed;
  }

  /// The median of measured over foretold.
  private static double level(
      FittedModel foretold,
      List<StepSample> measured,
      Predicate<StepShape> kind,
      double otherwise) {
    double[] ratios =
        measured.stream()
            .filter(sample -> kind.test(sample.shape()) && foretold.covers(sample.shape()))
            .mapToDouble(sample -> (double) sample.nanos() / foretold.nanos(sample.shape()))
            .sorted()
            .toArray();
    return ratios.length < LEVEL_MIN ? otherwise : ratios[ratios.length / 2];
  }

  /// Adds places and links of which nothing was measured: places as they are, links with a way to
  /// them that is as much longer as the way of a step to its device is.
  ///
  /// @param submitLatency as it was measured
  void addWhatIsMissing(
      List<FittedPlace> places, List<FittedLink> links, SubmitLatency submitLatency) {
    for (FittedPlace place : profile.places()) {
      if (places.stream().noneMatch(each -> each.place().equals(place.place()))) {
        places.add(place);
      }
    }
    double longer =
        Math.max(
            0, submitLatency.of(USUAL_SEQUENCES) - profile.submitLatency().of(USUAL_SEQUENCES));
    for (FittedLink link : profile.links()) {
      if (links.stream()
          .noneMatch(each -> each.from().equals(link.from()) && each.to().equals(link.to()))) {
        links.add(
            new FittedLink(
                link.from(),
                link.to(),
                link.latencyNanos() + longer,
                link.nanosPerByte(),
                link.bytes(),
                link.errors()));
      }
    }
  }
}
