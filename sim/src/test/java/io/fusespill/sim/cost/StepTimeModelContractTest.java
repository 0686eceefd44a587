package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What every step time model keeps.
class StepTimeModelContractTest {

  static Stream<StepTimeModel> models() {
    FittedTerm nothing =
        new FittedTerm(
            "nothing",
            StepKind.ALL,
            StepFeature.DECODES,
            List.of(new FittedSegment(FittedSegment.REST, 0, Map.of())));
    return Stream.concat(
        Stream.of(
            new FittedModel(List.of(nothing), null, Map.of()),
            new FittedModel(FittedProfileTest.example().places().getFirst()),
            new RooflineModel(
                DeviceSpec.parse("rtx-4090+rtx-3090").group(),
                LinkProfiles.named("pcie4"),
                ModelProfiles.named("llama-2-7b"),
                16)),
        HardwareProfiles.names().stream()
            .map(HardwareProfiles::named)
            .flatMap(hardware ->
                Stream.of("llama-2-7b", "llama-3.1-70b", "qwen3-0.6b")
                    .map(model -> new RooflineModel(hardware, ModelProfiles.named(model), 16))));
  }

  @ParameterizedTest
  @MethodSource("models")
  void nanos_isPositiveAndTheSumOfItsBreakdown(StepTimeModel model) {
    assertThat(model.nanos(new StepShape(0, 0, 0, 0, 0, 0, 0))).isPositive();
    for (StepShape shape : Shapes.grid()) {
      long nanos = model.nanos(shape);
      StepCost cost = model.breakdown(shape);

      assertThat(nanos).as(shape.toString()).isPositive();
      assertThat(cost.totalNanos()).as(shape.toString()).isEqualTo(nanos);
      assertThat(cost).satisfies(StepTimeModelContractTest::noPartIsNegative);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void nanos_sameShape_isTheSame(StepTimeModel model) {
    for (StepShape shape : Shapes.grid()) {
      assertThat(model.nanos(shape)).isEqualTo(model.nanos(shape));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void nanos_moreOfAnything_isNotLess(StepTimeModel model) {
    for (StepShape shape : Shapes.grid()) {
      StepShape more =
          new StepShape(
              shape.decodes(),
              2 * shape.decodeContextTokens(),
              shape.prefills(),
              shape.prefillTokens(),
              2 * shape.prefillContextPairs(),
              2 * shape.computedTokens(),
              2 * shape.sampledTokens());

      assertThat(model.nanos(more)).as(shape.toString()).isGreaterThanOrEqualTo(model.nanos(shape));
    }
  }

  private static void noPartIsNegative(StepCost cost) {
    assertThat(
            Stream.of(
                cost.weightsNanos(),
                cost.kvNanos(),
                cost.prefillLinearNanos(),
                cost.decodeLinearNanos(),
                cost.prefillAttentionNanos(),
                cost.activationNanos(),
                cost.headNanos(),
                cost.communicationNanos(),
                cost.overheadNanos()))
        .allMatch(nanos -> nanos >= 0);
  }
}
