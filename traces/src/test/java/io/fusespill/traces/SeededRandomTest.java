package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class SeededRandomTest {

  private static final int DRAWS = 100_000;

  /// Kolmogorov–Smirnov: at this many draws of the right distribution the distance is larger once
  /// in a million seeds.
  private static final double DISTANCE_MAX = 2.7 / Math.sqrt(DRAWS);

  /// The test vector of the rand_xoshiro crate for the state 1, 2, 3, 4.
  @Test
  void nextLong_referenceState_givesTheReferenceNumbers() {
    SeededRandom random = new SeededRandom(1, 2, 3, 4);

    for (String expected :
        new String[] {
          "11520",
          "0",
          "1509978240",
          "1215971899390074240",
          "1216172134540287360",
          "607988272756665600",
          "16172922978634559625",
          "8476171486693032832",
          "10595114339597558777",
          "2904607092377533576"
        }) {
      assertThat(Long.toUnsignedString(random.nextLong())).isEqualTo(expected);
    }
  }

  /// The numbers that the generator's description on Rosetta Code gives for seed 1234567.
  @Test
  void splitMix64_referenceSeed_givesTheReferenceNumbers() {
    assertThat(Long.toUnsignedString(SeededRandom.splitMix64(1_234_567, 1)))
        .isEqualTo("6457827717110365317");
    assertThat(Long.toUnsignedString(SeededRandom.splitMix64(1_234_567, 5)))
        .isEqualTo("16408922859458223821");
  }

  /// Seed, purpose and generator together, from another program.
  @Test
  void nextLong_seedAndPurpose_isTheSameEverywhere() {
    SeededRandom random = new SeededRandom(1, "lengths");

    assertThat(Long.toUnsignedString(random.nextLong())).isEqualTo("9105697282154749495");
    assertThat(Long.toUnsignedString(random.nextLong())).isEqualTo("5328131666595866023");
    assertThat(Long.toUnsignedString(random.nextLong())).isEqualTo("14245028038450933712");
  }

  @Test
  void nextLong_otherSeedOrPurpose_isAnotherStream() {
    long first = new SeededRandom(1, "lengths").nextLong();

    assertThat(new SeededRandom(1, "arrivals").nextLong()).isNotEqualTo(first);
    assertThat(new SeededRandom(2, "lengths").nextLong()).isNotEqualTo(first);
  }

  @Test
  void nextInt_smallRange_isUniform() {
    SeededRandom random = new SeededRandom(1, "test");
    int[] times = new int[7];
    for (int i = 0; i < 7 * DRAWS; i++) {
      times[random.nextInt(-3, 3) + 3]++;
    }

    for (int count : times) {
      assertThat((double) count).isCloseTo(DRAWS, within(5 * Math.sqrt(DRAWS)));
    }
  }

  @Test
  void nextInt_edges_areReached() {
    SeededRandom random = new SeededRandom(1, "test");

    assertThat(random.nextInt(5, 5)).isEqualTo(5);
    assertThat(random.nextInt(Integer.MIN_VALUE, Integer.MAX_VALUE)).isNotZero();
    assertThatThrownBy(() -> random.nextInt(5, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("max is 4");
  }

  @Test
  void nextDouble_extremeBits_stayInside() {
    assertThat(new SeededRandom(0, 0, 0, 0).nextDouble()).isEqualTo(0x1p-53);
    // rotl(s1 * 5, 7) * 9 is all ones for this s1
    long allOnes = Long.rotateRight(-1L * inverse(9), 7) * inverse(5);
    assertThat(new SeededRandom(0, allOnes, 0, 0).nextDouble()).isEqualTo(1 - 0x1p-53);
  }

  /// The inverse of an odd number modulo 2^64, by Newton's iteration.
  private static long inverse(long odd) {
    long x = odd;
    for (int i = 0; i < 6; i++) {
      x *= 2 - odd * x;
    }
    return x;
  }

  @Test
  void nextDouble_manyDraws_areUniform() {
    SeededRandom random = new SeededRandom(1, "test");

    assertThat(distance(DoubleStream.generate(random::nextDouble), x -> x))
        .isLessThan(DISTANCE_MAX);
  }

  @Test
  void nextNormal_manyDraws_areNormal() {
    SeededRandom random = new SeededRandom(1, "test");

    assertThat(distance(DoubleStream.generate(random::nextNormal), StandardNormal::cdf))
        .isLessThan(DISTANCE_MAX);
  }

  @Test
  void nextGamma_shapesWithClosedForms_fitThem() {
    assertThat(distance(gammas(1), x -> 1 - Math.exp(-x))).isLessThan(DISTANCE_MAX);
    // shape 2, mean 1: the sum of two exponentials of mean 1/2
    assertThat(distance(gammas(2), x -> 1 - Math.exp(-2 * x) * (1 + 2 * x)))
        .isLessThan(DISTANCE_MAX);
    // shape 1/2, mean 1: the square of a standard normal
    assertThat(distance(gammas(0.5), x -> 2 * StandardNormal.cdf(Math.sqrt(x)) - 1))
        .isLessThan(DISTANCE_MAX);
  }

  @Test
  void nextGamma_anyShape_hasMeanOneAndVarianceOneByShape() {
    for (double shape : new double[] {0.1, 0.3, 1.7, 10, 500}) {
      double[] drawn = gammas(shape).limit(DRAWS).toArray();
      double mean = Arrays.stream(drawn).average().orElseThrow();
      double variance = Arrays.stream(drawn).map(x -> (x - mean) * (x - mean)).sum() / DRAWS;

      assertThat(mean).as("shape %s", shape).isCloseTo(1, within(5 / Math.sqrt(shape * DRAWS)));
      // the variance of the sample variance is (2 + 6 / shape) / draws of its square
      assertThat(variance * shape)
          .as("shape %s", shape)
          .isCloseTo(1, within(5 * Math.sqrt((2 + 6 / shape) / DRAWS)));
    }
  }

  private static DoubleStream gammas(double shape) {
    SeededRandom random = new SeededRandom(1, "test");
    return DoubleStream.generate(() -> random.nextGamma(shape));
  }

  /// The largest distance between the drawn and the true distribution function.
  private static double distance(DoubleStream draws, DoubleUnaryOperator cdf) {
    double[] drawn = draws.limit(DRAWS).sorted().toArray();
    double distance = 0;
    for (int i = 0; i < DRAWS; i++) {
      double share = cdf.applyAsDouble(drawn[i]);
      distance = Math.max(distance, share - (double) i / DRAWS);
      distance = Math.max(distance, (i + 1.0) / DRAWS - share);
    }
    return distance;
  }
}
