package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.traces.TraceException;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeclaringTraceReaderTest {

  private static final String ROW = "{\"prompt\": \"a\", \"output_tokens\": %d, \"arrival\": %s}\n";
  private static final String ROW_WITHOUT = "{\"prompt\": \"a\", \"output_tokens\": 3}\n";

  @TempDir private Path folder;

  @Test
  void next_withTimes_countsFromTheFirstAndDeclares() throws IOException {
    assertThat(read(ROW.formatted(7, "2.5") + ROW.formatted(9, "4")))
        .containsExactly(
            new TraceRequest(0, 1, 7).declaring(41),
            new TraceRequest(1_500_000_000, 1, 9).declaring(41));
  }

  @Test
  void next_withoutTimes_isAllAtOnce() throws IOException {
    assertThat(read(ROW_WITHOUT + ROW_WITHOUT))
        .containsOnly(new TraceRequest(0, 1, 3).declaring(41));
  }

  @Test
  void next_timesThatDoNotFit_areNamed() {
    assertThatThrownBy(() -> read(ROW.formatted(7, "2.5") + ROW.formatted(9, "1")))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining(":2: arrival is 1.0 s, must not be before the 2.5 s");
    assertThatThrownBy(() -> read(ROW.formatted(7, "0") + ROW_WITHOUT))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining(":2: an arrival in some rows and not in others");
  }

  private List<TraceRequest> read(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("data.jsonl"), text);
    LengthModel model =
        new LengthModel(
            new BoostedTrees(StrictMath.log(42), List.of()),
            0,
            Evaluation.of(List.of(REQUEST), List.of(REQUEST, REQUEST), request -> 41));
    List<TraceRequest> requests = new ArrayList<>();
    try (TraceReader reader =
        new DeclaringTraceReader(TextRequestReader.open(file, false), model)) {
      reader.forEachRemaining(requests::add);
    }
    return requests;
  }

  private static final TextRequest REQUEST = new TextRequest("a", 1, 3, null);
}
