package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A calibrated step time as a file holds it. `docs/cost-profile-format.md` describes the format.
///
/// @param hardware name of the hardware profile it was measured on
/// @param model name of the model profile it was measured with
/// @param blockTokens tokens a KV block held
/// @param source how and when it was measured
/// @param ranges what was measured, for each feature that has a coefficient
/// @param segments by ascending number of decodes, the last without an end
public record FittedProfile(
    String name,
    String hardware,
    String model,
    int blockTokens,
    String source,
    Map<StepFeature, FeatureRange> ranges,
    List<FittedSegment> segments,
    FitErrors errors) {

  /// The version of the file format that this reads.
  public static final int FORMAT_VERSION = 1;

  public FittedProfile {
    Check.text("name", name);
    Check.text("hardware", hardware);
    Check.text("model", model);
    Check.range("blockTokens", blockTokens, 1, 1_024);
    ranges = StepFeature.ordered(ranges);
    segments = List.copyOf(segments);
    checkSegments(segments);
    for (FittedSegment segment : segments) {
      checkRanges(segment, ranges);
    }
  }

  public static FittedProfile read(Path file) {
    return JsonReader.read(file, FittedProfile::from);
  }

  /// Throws [ProfileException] if this was measured for something else.
  public void requireMatch(String hardware, String model, int blockTokens) {
    if (!this.hardware.equals(hardware)
        || !this.model.equals(model)
        || this.blockTokens != blockTokens) {
      throw new ProfileException(
          """
          cost profile %s was fitted to %s, %s, blocks of %d, but this run is %s, %s, blocks of %d: \
          calibrate for it or take the roofline\
          """
              .formatted(
                  name, this.hardware, this.model, this.blockTokens, hardware, model, blockTokens));
    }
  }

  static FittedProfile from(JsonReader json) {
    Check.range("formatVersion", json.whole("formatVersion"), FORMAT_VERSION, FORMAT_VERSION);
    return new FittedProfile(
        json.text("name"),
        json.text("hardware"),
        json.text("model"),
        json.count("blockTokens"),
        json.text("source"),
        ranges(json.object("ranges")),
        json.objects("segments").stream().map(FittedSegment::from).toList(),
        FitErrors.from(json.object("fitErrors")));
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

  private static void checkSegments(List<FittedSegment> segments) {
    int previous = -1;
    for (FittedSegment segment : segments) {
      if (segment.decodesMax() <= previous) {
        throw new ProfileException(
            "segments: decodesMax %d follows %d, must ascend"
                .formatted(segment.decodesMax(), previous));
      }
      previous = segment.decodesMax();
    }
    if (previous != Integer.MAX_VALUE) {
      throw new ProfileException(
          "segments: the last one must have no decodesMax, it covers all larger batches");
    }
  }

  private static void checkRanges(FittedSegment segment, Map<StepFeature, FeatureRange> ranges) {
    for (StepFeature feature : segment.nanosPer().keySet()) {
      if (!ranges.containsKey(feature)) {
        throw new ProfileException(
            "ranges.%s is missing, must say what was measured".formatted(feature.label()));
      }
    }
  }
}
