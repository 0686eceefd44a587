package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.cost.CostEstimator;
import io.fusespill.engine.cost.StepLoad;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.RooflineModel;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What policies believe of a roofline is the roofline: the estimator and the model agree on every
/// step. What they believe of other times is near them at all sizes of a step.
class BelievedCostsTest {

  private static final int[] DECODES = {0, 1, 3, 16, 64, 200};
  private static final int[] CONTEXTS = {1, 17, 300, 2_048, 20_000};
  private static final int[] CHUNKS = {0, 1, 8, 64, 512, 2_048, 8_192};
  private static final int[] BEFORE = {0, 100, 4_000};
  private static final EngineLimits LIMITS = new EngineLimits(256, 16_384, 1 << 20, 3, 0);

  static Stream<Arguments> rooflines() {
    Stream<Arguments> single =
        HardwareProfiles.names().stream()
            .flatMap(hardware ->
                Stream.of("vicuna-7b", "llama-3.1-8b", "qwen3-0.6b", "llama-2-70b")
                    .map(model ->
                        Arguments.of(
                            hardware + " " + model,
                            new RooflineModel(
                                HardwareProfiles.named(hardware),
                                ModelProfiles.named(model),
                                16))));
    Stream<Arguments> groups =
        Stream.of("a10:tp=2", "rtx-4090+rtx-3090")
            .map(device ->
                Arguments.of(
                    device,
                    new RooflineModel(
                        DeviceSpec.parse(device).group(),
                        LinkProfiles.named("pcie4"),
                        ModelProfiles.named("vicuna-7b"),
                        16)));
    return Stream.concat(single, groups);
  }

  private static CostEstimator estimator(StepCosts device, StepCosts host) {
    return new CostEstimator(
        new EngineConfig(
            new KvLayout(16, 1, 1),
            LIMITS,
            new Topology(
                List.of(Place.device(0, "gpu", 8), Place.attendingHost(1, "host", 8)), List.of()),
            PolicySpec.of("any"),
            List.of(device, host),
            EngineConfig.NO_PREDICTOR));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rooflines")
  void estimates_areWithinOnePercentOfTheRoofline(String name, RooflineModel model) {
    CostEstimator estimator = estimator(BelievedCosts.of(model, LIMITS), StepCosts.NONE);
    for (int decodes : DECODES) {
      for (int context : CONTEXTS) {
        for (int chunk : CHUNKS) {
          for (int before : BEFORE) {
            if (decodes + chunk > 0) {
              assertAgree(model, estimator, decodes, context, chunk, before, 0.01);
            }
          }
        }
      }
    }
  }

  /// Kernels as they are measured: tiles of 64 tokens, of which four cost what one does, and
  /// nothing said beyond 2,048 tokens, where the last tile goes on.
  private record Tiles() implements StepTimeModel {

    @Override
    public long nanos(StepShape shape) {
      int tiles = Math.min(32, (shape.computedTokens() + 63) / 64);
      return 15_000_000
          + 25_000L * Math.min(2_048, shape.computedTokens())
          + 3_500_000L * Math.max(0, tiles - 4)
          + 150 * shape.decodeContextTokens()
          + 9_000L * shape.decodes();
    }

    @Override
    public StepCost breakdown(StepShape shape) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void timesThatGoUpInSteps_areMetAtEverySizeThatAStepMayHave() {
    Tiles model = new Tiles();
    EngineLimits limits = new EngineLimits(256, 2_048, 1 << 20, 3, 0);
    CostEstimator estimator = estimator(BelievedCosts.of(model, limits), StepCosts.NONE);
    for (int tokens = 1; tokens <= 2_048; tokens += 1 + tokens / 5) {
      StepLoad load = new StepLoad();
      load.addPrefill(0, tokens);
      StepShape shape = new StepShape(0, 0, 1, tokens, StepShape.pairs(0, tokens), tokens, 1);
      assertThat((double) estimator.stepNanos(0, load, 0, 1) / model.nanos(shape))
          .as("%,d tokens", tokens)
          .isCloseTo(1, within(0.1));
    }
    for (int decodes : new int[] {1, 20, 64, 200}) {
      assertAgree(model, estimator, decodes, 300, 0, 0, 0.1);
    }
  }

  /// From 120 tokens on as if the step had begun 2 ms before it does.
  private record Late() implements StepTimeModel {

    @Override
    public long nanos(StepShape shape) {
      return Math.max(10_000_000, 100_000L * shape.computedTokens() - 2_000_000);
    }

    @Override
    public StepCost breakdown(StepShape shape) {
      throw new UnsupportedOperationException();
    }
  }

  /// The line through the two ends would need a constant below 0. What is told besides has its
  /// error where the times bend.
  @Test
  void timesThatBeginBelowZero_areMetBesideTheirBend() {
    Late model = new Late();
    CostEstimator estimator = estimator(BelievedCosts.of(model, LIMITS), StepCosts.NONE);
    for (int tokens : new int[] {1, 16, 64, 512, 2_048, 16_384}) {
      StepLoad load = new StepLoad();
      load.addPrefill(0, tokens);
      StepShape shape = new StepShape(0, 0, 1, tokens, 0, tokens, 1);
      assertThat((double) estimator.stepNanos(0, load, 0, 1) / model.nanos(shape))
          .as("%,d tokens", tokens)
          .isCloseTo(1, within(0.1));
    }
  }

  /// A row of vicuna-7b is a mebibyte: 1.05 s over this link.
  @Test
  void costBeyondTheLargest_isBelievedToBeThat() {
    LinkProfile slow = new LinkProfile("slow", "", 1_000_000, 1_000_000, 0, 0, Map.of());
    HostAttentionModel model =
        new HostAttentionModel(
            HardwareProfiles.named("xeon-8358p"), slow, 1, ModelProfiles.named("vicuna-7b"));
    assertThat(BelievedCosts.of(model).decodePicos()).isEqualTo(StepCosts.TERM_MAX);
  }

  private static void assertAgree(
      StepTimeModel model,
      CostEstimator estimator,
      int decodes,
      int context,
      int chunk,
      int before,
      double tolerance) {
    StepLoad load = new StepLoad();
    for (int i = 0; i < decodes; i++) {
      load.addDecode(context - 1);
    }
    int prefills = chunk > 0 ? 1 : 0;
    if (prefills > 0) {
      load.addPrefill(before, chunk);
    }
    StepShape shape =
        new StepShape(
            decodes,
            (long) decodes * context,
            prefills,
            chunk,
            StepShape.pairs(before, chunk),
            decodes + chunk,
            decodes + prefills);
    double estimated = estimator.stepNanos(0, load, 0, 1);
    assertThat(estimated / model.nanos(shape))
        .as("%s: estimated %,.0f of %,d ns", shape, estimated, model.nanos(shape))
        .isCloseTo(1, within(tolerance));
  }

  @Test
  void attendingHost_isBelievedToThePicosecond() {
    HostAttentionModel host =
        new HostAttentionModel(
            HardwareProfiles.named("xeon-8358p"),
            LinkProfiles.named("pcie4"),
            1,
            ModelProfiles.named("vicuna-7b"));
    CostEstimator estimator = estimator(StepCosts.NONE, BelievedCosts.of(host));
    for (int rows : DECODES) {
      for (int context : CONTEXTS) {
        for (int devices = 1; devices <= 3; devices++) {
          double estimated = estimator.attendNanos(1, rows, (long) rows * context, devices);
          assertThat(estimated / host.nanos(rows, (long) rows * context, devices))
              .isCloseTo(1, within(0.0001));
        }
      }
    }
  }
}
