package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class SampleTraceTest {

  @Test
  void generate_today_givesTheShippedBytes() throws IOException {
    Path again = Path.of("target/sample.csv");
    try (TraceWriter writer = TraceFormat.LENGTHS.create(again)) {
      SampleTrace.generate().forEachRemaining(writer::write);
    }

    assertThat(Files.readString(again))
        .as("if the generator was to change, ship %s instead", again.toAbsolutePath())
        .isEqualTo(shipped());
  }

  @Test
  void open_shipped_isWhatIsGenerated() {
    assertThat(TestTraces.drain(SampleTrace.open(ReadOptions.ALL)))
        .isEqualTo(TestTraces.drain(SampleTrace.generate()));
  }

  @Test
  void open_shipped_isAsDescribed() {
    TraceSummary summary = TraceSummary.of(SampleTrace.open(ReadOptions.ALL));

    assertThat(summary.requests()).isEqualTo(600);
    assertThat(summary.requestsPerSecond()).isCloseTo(4, within(0.4));
    assertThat(summary.interArrivalCv()).isCloseTo(1, within(0.1));
    assertThat(summary.prompt().max()).isLessThanOrEqualTo(1024);
  }

  private static String shipped() throws IOException {
    try (InputStream in = SampleTrace.class.getResourceAsStream("sample.csv")) {
      return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
