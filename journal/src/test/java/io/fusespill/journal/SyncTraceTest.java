package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a journal asks of the operating system for its durability, as strace sees it.
@Timeout(300)
class SyncTraceTest {

  @TempDir private Path temp;

  @Test
  void synced_forcesTheQueueFileAndItsName() throws Exception {
    List<String> calls = trace("SYNC");
    String queueFile = Pattern.quote("journal/" + FileStorage.QUEUE_FILE + ">");
    assertThat(
            calls.stream()
                .filter(call -> call.matches(".*fdatasync\\(\\d+<.*" + queueFile + "\\)\\s*= 0")))
        .as("forces of the queue file in %s", calls)
        .hasSizeGreaterThanOrEqualTo(3);
    assertThat(calls)
        .anyMatch(call -> call.matches(".*fsync\\(\\d+<.*/journal>\\)\\s*= 0"))
        .anyMatch(call -> call.matches(".*fsync\\(\\d+<.*" + queueFile + "\\)\\s*= 0"));
  }

  @Test
  void mapped_forcesNothing() throws Exception {
    assertThat(trace("ASYNC")).noneMatch(call -> call.contains("/journal"));
  }

  /// The finished calls by which a child that journals 100 events brings files to storage.
  private List<String> trace(String durability) throws Exception {
    assumeTrue(
        works("strace", "-f", "-o", "/dev/null", "true"), "needs strace and the right to use it");
    Path trace = temp.resolve("trace");
    Path log = temp.resolve("child.log");
    Process child =
        ChildJvm.start(
            List.of(
                "strace",
                "-f",
                "-y",
                "-o",
                trace.toString(),
                "-e",
                "trace=fsync,fdatasync,msync,sync_file_range"),
            log,
            CommittingChild.class,
            temp.resolve("journal"),
            temp.resolve("committed"),
            durability,
            100);
    assertThat(child.waitFor(200, TimeUnit.SECONDS)).isTrue();
    assertThat(child.exitValue()).as("child's output: %s", Files.readString(log)).isZero();
    return Files.readAllLines(trace);
  }

  private static boolean works(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
