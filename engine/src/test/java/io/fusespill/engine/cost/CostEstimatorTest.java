package io.fusespill.engine.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Estimates computed by hand.
class CostEstimatorTest {

  private static final long SECOND_PICOS = 1_000_000_000_000L;

  /// Overhead 100 ns, weights 1,000 ns against 10 ns a token, head 50 ns against 5 ns a row, 2 ns a
  /// KV token and 3 ns a decode, 0.5 ns a pair, 1 ns a token.
  private static final StepCosts DEVICE =
      new StepCosts(100, 1_000, 10_000, 50, 5_000, 2_000, 3_000, 500, 1_000);

  /// 200 ns for the hand-off of a step, 4 ns a KV token, 7 ns for that of a row.
  private static final StepCosts HOST = new StepCosts(200, 0, 0, 0, 0, 4_000, 7_000, 0, 0);

  private final StepLoad load = new StepLoad();

  private static CostEstimator estimator(KvLayout kv, Link link, StepCosts device, StepCosts host) {
    return new CostEstimator(
        new EngineConfig(
            kv,
            new EngineLimits(8, 64, 64, 3, 0),
            new Topology(
                List.of(Place.device(0, "gpu", 8), Place.attendingHost(1, "host", 8)),
                List.of(link)),
            PolicySpec.of("any"),
            List.of(device, host),
            EngineConfig.NO_PREDICTOR));
  }

  private static final CostEstimator ESTIMATOR =
      estimator(new KvLayout(16, 3_000, 4), new Link(0, 1, 1_000_000_000, 25), DEVICE, HOST);

  @Test
  void nothingToCompute_takesNoTime() {
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 1)).isZero();
  }

  @Test
  void fewDecodes_readWeightsAndHead() {
    load.addDecode(99);
    load.addDecode(49);
    long attention = 150 * 2 + 2 * 3;
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 1)).isEqualTo(100 + 1_000 + 50 + attention + 2);
  }

  @Test
  void manyTokens_areArithmetic() {
    load.addPrefill(10, 200);
    long pairs = 200 * 10 + 200 * 201 / 2;
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 1)).isEqualTo(100 + 2_000 + 50 + pairs / 2 + 200);
  }

  @Test
  void manyRows_areArithmeticOfTheHead() {
    for (int i = 0; i < 20; i++) {
      load.addDecode(0);
    }
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 1))
        .isEqualTo(100 + 1_000 + 100 + 20 * 2 + 20 * 3 + 20);
  }

  /// The host takes 200 + 7 + 4 · 100 = 607 ns beside the device's 203; shared by two devices,
  /// 1,007.
  @Test
  void remoteRows_countWhereTheHostTakesLonger() {
    load.addDecode(99);
    load.addRemote(99);
    assertThat(ESTIMATOR.attendNanos(1, 1, 100, 1)).isEqualTo(607);
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 1)).isEqualTo(100 + 1_000 + 50 + 607 + 2);
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 2)).isEqualTo(100 + 1_000 + 50 + 1_007 + 2);
    load.removeRemote(99);
    assertThat(ESTIMATOR.stepNanos(0, load, 1, 2)).isEqualTo(100 + 1_000 + 50 + 203 + 1);
    assertThat(load.remoteRows()).isZero();
    load.clear();
    assertThat(load.tokens() + load.rows() + load.context()).isZero();
  }

  @Test
  void parts_areThoseOfTheStep() {
    assertThat(ESTIMATOR.ridgeTokens(0)).isEqualTo(100);
    assertThat(ESTIMATOR.ridgeTokens(1)).isEqualTo(Integer.MAX_VALUE);
    assertThat(ESTIMATOR.prefillNanos(0, 10, 4)).isEqualTo(6 * 10 + 55 / 2 + 10);
    assertThat(ESTIMATOR.prefillNanos(0, 10, 40)).isEqualTo(55 / 2 + 10);
    assertThat(ESTIMATOR.decodeNanos(0, 100)).isEqualTo(200 + 3 + 1 + 5);
  }

  /// A block of 3,000 bytes at 1 byte a nanosecond in 4 copies of 25 ns each.
  @Test
  void copies_takeTheirFixedTimeEach() {
    assertThat(ESTIMATOR.copyNanos(0, 1, 5)).isEqualTo(5 * 3_100);
    assertThat(ESTIMATOR.copyNanos(1, 0, 5)).isZero();
  }

  @Test
  void largestCoefficientsAndLoads_comeToTheLargestEstimate() {
    StepCosts slow =
        new StepCosts(
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS,
            SECOND_PICOS);
    CostEstimator estimator =
        estimator(
            new KvLayout(1_024, Long.MAX_VALUE, 65_536),
            new Link(0, 1, 1, Long.MAX_VALUE),
            slow,
            slow);
    load.addPrefill(0, 1 << 24);
    load.addDecode(1 << 24);
    for (int i = 0; i < 100; i++) {
      load.addRemote(1 << 24);
    }
    assertThat(
            List.of(
                estimator.stepNanos(0, load, 1, 8),
                estimator.attendNanos(1, 65_536, 1L << 40, 8),
                estimator.prefillNanos(0, 1 << 24, 0),
                estimator.decodeNanos(0, 1L << 40),
                estimator.copyNanos(0, 1, 100_000_000)))
        .containsOnly(CostEstimator.NANOS_MAX);
  }

  @Test
  void configurationWithoutCosts_isRefused() {
    EngineConfig config =
        new EngineConfig(
            new KvLayout(16, 1, 1),
            new EngineLimits(8, 64, 64, 3, 0),
            new Topology(List.of(Place.device(0, "gpu", 8)), List.of()),
            PolicySpec.of("any"));
    assertThatThrownBy(() -> new CostEstimator(config))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("policy any estimates");
  }
}
