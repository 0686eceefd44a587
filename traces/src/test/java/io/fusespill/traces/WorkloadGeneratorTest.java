package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.groups.Tuple.tuple;

import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

final class WorkloadGeneratorTest {

  private static final LengthDistribution BENCHMARK =
      LengthDistribution.independent(
          new TokenDistribution.Uniform(200, 1000), new TokenDistribution.Normal(200, 60));

  @Test
  void next_sameArguments_isTheSameTrace() {
    assertThat(TestTraces.drain(generator(PublishedLengths.SHAREGPT, 500, 3)))
        .isEqualTo(TestTraces.drain(generator(PublishedLengths.SHAREGPT, 500, 3)))
        .isNotEqualTo(TestTraces.drain(generator(PublishedLengths.SHAREGPT, 500, 4)));
  }

  /// Other arrivals leave the lengths alone: each purpose has its own stream.
  @Test
  void next_otherArrivals_keepsTheLengths() {
    WorkloadGenerator atOnce =
        new WorkloadGenerator(BENCHMARK, LengthFilter.NONE, ArrivalProcess.atOnce(), 100, 3);

    assertThat(TestTraces.drain(atOnce))
        .extracting(TraceRequest::promptTokens, TraceRequest::outputTokens)
        .isEqualTo(
            TestTraces.drain(generator(BENCHMARK, 100, 3)).stream()
                .map(request -> tuple(request.promptTokens(), request.outputTokens()))
                .toList());
  }

  @Test
  void next_uniformAndNormal_haveTheirMoments() {
    TraceSummary summary = TraceSummary.of(generator(BENCHMARK, 100_000, 1));

    assertThat(summary.prompt().min()).isEqualTo(200);
    assertThat(summary.prompt().max()).isEqualTo(1000);
    assertThat(summary.prompt().mean()).isCloseTo(600, within(4.0));
    assertThat(summary.output().mean()).isCloseTo(200, within(1.0));
    assertThat((double) summary.output().p50()).isCloseTo(200, within(1.0));
    // 1.2816 and 2.3263 deviations above the mean
    assertThat((double) summary.output().p90()).isCloseTo(276.9, within(2.0));
    assertThat((double) summary.output().p99()).isCloseTo(339.6, within(4.0));
  }

  @Test
  void next_wideNormal_isClippedToOneToken() {
    LengthDistribution wide =
        LengthDistribution.independent(
            new TokenDistribution.Uniform(1, 1), new TokenDistribution.Normal(1, 1e7));
    TraceSummary summary = TraceSummary.of(generator(wide, 1_000, 1));

    assertThat(summary.output().min()).isEqualTo(1);
    assertThat(summary.output().max()).isEqualTo(TraceLimits.MAX_TOKENS);
  }

  @Test
  void next_paperFilter_keepsToIt() {
    WorkloadGenerator generator =
        new WorkloadGenerator(
            PublishedLengths.SHAREGPT,
            LengthFilter.FUSESPILL_PAPER,
            ArrivalProcess.atOnce(),
            10_000,
            1);

    assertThat(TestTraces.drain(generator))
        .hasSize(10_000)
        .allMatch(request ->
            request.promptTokens() <= 1024
                && request.promptTokens() + request.outputTokens() <= 1512);
  }

  @Test
  void next_filterThatNothingFits_givesUp() {
    WorkloadGenerator generator =
        new WorkloadGenerator(
            BENCHMARK, new LengthFilter(199, 1000), ArrivalProcess.atOnce(), 1, 1);

    assertThatThrownBy(generator::next)
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith("1000000 requests in a row drawn from prompt uniform:200:")
        .hasMessageContaining(" and output ")
        .hasMessageEndingWith("do not fit max-prompt 199 and max-total 1000; widen the filter");
  }

  @Test
  void next_pastTheEnd_throws() {
    WorkloadGenerator generator = generator(BENCHMARK, 0, 1);

    assertThat(generator.hasNext()).isFalse();
    assertThatThrownBy(generator::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void create_badNumbers_namesThem() {
    for (Runnable bad :
        List.<Runnable>of(
            () -> generator(BENCHMARK, -1, 1),
            () -> new TokenDistribution.Uniform(0, 1),
            () -> new TokenDistribution.Uniform(2, 1),
            () -> new TokenDistribution.Uniform(1, TraceLimits.MAX_TOKENS + 1),
            () -> new TokenDistribution.Normal(0, 1),
            () -> new TokenDistribution.Normal(Double.NaN, 1),
            () -> new TokenDistribution.Normal(1, -1),
            () -> new TokenDistribution.Normal(1, Double.POSITIVE_INFINITY),
            () -> new LengthFilter(0, 2),
            () -> new LengthFilter(1, 1),
            () -> new TraceRequest(-1, 1, 1),
            () -> new TraceRequest(0, 0, 1),
            () -> new TraceRequest(0, 1, TraceLimits.MAX_TOKENS + 1),
            () -> ReadOptions.ALL.withLimit(0))) {
      assertThatThrownBy(bad::run)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be ");
    }
  }

  private static WorkloadGenerator generator(LengthDistribution lengths, long requests, long seed) {
    return new WorkloadGenerator(
        lengths, LengthFilter.NONE, ArrivalProcess.poisson(4), requests, seed);
  }
}
