package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.codec.EventDecoder;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JournalReaderTest {

  @TempDir private Path temp;

  @Test
  void open_absent_saysSo() {
    Path directory = temp.resolve("none");
    assertThatThrownBy(() -> JournalReader.open(directory))
        .isInstanceOf(JournalException.class)
        .hasMessage(directory + ": no such directory, so no journal");
    assertThat(directory).doesNotExist();
    assertThat(JournalReader.isBeingWritten(directory)).isFalse();
  }

  @Test
  void open_emptyDirectory_saysSo() {
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessage(temp + ": holds no journal: a journal has one file *.cq4, and here is nothing");
  }

  @Test
  void open_otherFiles_namesThem() throws Exception {
    Files.createFile(temp.resolve("b.csv"));
    Files.createFile(temp.resolve("a.json"));
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessageEndingWith("and here is a.json, b.csv");
    for (String more : List.of("c", "d", "e")) {
      Files.createFile(temp.resolve(more));
    }
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessageEndingWith("and here is a.json, b.csv, c and 2 more");
  }

  @Test
  void open_file_saysSo() throws Exception {
    Path file = Files.createFile(temp.resolve("journal"));
    assertThatThrownBy(() -> JournalReader.open(file))
        .isInstanceOf(JournalException.class)
        .hasMessage(file + ": is a file, and a journal is a directory");
    assertThat(JournalReader.isBeingWritten(file)).isFalse();
  }

  @Test
  void open_foreignQueue_saysWhatItBeginsWith() {
    foreign(excerpt -> excerpt.append("hello, world, hello"));
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            temp
                + ": is a Chronicle queue but no journal: it begins with '68656c6c6f2c2077' in hex, not with 'FSJOURNL'");
  }

  @Test
  void open_rolledForeignQueue_namesItsFiles() throws Exception {
    foreign(excerpt -> excerpt.append("hello"));
    Files.createFile(temp.resolve("20000101F.cq4"));
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("20000101F.cq4, ");
  }

  @Test
  void open_emptyQueueFile_saysThatNothingIsThereYet() throws Exception {
    Files.createFile(temp.resolve("19700101L.cq4"));
    assertThatThrownBy(() -> JournalReader.open(temp))
        .isInstanceOf(JournalException.class)
        .hasMessageStartingWith(temp + ": holds no journal yet");
  }

  @Test
  void open_newerSchema_saysSo() {
    JournalHeader newer =
        new JournalHeader(
            2, "9.9", JournalFixture.HEADER.configDigest(), JournalFixture.HEADER.configJson());
    Path directory = temp.resolve("journal");
    Journal.create(directory, newer, Durability.ASYNC).close();
    assertThatThrownBy(() -> JournalReader.open(directory))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            directory
                + ": has schema version 2, and this program reads versions up to 1: a newer one wrote it, read it with that");
  }

  /// An invented version 0, whose cancellations count requests from 1.
  @Test
  void next_olderSchema_isUpcast() {
    Path directory = temp.resolve("journal");
    JournalHeader older =
        new JournalHeader(
            0, "0.0", JournalFixture.HEADER.configDigest(), JournalFixture.HEADER.configJson());
    try (DirectLog log = new DirectLog(Journal.create(directory, older, Durability.ASYNC))) {
      log.append(new RequestCancelled(5, 1));
      log.append(new RequestCancelled(6, 300));
    }
    assertThatThrownBy(() -> JournalReader.open(directory))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            directory + ": has schema version 0, which this program no longer reads; today's is 1");
    Upcasters upcasters = new Upcasters(Map.of(0, JournalReaderTest::countFromZero));
    try (JournalReader reader = JournalReader.open(directory, upcasters)) {
      assertThat(reader.header().schemaVersion()).isZero();
      assertThat(reader.next()).isTrue();
      assertThat(reader.event()).isEqualTo(new RequestCancelled(5, 0));
      assertThat(reader.next()).isTrue();
      assertThat(reader.event()).isEqualTo(new RequestCancelled(6, 299));
      assertThat(Arrays.copyOf(reader.bytes(), reader.length()))
          .isEqualTo(Events.record(1, new RequestCancelled(6, 299)));
      assertThat(reader.next()).isFalse();
    }
  }

  private static byte[] countFromZero(byte[] record) {
    long position = RecordFrame.position(record);
    EngineEvent old = new EventDecoder().decode(position, record, record.length);
    RequestCancelled cancelled = (RequestCancelled) old;
    EventEncoder encoder = new EventEncoder();
    int length =
        encoder.encode(
            position, new RequestCancelled(cancelled.atNanos(), cancelled.request() - 1));
    return Arrays.copyOf(encoder.bytes(), length);
  }

  @Test
  void event_beforeNext_isRefused() {
    try (JournalReader reader = JournalReader.open(JournalFixture.journal(temp.resolve("j"), 1))) {
      assertThatThrownBy(reader::event).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void read_leavesTheDirectoryAsItWas() throws Exception {
    Path directory = JournalFixture.journal(temp.resolve("journal"), 1000);
    var before = JournalFixture.snapshot(directory);
    assertThat(JournalFixture.read(directory).records()).hasSize(1000);
    assertThat(JournalFixture.snapshot(directory)).isEqualTo(before);
  }

  @Test
  void read_withoutMetadataFile_isTheSame() throws Exception {
    Path directory = JournalFixture.journal(temp.resolve("journal"), 100);
    Files.delete(directory.resolve("metadata.cq4t"));
    assertThat(JournalFixture.read(directory).records()).hasSize(100);
  }

  @Test
  void next_whileWriting_followsTheWriter() {
    Path directory = temp.resolve("journal");
    try (DirectLog log =
            new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC));
        JournalReader reader = JournalReader.open(directory)) {
      for (int i = 0; i < 300; i++) {
        assertThat(reader.next()).isFalse();
        assertThat(reader.tornTail()).isFalse();
        log.append(Events.event(i));
        assertThat(reader.next()).isTrue();
        assertThat(reader.event()).isEqualTo(Events.event(i));
      }
    }
  }

  /// A second process could see a record half-way; a second thread does.
  @Test
  void next_whileWritingAtFullSpeed_seesEveryRecordOnce() throws Exception {
    int count = 300_000;
    Path directory = temp.resolve("journal");
    DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC));
    Thread writer =
        new Thread(() -> {
          try (log) {
            for (int i = 0; i < count; i++) {
              log.append(Events.event(i));
            }
          }
        });
    writer.start();
    EventDigest read = new EventDigest();
    try (JournalReader reader = JournalReader.open(directory)) {
      while (read.events() < count) {
        boolean over = !writer.isAlive();
        while (reader.next()) {
          read.add(reader.bytes(), reader.length());
        }
        assertThat(over).isEqualTo(over && read.events() == count);
        TimeUnit.MILLISECONDS.sleep(1);
      }
      assertThat(reader.next()).isFalse();
      assertThat(reader.tornTail()).isFalse();
    }
    writer.join();
    assertThat(read.hex()).isEqualTo(log.digest());
  }

  @Test
  void next_recordMissing_namesThePosition() {
    Path directory = temp.resolve("journal");
    try (Journal journal = Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC)) {
      for (int position : new int[] {0, 1, 3, 4}) {
        byte[] record = Events.record(position, Events.event(position));
        journal.append(record, record.length);
      }
    }
    try (JournalReader reader = JournalReader.open(directory)) {
      assertThat(reader.next()).isTrue();
      assertThat(reader.next()).isTrue();
      assertThatThrownBy(reader::next)
          .isInstanceOf(JournalException.class)
          .hasMessage(
              directory + ": damaged at position 2: the record there says that it is number 3");
    }
  }

  @Test
  void next_typeOfANewerProgram_namesThePosition() {
    Path directory = temp.resolve("journal");
    byte[] record = Events.record(0, new RequestCancelled(0, 0));
    ByteBuffer fields = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    fields.putShort(0, (short) 50);
    CRC32C crc = new CRC32C();
    crc.update(record, 0, 24);
    crc.update(record, 28, record.length - 28);
    fields.putInt(24, (int) crc.getValue());
    try (Journal journal = Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC)) {
      journal.append(record, record.length);
    }
    try (JournalReader reader = JournalReader.open(directory)) {
      assertThatThrownBy(reader::next)
          .isInstanceOf(JournalException.class)
          .hasMessage(
              directory
                  + ": record at position 0 has type 50 version 1, which this version does not know; a newer one wrote it");
    }
  }

  private void foreign(Consumer<Bytes<?>> content) {
    try (ChronicleQueue queue = SingleChronicleQueueBuilder.binary(temp).build();
        ExcerptAppender appender = queue.createAppender()) {
      Bytes<?> excerpt = Bytes.allocateElasticOnHeap();
      content.accept(excerpt);
      appender.writeBytes(excerpt);
    }
  }
}
