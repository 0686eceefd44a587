package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.tables.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class SweepDocsTest {

  @Test
  void docs_haveEveryColumnWithItsTypeAndUnit() throws IOException {
    String docs = Files.readString(Path.of("..", "docs", "sweeps.md"));

    for (Column column : new SweepRows(List.of(), null).schema().columns()) {
      assertThat(docs)
          .contains(
              "| `%s` | %s | %s | %s |"
                  .formatted(
                      column.name(),
                      column.type().name().toLowerCase(Locale.ROOT),
                      column.unit(),
                      column.description()));
    }
  }
}
