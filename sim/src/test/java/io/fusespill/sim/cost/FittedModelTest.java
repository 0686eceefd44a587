package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FittedModelTest {

  private final FittedModel model = new FittedModel(FittedProfileTest.example());

  @Test
  void nanos_eachSegment_isItsLine() {
    assertThat(model.nanos(Shapes.decode(8, 100))).isEqualTo(2_000_000 + 800 * 40);
    assertThat(model.nanos(Shapes.decode(9, 100))).isEqualTo(3_000_000 + 9 * 25_000 + 900 * 44);
    assertThat(model.nanos(Shapes.prefill(2, 100)))
        .isEqualTo(2_000_000 + 200 * 9_000 + 2 * 5_050 / 2);
    assertThat(model.extrapolations()).isZero();
  }

  @Test
  void breakdown_goesByFeature() {
    StepCost decode = model.breakdown(Shapes.decode(9, 100));
    assertThat(decode).isEqualTo(new StepCost(0, 39_600, 0, 225_000, 0, 0, 0, 0, 3_000_000, false));

    StepCost prefill = model.breakdown(Shapes.prefill(2, 100));
    assertThat(prefill)
        .isEqualTo(new StepCost(0, 0, 1_800_000, 0, 5_050, 0, 0, 0, 2_000_000, false));
  }

  @Test
  void nanos_outsideARange_continuesTheLineAndCounts() {
    StepShape edge = Shapes.decode(64, 1_024);
    StepShape outside = Shapes.decode(65, 100);

    assertThat(model.covers(edge)).isTrue();
    assertThat(model.covers(outside)).isFalse();
    assertThat(model.nanos(edge)).isEqualTo(3_000_000 + 64 * 25_000 + 65_536 * 44);
    assertThat(model.nanos(outside)).isEqualTo(3_000_000 + 65 * 25_000 + 6_500 * 44);
    assertThat(model.nanos(outside)).isEqualTo(3_000_000 + 65 * 25_000 + 6_500 * 44);
    assertThat(model.extrapolations()).isEqualTo(2);
  }

  @Test
  void breakdown_outsideARange_saysSoAndDoesNotCount() {
    assertThat(model.breakdown(Shapes.decode(65, 100)).extrapolated()).isTrue();
    assertThat(model.extrapolations()).isZero();
  }

  @Test
  void covers_featureWithoutARange_isAnyValue() {
    assertThat(model.covers(new StepShape(1, 10, 0, 0, 0, 1_000_000, 1_000_000))).isTrue();
  }
}
