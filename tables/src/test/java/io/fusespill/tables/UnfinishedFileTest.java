package io.fusespill.tables;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnfinishedFileTest {

  @TempDir private Path folder;

  @Test
  void processThatIsInterrupted_leavesNothingBehind() throws Exception {
    Path target = Files.writeString(folder.resolve("t.csv"), "earlier");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                target.toString())
            .start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("half");
      assertThat(files()).hasSize(2);
      process.destroy();
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }

    assertThat(files()).containsExactly(target);
    assertThat(target).hasContent("earlier");
  }

  private Iterable<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  /// Writes half of a file and waits to be interrupted.
  static final class Writer {

    private Writer() {}

    public static void main(String[] arguments) throws Exception {
      UnfinishedFile file = new UnfinishedFile(Path.of(arguments[0]));
      Files.writeString(file.path(), "half");
      System.out.println("half");
      Thread.sleep(60_000);
    }
  }
}
