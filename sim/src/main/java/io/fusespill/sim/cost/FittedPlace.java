package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The step time of one place as it was measured.
///
/// @param place name of the place
/// @param hardware name of the hardware profile
/// @param padded whether steps take the time of the padding that their plans have; executors that
///   compute none do not
/// @param ranges what was measured, for each feature that has a coefficient or chooses a segment
/// @param terms the summands of a step's time
/// @param remote what a step takes longer where another place attends; null where that was not
///   measured
/// @param errors over all held-out steps
/// @param regions the same errors by kind of step
public record FittedPlace(
    String place,
    String hardware,
    boolean padded,
    Map<StepFeature, FeatureRange> ranges,
    List<FittedTerm> terms,
    @Nullable FittedRemote remote,
    FitErrors errors,
    List<RegionErrors> regions) {

  public FittedPlace {
    Check.text("place", place);
    Check.text("hardware", hardware);
    Map<StepFeature, FeatureRange> measured = StepFeature.ordered(ranges);
    ranges = measured;
    terms = List.copyOf(terms);
    regions = List.copyOf(regions);
    Check.range("terms", terms.size(), 1, Integer.MAX_VALUE);
    for (FittedTerm term : terms) {
      if (term.segments().size() > 1) {
        requireRange(term.by(), measured);
      }
      term.segments().stream()
          .flatMap(segment -> segment.nanosPer().keySet().stream())
          .forEach(feature -> requireRange(feature, measured));
    }
  }

  private static void requireRange(StepFeature feature, Map<StepFeature, FeatureRange> ranges) {
    if (!ranges.containsKey(feature)) {
      throw new ProfileException(
          "ranges.%s is missing, must say what was measured".formatted(feature.label()));
    }
  }

  static FittedPlace from(JsonReader json) {
    return new FittedPlace(
        json.text("place"),
        json.text("hardware"),
        !json.has("padded") || json.flag("padded"),
        ranges(json.object("ranges")),
        json.objects("terms").stream().map(FittedTerm::from).toList(),
        json.has("remote") ? FittedRemote.from(json.object("remote")) : null,
        FitErrors.from(json.object("heldOut")),
        json.has("regions")
            ? json.objects("regions").stream().map(RegionErrors::from).toList()
            : List.of());
  }

  private static Map<StepFeature, FeatureRange> ranges(JsonReader json) {
    Map<StepFeature, FeatureRange> ranges = new EnumMap<>(StepFeature.class);
    for (StepFeature feature : StepFeature.values()) {
      if (json.has(feature.label())) {
        List<Long> ends = json.wholes(feature.label());
        if (ends.size() != 2) {
          throw json.problem(feature.label(), "is %s, must be [min, max]".formatted(ends));
        }
        ranges.put(feature, new FeatureRange(ends.getFirst(), ends.getLast()));
      }
    }
    return ranges;
  }

  /// The same place, each of whose steps takes `factor` times as long; errors are those of the
  /// original.
  ///
  /// @param factor finite, at least 0
  public FittedPlace stretched(double factor) {
    return new FittedPlace(
        place,
        hardware,
        padded,
        ranges,
        terms.stream().map(each -> each.stretched(factor)).toList(),
        remote == null ? null : remote.stretched(factor),
        errors,
        regions);
  }

  FittedPlace rounded() {
    return new FittedPlace(
        place,
        hardware,
        padded,
        ranges,
        terms.stream().map(FittedTerm::rounded).toList(),
        remote == null ? null : remote.rounded(),
        errors,
        regions);
  }

  void writeTo(ObjectNode json) {
    json.put("place", place);
    json.put("hardware", hardware);
    if (!padded) {
      json.put("padded", false);
    }
    ObjectNode measured = json.putObject("ranges");
    ranges.forEach(
        (feature, range) -> measured.putArray(feature.label()).add(range.min()).add(range.max()));
    terms.forEach(term -> term.writeTo(json.withArray("terms").addObject()));
    if (remote != null) {
      remote.writeTo(json.putObject("remote"));
    }
    errors.writeTo(json.putObject("heldOut"));
    regions.forEach(region -> region.writeTo(json.withArray("regions").addObject()));
  }
}
