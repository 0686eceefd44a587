package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ArrivalProcessTest {

  private static final long SECOND = 1_000_000_000;

  static Stream<ArrivalProcess> processes() {
    return Stream.of(
        ArrivalProcess.atOnce(),
        ArrivalProcess.poisson(4),
        ArrivalProcess.gamma(4, 0.2),
        ArrivalProcess.onOff(8, 30 * SECOND, 0, 30 * SECOND),
        ArrivalProcess.sinusoidal(4, 1, 600 * SECOND),
        ArrivalProcess.weighted(4, new double[] {1, 2, 0, 3}, 60 * SECOND));
  }

  @ParameterizedTest
  @MethodSource("processes")
  void start_anyProcess_beginsAtZeroAndNeverGoesBack(ArrivalProcess process) {
    long[] times = times(process, 10_000, 1);

    assertThat(times[0]).isZero();
    assertThat(times).isSorted();
  }

  @ParameterizedTest
  @MethodSource("processes")
  void start_sameSeed_isTheSameRun(ArrivalProcess process) {
    assertThat(times(process, 100, 7)).isEqualTo(times(process, 100, 7));
    if (!process.equals(ArrivalProcess.atOnce())) {
      assertThat(times(process, 100, 7)).isNotEqualTo(times(process, 100, 8));
    }
  }

  @Test
  void start_atOnce_isAlwaysZero() {
    assertThat(times(ArrivalProcess.atOnce(), 100, 1)).containsOnly(0);
  }

  @Test
  void start_poisson_hasRateAndVariationOne() {
    TraceSummary summary = summary(ArrivalProcess.poisson(4), 100_000);

    assertThat(summary.requestsPerSecond()).isCloseTo(4, within(0.05));
    assertThat(summary.interArrivalCv()).isCloseTo(1, within(0.02));
  }

  @Test
  void start_gamma_hasRateAndVariationByBurstiness() {
    for (double burstiness : new double[] {0.25, 0.5, 4}) {
      TraceSummary summary = summary(ArrivalProcess.gamma(10, burstiness), 100_000);

      assertThat(summary.requestsPerSecond()).isCloseTo(10, within(0.3));
      assertThat(summary.interArrivalCv())
          .isCloseTo(1 / Math.sqrt(burstiness), within(0.03 / Math.sqrt(burstiness)));
    }
  }

  @Test
  void start_onOff_hasBothRates() {
    ArrivalProcess process = ArrivalProcess.onOff(9, 20 * SECOND, 1, 10 * SECOND);
    long[] times = times(process, 95_000, 1);
    double cycles = (double) times[times.length - 1] / (30 * SECOND);
    long on = Arrays.stream(times).filter(time -> time % (30 * SECOND) < 20 * SECOND).count();

    // 180 requests on and 10 off in each cycle
    assertThat(cycles).isCloseTo(500, within(10.0));
    assertThat(on / cycles).isCloseTo(180, within(4.0));
    assertThat((times.length - on) / cycles).isCloseTo(10, within(1.0));
  }

  @Test
  void start_offRateZero_leavesTheOffTimeEmpty() {
    long[] times = times(ArrivalProcess.onOff(5, SECOND, 0, 3_600 * SECOND), 10_000, 1);

    assertThat(Arrays.stream(times)).allMatch(time -> time % (3_601 * SECOND) <= SECOND);
  }

  @Test
  void start_weighted_followsTheWeights() {
    double[] weights = {2, 1, 0, 1};
    long[] times = times(ArrivalProcess.weighted(10, weights, 4 * SECOND), 100_000, 1);
    long[] counts = new long[4];
    for (long time : times) {
      counts[(int) (time % (4 * SECOND) / SECOND)]++;
    }

    assertThat(times[times.length - 1] / 1e9).isCloseTo(10_000, within(150.0));
    assertThat(counts[0]).isBetween(49_000L, 51_000L);
    assertThat(counts[1]).isBetween(24_000L, 26_000L);
    assertThat(counts[2]).isLessThan(10);
    assertThat(counts[3]).isBetween(24_000L, 26_000L);
  }

  @Test
  void start_sinusoidal_risesInTheFirstHalf() {
    double amplitude = 0.8;
    long period = 100 * SECOND;
    long[] times = times(ArrivalProcess.sinusoidal(10, amplitude, period), 100_000, 1);
    long first = Arrays.stream(times).filter(time -> time % period < period / 2).count();

    assertThat(times[times.length - 1] / 1e9).isCloseTo(10_000, within(150.0));
    // the sine's mean over its first half is 2 / pi
    assertThat((double) first / times.length)
        .isCloseTo(0.5 * (1 + 2 * amplitude / Math.PI), within(0.01));
  }

  @Test
  void start_laterThanALongHolds_saysSo() {
    LongSupplier times = ArrivalProcess.onOff(1e-6, 1, 0, Long.MAX_VALUE / 2).start(1);
    times.getAsLong();

    assertThatThrownBy(times::getAsLong)
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("higher rate");
  }

  @Test
  void create_badNumbers_namesThem() {
    for (double bad : List.of(0.0, -1.0, Double.NaN, Double.POSITIVE_INFINITY, 1e7)) {
      assertThatThrownBy(() -> ArrivalProcess.poisson(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("rate is " + bad);
      assertThatThrownBy(() -> ArrivalProcess.gamma(1, bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("burstiness is " + bad);
      assertThatThrownBy(() -> ArrivalProcess.onOff(bad, 1, 1, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("rate is " + bad);
    }
    for (double bad : List.of(-0.1, 1.1, Double.NaN)) {
      assertThatThrownBy(() -> ArrivalProcess.sinusoidal(1, bad, 1000))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("amplitude is " + bad);
    }
    assertThatThrownBy(() -> ArrivalProcess.onOff(1, 0, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nanos of a step is 0");
    for (double[] bad :
        List.of(new double[0], new double[2], new double[] {1, -1, 1}, new double[] {0, 1})) {
      assertThatThrownBy(() -> ArrivalProcess.weighted(1, bad, 1000))
          .as(Arrays.toString(bad))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static long[] times(ArrivalProcess process, int count, long seed) {
    return LongStream.generate(process.start(seed)).limit(count).toArray();
  }

  private static TraceSummary summary(ArrivalProcess process, long requests) {
    LengthDistribution lengths =
        LengthDistribution.independent(
            new TokenDistribution.Uniform(1, 1), new TokenDistribution.Uniform(1, 1));
    return TraceSummary.of(new WorkloadGenerator(lengths, LengthFilter.NONE, process, requests, 1));
  }
}
