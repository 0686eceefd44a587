package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class TraceReaderTest {

  @Test
  void withArrivals_anyTrace_keepsAllButTheTimes() {
    long[] hashes = {1, 2};
    TraceReader reader =
        TraceReader.withArrivals(
            TestTraces.of(new TraceRequest(0, 3, 4, hashes), new TraceRequest(50, 5, 6)),
            ArrivalProcess.poisson(2),
            9);
    long second = ArrivalProcess.poisson(2).start(9).getAsLong();

    List<TraceRequest> requests = TestTraces.drain(reader);

    assertThat(requests.getFirst()).isEqualTo(new TraceRequest(second, 3, 4, hashes));
    assertThat(requests.getLast().promptTokens()).isEqualTo(5);
    assertThat(requests.getLast().arrivalNanos()).isPositive().isNotEqualTo(50);
  }

  @Test
  void rateScaled_twice_halvesTheTimes() {
    TraceReader reader =
        TraceReader.rateScaled(
            TestTraces.of(
                new TraceRequest(0, 3, 4), new TraceRequest(10, 5, 6), new TraceRequest(13, 7, 8)),
            2);

    assertThat(TestTraces.drain(reader))
        .extracting(TraceRequest::arrivalNanos)
        .containsExactly(0L, 5L, 7L);
  }

  @Test
  void rateScaled_laterThanALongHolds_saysSo() {
    TraceReader reader =
        TraceReader.rateScaled(TestTraces.of(new TraceRequest(Long.MAX_VALUE / 2, 1, 1)), 0.1);

    assertThatThrownBy(reader::next)
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("must be below 2^63");
  }

  @Test
  void rateScaled_badFactor_namesIt() {
    for (double bad : List.of(0.0, -1.0, Double.NaN, Double.POSITIVE_INFINITY, 1e7)) {
      assertThatThrownBy(() -> TraceReader.rateScaled(TestTraces.of(), bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("factor is " + bad);
    }
  }

  @Test
  void decorated_countsAndClose_areTheSources() {
    AtomicBoolean closed = new AtomicBoolean();
    TraceReader source =
        new TraceReader() {
          @Override
          public boolean hasNext() {
            return false;
          }

          @Override
          public TraceRequest next() {
            throw new AssertionError();
          }

          @Override
          public long skipped() {
            return 3;
          }

          @Override
          public String skippedReason() {
            return "reason";
          }

          @Override
          public long adjusted() {
            return 4;
          }

          @Override
          public void close() {
            closed.set(true);
          }
        };

    try (TraceReader reader = TraceReader.rateScaled(source, 1)) {
      assertThat(reader.hasNext()).isFalse();
      assertThat(reader.skipped()).isEqualTo(3);
      assertThat(reader.skippedReason()).isEqualTo("reason");
      assertThat(reader.adjusted()).isEqualTo(4);
    }
    assertThat(closed).isTrue();
  }
}
