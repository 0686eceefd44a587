package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the documents say that a command prints is what it prints. Such a block stands behind the
/// comment `<!-- fusespill COMMAND -->`.
class DocsExamplesTest {

  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern EXAMPLE =
      Pattern.compile("<!-- fusespill ([^>]*) -->\n```\\w*\n(.*?)```", Pattern.DOTALL);
  private static final Pattern RUN =
      Pattern.compile("\\./fusespill (simulate [^`]*? --out runs/pressed)\n");

  @TempDir private static Path runs;

  record Example(Path page, String command, String printed) {

    @Override
    public String toString() {
      return page.getFileName() + ": " + command;
    }
  }

  static List<Example> examples() throws IOException {
    try (Stream<Path> pages = Files.walk(DOCS)) {
      return pages
          .filter(page -> page.toString().endsWith(".md"))
          .sorted()
          .flatMap(
              page -> matches(EXAMPLE, page).map(m -> new Example(page, m.group(1), m.group(2))))
          .toList();
    }
  }

  private static Stream<MatchResult> matches(Pattern pattern, Path page) {
    try {
      return pattern.matcher(Files.readString(page)).results();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The command, as if it was called in the repository's folder, with runs in a folder of their
  /// own.
  private static Cli run(String command) {
    return Cli.run(
        (Object[])
            command
                .replaceAll("\\s*\\\\?\\s+", " ")
                .replaceAll("(?<= )(specs|traces)/", "../$1/")
                .replaceAll("(?<= )runs/", runs + "/")
                .split(" "));
  }

  @BeforeAll
  static void simulate() {
    List<MatchResult> runs = matches(RUN, DOCS.resolve("cli.md")).toList();

    assertThat(runs).hasSize(1);
    assertThat(run(runs.getFirst().group(1)).exitCode()).isZero();
  }

  @Test
  void examples_areFound() throws IOException {
    assertThat(examples()).hasSizeGreaterThanOrEqualTo(4);
  }

  @ParameterizedTest
  @MethodSource("examples")
  void example_printsWhatThePageSays(Example example) {
    assertThat(run(example.command()).out()).contains(example.printed());
  }
}
