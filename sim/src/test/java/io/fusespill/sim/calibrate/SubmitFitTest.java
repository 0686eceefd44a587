package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.sim.cost.SubmitLatency;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SubmitFitTest {

  @Test
  void of_stepsOfManySizes_tellsASequencesPart() {
    SubmitLatency fitted =
        SubmitFit.of(
            IntStream.range(0, 500)
                .mapToObj(i -> sample(1 + i % 40, i % 3 == 0 ? 1.06 : 0.97))
                .toList());

    assertThat((double) fitted.nanos()).isCloseTo(120_000, within(5_000.0));
    assertThat((double) fitted.nanosPerSequence()).isCloseTo(6_000, within(200.0));
  }

  /// A step that waited for something else counts, but not for more than three.
  @Test
  void of_aHiccup_isNoLatency() {
    List<SubmitSample> samples =
        IntStream.range(0, 500).mapToObj(i -> sample(1 + i % 40, i == 7 ? 10_000 : 1)).toList();

    SubmitLatency fitted = SubmitFit.of(samples);

    assertThat((double) fitted.of(20)).isCloseTo(240_000, within(2_000.0));
  }

  /// Errors are relative: a step that hardly waited must not outweigh all others.
  @Test
  void of_aStepThatHardlyWaited_isOneOfMany() {
    List<SubmitSample> samples =
        IntStream.range(0, 500)
            .mapToObj(i -> i == 7 ? new SubmitSample(8, 1) : sample(1 + i % 40, 1))
            .toList();

    assertThat((double) SubmitFit.of(samples).of(20)).isCloseTo(240_000, within(3_000.0));
  }

  @Test
  void of_stepsThatWaitNoLongerThanQueuedOnes_isNone() {
    List<SubmitSample> samples =
        IntStream.range(0, 60)
            .mapToObj(i -> new SubmitSample(1 + i % 5, i % 3 == 0 ? 900 : -700))
            .toList();

    assertThat(SubmitFit.of(samples)).isEqualTo(SubmitLatency.NONE);
  }

  /// Of 31 and 32 sequences noise alone would tell what each takes.
  @Test
  void of_stepsOfNearlyOneSize_givesTheStepAll() {
    SubmitLatency fitted =
        SubmitFit.of(
            IntStream.range(0, 50)
                .mapToObj(i -> new SubmitSample(31 + i % 2, 300_000 + i % 2 * 20_000))
                .toList());

    assertThat(fitted.nanosPerSequence()).isZero();
    assertThat((double) fitted.nanos()).isCloseTo(310_000, within(2_000.0));
  }

  @Test
  void of_stepsOfOneSize_givesTheStepAll() {
    SubmitLatency fitted =
        SubmitFit.of(IntStream.range(0, 50).mapToObj(i -> sample(8, 1)).toList());

    assertThat(fitted).isEqualTo(new SubmitLatency(168_000, 0));
  }

  @Test
  void of_nothing_isNone() {
    assertThat(SubmitFit.of(List.of())).isEqualTo(SubmitLatency.NONE);
  }

  private static SubmitSample sample(int sequences, double level) {
    return new SubmitSample(sequences, Math.round(level * (120_000 + 6_000 * sequences)));
  }
}
