package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RequestOutcome.Ending;
import io.fusespill.replay.Latencies;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SloTest {

  private static final long SECOND = 1_000_000_000L;

  @Test
  void parse_readsWhatToStringWrites() {
    Slo slo = Slo.parse(List.of("ttft.p99=2s", "tpot.p99.9=150ms", "e2e.p50=1.5min", "itl.p5=7us"));

    assertThat(slo.targets())
        .containsExactly(
            new Slo.Target(SloMetric.TTFT, 99, 2 * SECOND),
            new Slo.Target(SloMetric.TPOT, 99.9, 150_000_000),
            new Slo.Target(SloMetric.E2E, 50, 90 * SECOND),
            new Slo.Target(SloMetric.ITL, 5, 7_000));
    assertThat(slo).hasToString("ttft.p99=2s, tpot.p99.9=0.15s, e2e.p50=90s, itl.p5=0.000007s");
    assertThat(Slo.parse(List.of(slo.toString().split(", ")))).isEqualTo(slo);
    assertThat(Slo.parse(List.of("ttft.p99=2s", "unserved=0.01")).unserved()).isEqualTo(0.01);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "ttft.p99=2 | '2' must be a time with its unit",
        "ttft.p99=0s | '0s' must be above 0",
        "ttft.p0=1s | 'p0' must be a percentile",
        "ttft.p101=1s | 'p101' must be a percentile",
        "tftt.p99=1s | unknown latency \"tftt\"; did you mean ttft",
        "ttft=1s | 'ttft=1s' must be METRIC.PERCENTILE=LIMIT",
        "ttft.p99=2s,tpot.p99=3s,ttft.p99=3s | ttft.p99=2s and ttft.p99=3s bound the same",
        "unserved=2 | unserved is 2.0, must be a share of 0 to 1",
        "unserved=0.1 | unserved goes with the bound of a latency, for example ttft.p99=2s",
      })
  void parse_whatIsNotLegal_isNamed(String terms, String message) {
    assertThatThrownBy(() -> Slo.parse(List.of(terms.split(","))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void broken_namesEachBoundThatIsNotKept() {
    Latencies latencies = new Latencies(outcome -> {});
    for (int i = 1; i <= 100; i++) {
      latencies.timeToFirstToken(i * SECOND);
    }
    Slo slo = Slo.parse(List.of("ttft.p50=51s", "ttft.p90=89s", "ttft.p99=1s", "unserved=0.5"));

    assertThat(slo.broken(latencies, 0.5)).containsExactly("ttft.p90=89s", "ttft.p99=1s");
    assertThat(slo.broken(latencies, 0.51)).endsWith("unserved");
  }

  /// Bounds of 2 s, 100 ms and 10 s, and requests that just keep and just break each of them.
  @ParameterizedTest
  @CsvSource({
    // first token, end (ms), tokens, ending, good
    "2000, 2900, 10, COMPLETED, true",
    "2001, 2900, 10, COMPLETED, false",
    "2000, 2901, 10, COMPLETED, false",
    "500, 10000, 500, COMPLETED, true",
    "500, 10001, 500, COMPLETED, false",
    "500, 9999, 1, COMPLETED, true",
    "500, 900, 10, REJECTED, false",
    "500, 900, 10, FAILED, false",
  })
  void tally_countsRequestsWithinEveryBound(
      long firstMillis, long endMillis, int tokens, Ending ending, boolean good) {
    // Of two bounds on one latency the looser one is a request's.
    Slo slo = Slo.parse(List.of("ttft.p50=1s", "ttft.p99=2s", "tpot.p90=100ms", "e2e.p99=10s"));
    RequestTally tally = new RequestTally(slo);
    long arrival = 7 * SECOND;

    tally.accept(
        new RequestOutcome(
            0,
            ending,
            arrival,
            arrival + firstMillis * 1_000_000,
            arrival + endMillis * 1_000_000,
            10,
            tokens,
            1,
            0));

    assertThat(tally.requests()).isEqualTo(1);
    assertThat(tally.good()).isEqualTo(good ? 1 : 0);
    assertThat(tally.lastArrivalNanos()).isEqualTo(arrival);
  }
}
