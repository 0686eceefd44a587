package io.fusespill.cli;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.host.exec.DeviceBench.Part;
import io.fusespill.live.StepGrid;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepShape;
import java.util.List;

/// The grid of `profile-device` as shapes of steps.
final class GridShapes {

  private static final long SEED = 0;

  private GridShapes() {}

  /// Those within what a profile was measured on, and the longest sequence of a run.
  static List<StepShape> within(FittedProfile profile, EngineConfig config) {
    StepGrid.Bounds bounds =
        new StepGrid.Bounds(
            (int) largest(profile, StepFeature.DECODES) + 1,
            (int)
                Math.max(
                    largest(profile, StepFeature.PREFILL_TOKENS),
                    largest(profile, StepFeature.COMPUTED_TOKENS)),
            config.limits().maxModelTokens(),
            config.kv().blockTokens(),
            Place.MAX_BLOCKS);
    return StepGrid.of(bounds, StepGrid.Fineness.FULL, SEED).stream()
        .map(GridShapes::shape)
        .toList();
  }

  private static long largest(FittedProfile profile, StepFeature feature) {
    return profile.places().stream()
        .map(place -> place.ranges().get(feature))
        .mapToLong(range -> range == null ? 1 : range.max())
        .max()
        .orElse(1);
  }

  private static StepShape shape(List<Part> parts) {
    int decodes = 0;
    long context = 0;
    int prefills = 0;
    long prefillTokens = 0;
    long pairs = 0;
    int tokens = 0;
    for (Part part : parts) {
      tokens += part.tokens();
      if (part.isDecode()) {
        decodes++;
        context += part.after();
      } else {
        prefills++;
        prefillTokens += part.tokens();
        pairs += StepShape.pairs(part.before(), part.tokens());
      }
    }
    return new StepShape(decodes, context, prefills, prefillTokens, pairs, tokens, parts.size());
  }
}
