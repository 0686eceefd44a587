package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import org.junit.jupiter.api.Test;

class FittedModelTest {

  private final FittedModel model =
      new FittedModel(FittedProfileTest.example().places().getFirst());

  @Test
  void nanos_isTheSumOfTheTerms() {
    assertThat(model.nanos(Shapes.decode(8, 100))).isEqualTo(2_000_000 + 8 * 25_000 + 800 * 40);
    assertThat(model.nanos(Shapes.decode(9, 100)))
        .isEqualTo(2_500_000 + 9 * 9_000 + 9 * 25_000 + 900 * 40);
    assertThat(model.nanos(Shapes.prefill(2, 100)))
        .isEqualTo(2_500_000 + 200 * 9_000 + 100_000 + 2 * 5_050 / 2);
    assertThat(model.extrapolations()).isZero();
    assertThat(model.outside()).isEmpty();
  }

  @Test
  void nanos_attentionElsewhere_countsWhatExceedsTheOwn() {
    StepShape few = new StepShape(4, 20_000, 0, 0, 0, 5, 5, 1, 10);
    StepShape many = new StepShape(4, 20_000, 0, 0, 0, 6, 6, 2, 1_000);

    assertThat(model.nanos(few, 99)).isEqualTo(2_000_000 + 4 * 25_000 + 20_000 * 40);
    assertThat(model.nanos(many, 99))
        .isEqualTo(2_000_000 + 4 * 25_000 + 700_000 + 2 * 60_000 + 1_000 * 4_000);
    assertThat(model.extrapolations()).isZero();
  }

  @Test
  void nanos_attentionElsewhereThatNobodyMeasured_takesTheComputedTimeAndCounts() {
    FittedPlace place = FittedProfileTest.example().places().getFirst();
    FittedModel alone = new FittedModel(place.terms(), null, place.ranges());
    StepShape shape = new StepShape(4, 2_000, 0, 0, 0, 5, 5, 1, 10);

    assertThat(alone.nanos(shape, 500_000))
        .isEqualTo(2_000_000 + 4 * 25_000 + 80_000 + (500_000 - 80_000));
    assertThat(alone.extrapolations()).isEqualTo(1);
  }

  @Test
  void breakdown_goesByFeature() {
    StepCost decode = model.breakdown(Shapes.decode(9, 100));
    assertThat(decode)
        .isEqualTo(new StepCost(0, 36_000, 0, 225_000, 0, 81_000, 0, 0, 2_500_000, false));

    StepCost prefill = model.breakdown(Shapes.prefill(2, 100));
    assertThat(prefill)
        .isEqualTo(new StepCost(0, 0, 0, 0, 5_050, 1_800_000, 0, 0, 2_600_000, false));
  }

  @Test
  void nanos_outsideARange_continuesTheLineAndCountsTheFeature() {
    StepShape edge = Shapes.decode(64, 1_024);
    StepShape outside = Shapes.decode(65, 100);

    assertThat(model.covers(edge)).isTrue();
    assertThat(model.covers(outside)).isFalse();
    assertThat(model.nanos(edge)).isEqualTo(2_500_000 + 64 * 34_000 + 65_536 * 40);
    assertThat(model.nanos(outside)).isEqualTo(2_500_000 + 65 * 34_000 + 6_500 * 40);
    assertThat(model.nanos(outside)).isEqualTo(2_500_000 + 65 * 34_000 + 6_500 * 40);
    assertThat(model.extrapolations()).isEqualTo(2);
    assertThat(model.outside()).containsExactly(entry(StepFeature.DECODES, 2L));
  }

  @Test
  void breakdown_outsideARange_saysSoAndDoesNotCount() {
    assertThat(model.breakdown(Shapes.decode(65, 100)).extrapolated()).isTrue();
    assertThat(model.extrapolations()).isZero();
  }

  @Test
  void covers_featureWithoutARange_isAnyValue() {
    assertThat(model.covers(new StepShape(1, 10, 0, 0, 0, 1, 1_000_000))).isTrue();
  }
}
