package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.journal.JournalFixture.Content;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Journals whose file was damaged: a reader gives the records before the damage, never others, and
/// says so.
@Timeout(120)
class JournalDamageTest {

  private static final int RECORDS = 40;

  @TempDir private Path temp;
  private Path directory;
  private byte[] good;
  private List<byte[]> records;

  /// Offsets of the records, and then of the end.
  private final int[] offsets = new int[RECORDS + 1];

  @BeforeEach
  void write() throws IOException {
    directory = JournalFixture.journal(temp.resolve("journal"), RECORDS);
    good = Files.readAllBytes(JournalFixture.queueFile(directory));
    records = JournalFixture.read(directory).records();
    int from = 0;
    for (int i = 0; i < RECORDS; i++) {
      offsets[i] = indexOf(good, records.get(i), from);
      from = offsets[i] + records.get(i).length;
    }
    offsets[RECORDS] = from;
  }

  private static int indexOf(byte[] bytes, byte[] part, int from) {
    int at = from;
    while (!Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
      at++;
    }
    return at;
  }

  @Test
  void anyBitOfARecordFlipped_isNoticedThere() throws IOException {
    for (int i = 0; i < RECORDS; i++) {
      for (int bit = 0; bit < 8 * records.get(i).length; bit += 37) {
        byte[] bad = good.clone();
        bad[offsets[i] + bit / 8] ^= (byte) (1 << bit % 8);
        expectDamageAt(i, bad);
      }
    }
  }

  @Test
  void anyBitOfALengthFlipped_isNoticedThere() throws IOException {
    for (int i = 0; i < RECORDS; i++) {
      for (int bit = 0; bit < 32; bit++) {
        byte[] bad = good.clone();
        bad[offsets[i] - 4 + bit / 8] ^= (byte) (1 << bit % 8);
        expectDamageAt(i, bad);
      }
    }
  }

  @Test
  void lengthZeroed_isNoticedThere() throws IOException {
    for (int i = 0; i < RECORDS; i++) {
      byte[] bad = good.clone();
      Arrays.fill(bad, offsets[i] - 4, offsets[i], (byte) 0);
      expectDamageAt(i, bad);
    }
  }

  @Test
  void recordZeroedWithItsLength_isNoticedThere() throws IOException {
    for (int i = 0; i < RECORDS - 1; i++) {
      byte[] bad = good.clone();
      Arrays.fill(bad, offsets[i] - 4, offsets[i] + records.get(i).length, (byte) 0);
      expectDamageAt(i, bad);
    }
  }

  @Test
  void recordRemoved_isNoticedThere() throws IOException {
    for (int i = 0; i < RECORDS - 1; i++) {
      byte[] bad = good.clone();
      int next = offsets[i + 1] - 4;
      System.arraycopy(good, next, bad, offsets[i] - 4, good.length - next);
      expectDamageAt(i, bad);
    }
  }

  @Test
  void recordsSwapped_isNoticed() throws IOException {
    byte[] other = Arrays.copyOfRange(good, offsets[7] - 4, offsets[8] - 4);
    byte[] bad = good.clone();
    System.arraycopy(good, offsets[8] - 4, bad, offsets[7] - 4, offsets[9] - offsets[8]);
    System.arraycopy(other, 0, bad, offsets[7] - 4 + offsets[9] - offsets[8], other.length);
    expectDamageAt(7, bad);
  }

  /// In the last record damage cannot be told from a crash: the record counts as never written.
  private void expectDamageAt(int position, byte[] bad) throws IOException {
    Files.write(JournalFixture.queueFile(directory), bad);
    try (JournalReader reader = JournalReader.open(directory)) {
      for (int i = 0; i < position; i++) {
        assertThat(reader.next()).isTrue();
        assertThat(Arrays.copyOf(reader.bytes(), reader.length())).isEqualTo(records.get(i));
      }
      if (position == RECORDS - 1) {
        assertThat(reader.next()).isFalse();
        assertThat(reader.tornTail()).isTrue();
      } else {
        assertThatThrownBy(reader::next)
            .isInstanceOf(JournalException.class)
            .hasMessageStartingWith(directory + ": damaged at position " + position + ": ");
      }
    }
  }

  @Test
  void cutAnywhere_endsAtTheLastWholeRecord() throws IOException {
    for (int length = offsets[0]; length <= offsets[RECORDS] + 8; length++) {
      int whole = 0;
      while (whole < RECORDS && offsets[whole] + records.get(whole).length <= length) {
        whole++;
      }
      Files.write(JournalFixture.queueFile(directory), Arrays.copyOf(good, length));
      Content content = JournalFixture.read(directory);
      assertThat(content.records()).as("length %d", length).hasSize(whole);
      boolean scraps = whole < RECORDS && length >= offsets[whole];
      assertThat(content.tornTail()).as("length %d", length).isEqualTo(scraps);
    }
  }

  @Test
  void recordThatWasBeingWritten_isATornTail() throws IOException {
    byte[] bad = good.clone();
    int last = offsets[RECORDS - 1];
    ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(last - 4, 1 << 31);
    Arrays.fill(bad, last + 10, bad.length, (byte) 0);
    Files.write(JournalFixture.queueFile(directory), bad);
    Content content = JournalFixture.read(directory);
    assertThat(content.records()).hasSize(RECORDS - 1);
    assertThat(content.tornTail()).isTrue();
  }

  @Test
  void anyDamageAnywhere_neverGivesAnotherRecord() throws IOException {
    long seed = 20261123;
    Random random = new Random(seed);
    int span = offsets[RECORDS] + 100;
    for (int round = 0; round < 800; round++) {
      byte[] bad = good.clone();
      for (int hits = 1 + random.nextInt(3); hits > 0; hits--) {
        int at = random.nextInt(span);
        switch (random.nextInt(4)) {
          case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> bad[at] = (byte) random.nextInt();
          case 2 -> Arrays.fill(bad, at, Math.min(span, at + random.nextInt(300)), (byte) 0);
          default ->
              System.arraycopy(
                  good,
                  random.nextInt(span - 200),
                  bad,
                  Math.min(at, span - 200),
                  random.nextInt(200));
        }
      }
      Files.write(JournalFixture.queueFile(directory), bad);
      List<byte[]> read = readAsFarAsPossible();
      assertThat(read.size()).isLessThanOrEqualTo(RECORDS);
      for (int i = 0; i < read.size(); i++) {
        assertThat(read.get(i))
            .as("record %d in round %d of seed %d", i, round, seed)
            .isEqualTo(records.get(i));
      }
    }
  }

  private List<byte[]> readAsFarAsPossible() {
    List<byte[]> read = new ArrayList<>();
    try (JournalReader reader = JournalReader.open(directory)) {
      while (reader.next()) {
        read.add(Arrays.copyOf(reader.bytes(), reader.length()));
      }
    } catch (JournalException e) {
      assertThat(e).hasMessageStartingWith(directory + ": ");
    }
    return read;
  }
}
