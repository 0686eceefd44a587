package io.fusespill.sim.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class TransferFitTest {

  private static final double LATENCY = 40_000;
  private static final double NANOS_PER_BYTE = 0.05;

  private final SeededRandom random = new SeededRandom(1, "transfers");

  @Test
  void of_noisyTransfers_findsLatencyAndRate() {
    FittedLink link = TransferFit.of("gpu", "host", samples(1, 200));

    assertThat(link.latencyNanos()).isCloseTo(LATENCY, Percentage.withPercentage(5));
    assertThat(link.nanosPerByte()).isCloseTo(NANOS_PER_BYTE, Percentage.withPercentage(1));
    assertThat(link.errors().meanPercent()).isLessThan(3);
    assertThat(link.bytes().max()).isLessThanOrEqualTo(200L << 20);
  }

  @Test
  void of_oneSizeAlone_givesItAllToTheBytes() {
    FittedLink link = TransferFit.of("gpu", "host", samples(64, 64));

    assertThat(link.latencyNanos()).isZero();
    assertThat((double) link.nanos(64L << 20, 1))
        .isCloseTo(LATENCY + NANOS_PER_BYTE * (64L << 20), Percentage.withPercentage(1));
  }

  /// The first copy of a run, which was a slow one, alone found the link idle.
  @Test
  void of_queuedTransfersAndOneThatIsSlow_leavesThatOut() {
    List<TransferSample> samples =
        new ArrayList<>(samples(1, 200).stream().filter(each -> !each.foundIdle()).toList());
    samples.addFirst(new TransferSample(true, 1 << 20, 50_000_000));

    FittedLink link = TransferFit.of("gpu", "host", samples);

    assertThat(link.latencyNanos()).isZero();
    assertThat(link.nanosPerByte()).isCloseTo(NANOS_PER_BYTE, Percentage.withPercentage(1));
  }

  @Test
  void of_fewTransfers_saysHowManyAreNeeded() {
    assertThatThrownBy(() -> TransferFit.of("gpu", "host", samples(1, 9).subList(0, 9)))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("from gpu to host has 9 measured transfers, must have at least 10");
  }

  private List<TransferSample> samples(int minMib, int maxMib) {
    List<TransferSample> samples = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      long bytes = (long) random.nextInt(minMib, maxMib) << 20;
      boolean alone = minMib == maxMib;
      boolean idle = alone || random.nextInt(0, 1) == 1;
      double nanos = (idle ? LATENCY : 0) + bytes * NANOS_PER_BYTE;
      samples.add(
          new TransferSample(idle, bytes, Math.round(nanos * (0.96 + 0.08 * random.nextDouble()))));
    }
    return samples;
  }
}
