package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A summand of a fitted step time, linear in stretches of one feature.
///
/// @param name what it stands for, for people
/// @param steps which steps it counts in; in the others it is 0
/// @param by the feature whose value chooses the segment
/// @param segments by ascending end, the last without one
public record FittedTerm(
    String name, StepKind steps, StepFeature by, List<FittedSegment> segments) {

  public FittedTerm {
    Check.text("name", name);
    segments = List.copyOf(segments);
    long previous = -1;
    for (FittedSegment segment : segments) {
      if (segment.upTo() <= previous) {
        throw new ProfileException(
            "term %s: upTo %d follows %d, must ascend".formatted(name, segment.upTo(), previous));
      }
      previous = segment.upTo();
    }
    if (previous != FittedSegment.REST) {
      throw new ProfileException(
          "term %s: the last segment must have no upTo, it covers all larger values"
              .formatted(name));
    }
  }

  static FittedTerm from(JsonReader json) {
    return new FittedTerm(
        json.text("name"),
        json.has("steps") ? steps(json) : StepKind.ALL,
        feature(json),
        json.objects("segments").stream().map(FittedSegment::from).toList());
  }

  private static StepKind steps(JsonReader json) {
    String label = json.text("steps");
    return Arrays.stream(StepKind.values())
        .filter(kind -> kind.label().equals(label))
        .findFirst()
        .orElseThrow(() ->
            json.problem(
                "steps",
                "is %s, must be one of %s"
                    .formatted(
                        label,
                        Arrays.stream(StepKind.values())
                            .map(StepKind::label)
                            .collect(Collectors.joining(", ")))));
  }

  private static StepFeature feature(JsonReader json) {
    String label = json.text("by");
    Stream<StepFeature> all = Arrays.stream(StepFeature.values());
    return all.filter(feature -> feature.label().equals(label))
        .findFirst()
        .orElseThrow(() ->
            json.problem(
                "by",
                "is %s, must be one of %s"
                    .formatted(
                        label,
                        String.join(
                            ", ",
                            Arrays.stream(StepFeature.values())
                                .map(StepFeature::label)
                                .toList()))));
  }

  FittedTerm stretched(double factor) {
    return new FittedTerm(
        name, steps, by, segments.stream().map(each -> each.stretched(factor)).toList());
  }

  /// The same with every number to as many digits as a file keeps.
  FittedTerm rounded() {
    return new FittedTerm(name, steps, by, segments.stream().map(FittedSegment::rounded).toList());
  }

  void writeTo(ObjectNode json) {
    json.put("name", name);
    if (steps != StepKind.ALL) {
      json.put("steps", steps.label());
    }
    json.put("by", by.label());
    for (FittedSegment segment : segments) {
      segment.writeTo(json.withArray("segments").addObject());
    }
  }
}
