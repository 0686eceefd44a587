package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// `docs/journal-format.md` has every event with its number, its fields and its newest version.
class JournalFormatDocsTest {

  @ParameterizedTest
  @EnumSource
  void event_isDocumented(EventType type) throws IOException {
    String start = "| %d | `%s` |".formatted(type.number(), type.event().getSimpleName());

    String row =
        Files.readString(Path.of("..", "docs", "journal-format.md"))
            .lines()
            .filter(line -> line.startsWith(start))
            .findFirst()
            .orElse("no row");

    assertThat(Stream.of(type.event().getRecordComponents()).map(RecordComponent::getName))
        .filteredOn(name -> !name.equals("atNanos"))
        .allSatisfy(name -> assertThat(row).containsPattern("`" + name + "[`.]"));
    if (type.version() > 1 && !row.contains("`config`")) {
      assertThat(row).contains("in version " + type.version());
    }
  }
}
