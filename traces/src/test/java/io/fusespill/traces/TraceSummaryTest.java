package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TraceSummaryTest {

  @Test
  void of_hundredRequests_hasNearestRanks() {
    TraceRequest[] requests =
        IntStream.rangeClosed(1, 100)
            .mapToObj(i -> new TraceRequest(i * 1_000_000_000L, i, 10 * (101 - i)))
            .toArray(TraceRequest[]::new);

    TraceSummary summary = TraceSummary.of(TestTraces.of(requests));

    assertThat(summary.prompt()).isEqualTo(new TokenSummary(5050, 1, 50.5, 50, 90, 99, 100));
    assertThat(summary.output()).isEqualTo(new TokenSummary(50_500, 10, 505, 500, 900, 990, 1000));
    assertThat(summary.interArrivalCv()).isZero();
  }

  @Test
  void of_threeRequests_hasRateAndVariation() {
    TraceSummary summary =
        TraceSummary.of(
            TestTraces.of(
                new TraceRequest(0, 5, 1),
                new TraceRequest(1_000_000_000L, 7, 1),
                new TraceRequest(4_000_000_000L, 9, 1)));

    assertThat(summary.requests()).isEqualTo(3);
    assertThat(summary.durationNanos()).isEqualTo(4_000_000_000L);
    assertThat(summary.requestsPerSecond()).isEqualTo(0.5);
    // gaps 1 s and 3 s: mean 2, deviation 1
    assertThat(summary.interArrivalCv()).isCloseTo(0.5, within(1e-12));
    assertThat(summary.prompt()).isEqualTo(new TokenSummary(21, 5, 7, 7, 9, 9, 9));
  }

  @Test
  void of_noneOrOneOrAllAtOnce_isDefined() {
    TokenSummary none = new TokenSummary(0, 0, 0, 0, 0, 0, 0);

    assertThat(TraceSummary.of(TestTraces.of()))
        .isEqualTo(
            new TraceSummary(
                0,
                0,
                Double.NaN,
                none,
                none,
                0,
                new LengthAccuracy.Summary(0, 0, 0, Double.NaN),
                0,
                0));
    TraceSummary one = TraceSummary.of(TestTraces.of(new TraceRequest(0, 3, 4)));
    assertThat(one.requestsPerSecond()).isNaN();
    assertThat(one.prompt()).isEqualTo(new TokenSummary(3, 3, 3, 3, 3, 3, 3));
    assertThat(one.interArrivalCv()).isZero();
  }

  @Test
  void of_someDeclare_onlyTheseAreCompared() {
    TraceSummary summary =
        TraceSummary.of(
            TestTraces.of(
                new TraceRequest(0, 1, 10).declaring(13),
                new TraceRequest(0, 1, 20),
                new TraceRequest(0, 1, 30).declaring(25),
                new TraceRequest(0, 1, 40).declaring(25)));

    assertThat(summary.declaredShare()).isEqualTo(0.75);
    // errors 3, 5, 15; of three pairs two are in order and one is undecided
    assertThat(summary.declared()).isEqualTo(new LengthAccuracy.Summary(3, 23 / 3.0, 5, 2.5 / 3));
  }

  @Test
  void of_longestRequest_isCounted() {
    TraceRequest[] requests = new TraceRequest[3];
    Arrays.fill(requests, new TraceRequest(0, TraceLimits.MAX_TOKENS, 1));

    TokenSummary prompt = TraceSummary.of(TestTraces.of(requests)).prompt();

    assertThat(prompt.max()).isEqualTo(TraceLimits.MAX_TOKENS);
    assertThat(prompt.p50()).isEqualTo(TraceLimits.MAX_TOKENS);
    assertThat(prompt.total()).isEqualTo(3L * TraceLimits.MAX_TOKENS);
  }
}
