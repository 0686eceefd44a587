package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sweep.ScenarioResult.Finished;
import io.fusespill.tables.Column;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultStoreTest {

  @TempDir private Path folder;
  private final List<String> notes = new ArrayList<>();

  @Test
  void results_areThereAgainInTheirTypes() {
    write(result("a", 5), result("b", 6), result("a", 7));

    assertThat(read())
        .containsExactly(Map.entry("a", result("a", 5)), Map.entry("b", result("b", 6)));
    assertThat(notes).isEmpty();
  }

  @Test
  void everyTornEnd_losesTheLastRecordAlone() throws IOException {
    write(result("a", 5), result("b", 6));
    byte[] whole = Files.readAllBytes(file());
    int second = indexOf(whole, '\n') + 1;
    for (int length = second; length < whole.length; length += 61) {
      Files.write(file(), Arrays.copyOf(whole, length));
      notes.clear();

      assertThat(read()).as("cut at %d", length).containsOnlyKeys("a");
      if (length > second) {
        assertThat(notes).singleElement().asString().contains("scenarios.log:2: the last record");
      }
      write(result("c", 7));
      assertThat(read()).containsOnlyKeys("a", "c");
    }
  }

  private static int indexOf(byte[] bytes, char wanted) {
    return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(wanted);
  }

  @Test
  void damagedRecord_isPassedOverAndTheRestIsThere() throws IOException {
    write(result("a", 5), result("b", 6), result("c", 7));
    byte[] bytes = Files.readAllBytes(file());
    bytes[bytes.length / 2] ^= 1;
    Files.write(file(), bytes);

    assertThat(read()).containsOnlyKeys("a", "c");
    assertThat(notes).singleElement().asString().contains("scenarios.log:2: the record is damaged");
  }

  @Test
  void secondProcess_isRefused() {
    try (ResultStore open = new ResultStore(folder, notes::add)) {
      assertThat(open.finished()).isEmpty();
      assertThatThrownBy(() -> new ResultStore(folder, notes::add))
          .isInstanceOf(SweepException.class)
          .hasMessageContaining(folder + " is in use");
    }
  }

  private Path file() {
    return folder.resolve(ResultStore.FILE);
  }

  private void write(Finished... results) {
    try (ResultStore store = new ResultStore(folder, notes::add)) {
      for (Finished result : results) {
        store.add(result);
      }
    }
  }

  private Map<String, Finished> read() {
    try (ResultStore store = new ResultStore(folder, notes::add)) {
      return store.finished();
    }
  }

  /// Whole numbers and nulls among the numbers: JSON alone would not tell their types.
  private static Finished result(String key, long seed) {
    Map<String, Object> figures = new LinkedHashMap<>();
    for (Column column : SweepFigures.columns()) {
      Object value =
          switch (column.type()) {
            case TEXT -> "α" + seed;
            case WHOLE -> seed;
            case NUMBER -> (double) seed;
            case FLAG -> true;
          };
      figures.put(column.name(), column.name().startsWith("spilled") ? null : value);
    }
    return new Finished(key, figures, 0.25);
  }
}
