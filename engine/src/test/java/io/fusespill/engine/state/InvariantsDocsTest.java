package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// What `docs/invariants.md` says of the state is what [Invariants] checks.
class InvariantsDocsTest {

  private static Set<String> numbers(String text, String pattern) {
    Set<String> numbers = new TreeSet<>();
    Pattern.compile(pattern, Pattern.MULTILINE)
        .matcher(text)
        .results()
        .forEach(match -> numbers.add(match.group(1)));
    return numbers;
  }

  @Test
  void statements_areThoseThatAreChecked() throws IOException {
    String docs = Files.readString(Path.of("..", "docs", "invariants.md"));
    String source =
        Files.readString(
            Path.of(
                "src", "main", "java", "io", "fusespill", "engine", "state", "Invariants.java"));
    String state =
        docs.substring(docs.indexOf("## The state"), docs.indexOf("## Logs, time and processes"));

    assertThat(numbers(state, "^\\| (I\\d+) \\|")).isEqualTo(numbers(source, "\"(I\\d+): "));
  }
}
