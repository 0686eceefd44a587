package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A writing process is killed without warning (SIGKILL): what it had committed is there, whole and
/// in order.
///
/// More kills: `./mvnw -pl journal -am test -Dtest=CrashTest
/// -Dsurefire.failIfNoSpecifiedTests=false -Dtest.jvm.flags=-Dcrashes=100`.
@Timeout(900)
class CrashTest {

  private static final int CRASHES = Integer.getInteger("crashes", 25);
  private static final long SEED = 20261123;

  @TempDir private Path temp;
  private Process child;

  @AfterEach
  void killChild() {
    if (child != null) {
      child.destroyForcibly();
    }
  }

  @Test
  void killedWriter_losesNothingCommitted() throws Exception {
    Random random = new Random(SEED);
    for (int crash = 0; crash < CRASHES; crash++) {
      Path directory = Files.createDirectory(temp.resolve("crash" + crash)).resolve("journal");
      MappedByteBuffer committed = startWriter(directory);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(120));
      child.destroyForcibly().waitFor();
      assertThat(JournalReader.isBeingWritten(directory)).isFalse();
      assertThat(checkedRecords(directory))
          .as("records after crash %d of seed %d", crash, SEED)
          .isGreaterThanOrEqualTo(committed.getLong(0));
    }
  }

  private static long checkedRecords(Path directory) {
    try (JournalReader reader = JournalReader.open(directory)) {
      long records = 0;
      while (reader.next()) {
        assertThat(reader.event()).isEqualTo(Events.event(records));
        records++;
      }
      return records;
    }
  }

  @Test
  void journalOfAnotherProcess_isReadWhileWrittenAndNotWritten() throws Exception {
    Path directory = temp.resolve("journal");
    MappedByteBuffer committed = startWriter(directory);
    assertThatThrownBy(() -> Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            "%s: is being written by process %d; choose another directory"
                .formatted(directory, child.pid()));
    long known = committed.getLong(0);
    try (JournalReader reader = JournalReader.open(directory)) {
      for (long i = 0; i < known; i++) {
        assertThat(reader.next()).isTrue();
        assertThat(reader.event()).isEqualTo(Events.event(i));
      }
    }
    assertThat(JournalReader.isBeingWritten(directory)).isTrue();
    child.destroyForcibly().waitFor();
    assertThatThrownBy(() -> Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("journal.lock, metadata.cq4t already");
  }

  /// Returns, once the child has committed something, the count of what it has committed.
  private MappedByteBuffer startWriter(Path directory) throws Exception {
    Path counter = directory.resolveSibling("committed");
    Path log = directory.resolveSibling("child.log");
    MappedByteBuffer committed = CommittingChild.map(counter);
    child = ChildJvm.start(List.of(), log, CommittingChild.class, directory, counter, "ASYNC", 0);
    while (committed.getLong(0) == 0) {
      assertThat(child.isAlive()).as("child's output: %s", Files.readString(log)).isTrue();
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(JournalReader.isBeingWritten(directory)).isTrue();
    return committed;
  }
}
