package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A journal on real file systems that fill up.
@Timeout(120)
class DiskFullTest {

  private static final int MEGABYTES = 8;

  enum FileSystem {
    TMPFS {
      @Override
      boolean mount(Path image, Path point) {
        return works(
            "mount", "-t", "tmpfs", "-o", "size=" + MEGABYTES + "m", "tmpfs", point.toString());
      }
    },
    EXT4 {
      @Override
      boolean mount(Path image, Path point) {
        return works("truncate", "-s", MEGABYTES + "m", image.toString())
            && works("mkfs.ext4", "-q", "-F", image.toString())
            && works("mount", "-o", "loop", image.toString(), point.toString());
      }
    };

    abstract boolean mount(Path image, Path point);
  }

  @TempDir private Path temp;
  private Path point;

  @AfterEach
  void unmount() {
    // Lazily: Chronicle gives its mappings back in the background.
    works("umount", "-l", point.toString());
  }

  @ParameterizedTest
  @EnumSource
  void append_diskFull_isRefusedAndAllBeforeStays(FileSystem fileSystem) throws Exception {
    point = Files.createDirectory(temp.resolve("disk"));
    assumeTrue(fileSystem.mount(temp.resolve("image"), point), "needs root and the right to mount");
    Path directory = point.resolve("journal");
    long appended;
    try (DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))) {
      assertThatThrownBy(
              () -> {
                while (true) {
                  log.append(Events.event(log.events()));
                }
              })
          .isInstanceOf(JournalException.class)
          .hasMessageStartingWith(directory + ": no room for the journal: its file needs ")
          .hasMessageContaining("No space left on device");
      appended = log.events();
    }
    List<byte[]> records = JournalFixture.read(directory).records();
    assertThat(records).hasSize((int) appended).hasSizeGreaterThan(50_000);
    for (int i = 0; i < appended; i++) {
      assertThat(records.get(i)).isEqualTo(Events.record(i, Events.event(i)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void create_diskFull_isRefused(FileSystem fileSystem) throws Exception {
    point = Files.createDirectory(temp.resolve("disk"));
    assumeTrue(fileSystem.mount(temp.resolve("image"), point), "needs root and the right to mount");
    fill(point.resolve("filler"));
    Path directory = point.resolve("journal");
    assertThatThrownBy(() -> Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))
        .isInstanceOf(JournalException.class)
        .hasMessageStartingWith(directory + ": ")
        .hasMessageContaining("(0 bytes are free there, and 262144 are needed)");
    assertThat(directory)
        .satisfiesAnyOf(
            path -> assertThat(path).doesNotExist(), path -> assertThat(path).isEmptyDirectory());
    Files.delete(point.resolve("filler"));
    assertThat(JournalFixture.read(JournalFixture.journal(point.resolve("second"), 10)).records())
        .hasSize(10);
  }

  private static void fill(Path file) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      byte[] block = new byte[512];
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
    }
  }

  private static boolean works(String... command) {
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
