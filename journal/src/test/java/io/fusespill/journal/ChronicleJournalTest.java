package io.fusespill.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.StepFailed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChronicleJournalTest {

  @TempDir private Path temp;

  @ParameterizedTest
  @EnumSource(names = {"ASYNC", "SYNC"})
  void append_readBack_isTheSame(Durability durability) {
    Path directory = temp.resolve("a/b/journal");
    List<EngineEvent> events = Events.events(500);
    try (DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, durability))) {
      events.forEach(log::append);
    }
    try (JournalReader reader = JournalReader.open(directory)) {
      assertThat(reader.header()).isEqualTo(JournalFixture.HEADER);
      for (int i = 0; i < events.size(); i++) {
        assertThat(reader.next()).isTrue();
        assertThat(reader.position()).isEqualTo(i);
        assertThat(reader.event()).isEqualTo(events.get(i));
        assertThat(reader.bytes()).startsWith(Events.record(i, events.get(i)));
        assertThat(reader.length()).isEqualTo(Events.record(i, events.get(i)).length);
      }
      assertThat(reader.next()).isFalse();
      assertThat(reader.next()).isFalse();
      assertThat(reader.tornTail()).isFalse();
    }
  }

  @Test
  void create_none_touchesNothing() {
    Path directory = temp.resolve("journal");
    try (DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.NONE))) {
      Events.events(10).forEach(log::append);
      assertThat(log.events()).isEqualTo(10);
      assertThat(log.digest()).hasSize(64);
    }
    assertThat(directory).doesNotExist();
  }

  @Test
  void files_sameEvents_areTheSameByteForByte() throws Exception {
    Path first = JournalFixture.journal(temp.resolve("first"), 3000);
    Path second = JournalFixture.journal(temp.resolve("second"), 3000);
    assertThat(fileNames(first)).containsExactly("19700101L.cq4", "metadata.cq4t");
    for (String name : fileNames(first)) {
      assertThat(first.resolve(name)).hasSameBinaryContentAs(second.resolve(name));
    }
  }

  @Test
  void close_smallJournal_isCutToItsContent() throws Exception {
    Path directory = JournalFixture.journal(temp.resolve("journal"), 100);
    assertThat(Files.size(JournalFixture.queueFile(directory))).isLessThan(60_000);
  }

  /// The reader does without Chronicle: whether it reads what Chronicle wrote is for Chronicle's
  /// own reader to say.
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 300, 200_000})
  void excerpts_readByChronicle_areThoseThatTheReaderFinds(int count) throws Exception {
    Path directory = JournalFixture.journal(temp.resolve("journal"), count);
    List<byte[]> excerpts = new ArrayList<>();
    try (ChronicleQueue queue =
            SingleChronicleQueueBuilder.binary(directory).readOnly(true).build();
        ExcerptTailer tailer = queue.createTailer()) {
      Bytes<?> excerpt = Bytes.allocateElasticOnHeap();
      while (tailer.readBytes(excerpt.clear())) {
        excerpts.add(excerpt.toByteArray());
      }
    }
    assertThat(JournalHeader.decode(excerpts.removeFirst())).isEqualTo(JournalFixture.HEADER);
    List<byte[]> records = JournalFixture.read(directory).records();
    assertThat(records).hasSameSizeAs(excerpts).hasSize(count);
    for (int i = 0; i < count; i++) {
      assertThat(records.get(i)).isEqualTo(excerpts.get(i));
    }
  }

  @Test
  void append_longestRecord_isKept() {
    Path directory = temp.resolve("journal");
    EngineEvent longest = Events.ofBytes(Journal.RECORD_BYTES_MAX);
    try (DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))) {
      log.append(longest);
      log.append(Events.event(1));
      assertThatThrownBy(() -> log.append(Events.ofBytes(Journal.RECORD_BYTES_MAX + 1)))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("4194305 bytes, a journal takes at most 4194304");
      log.append(Events.event(2));
    }
    List<byte[]> records = JournalFixture.read(directory).records();
    assertThat(records).hasSize(3);
    assertThat(records.get(0)).isEqualTo(Events.record(0, longest));
    assertThat(records.get(2)).isEqualTo(Events.record(2, Events.event(2)));
  }

  @Test
  @SuppressWarnings("DataFlowIssue")
  void append_eventThatCannotBeEncoded_leavesNoTrace() {
    Path directory = temp.resolve("journal");
    String digest;
    try (DirectLog log =
        new DirectLog(Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))) {
      log.append(Events.event(0));
      assertThatThrownBy(() -> log.append(new StepFailed(1, 0, 1, null)))
          .isInstanceOf(NullPointerException.class);
      assertThat(log.append(Events.event(1))).isEqualTo(1);
      digest = log.digest();
    }
    assertThat(JournalFixture.read(directory).records())
        .containsExactly(Events.record(0, Events.event(0)), Events.record(1, Events.event(1)));
    try (DirectLog log = new DirectLog(Journal.none())) {
      Events.events(2).forEach(log::append);
      assertThat(log.digest()).isEqualTo(digest);
    }
  }

  @Test
  void create_directoryBeingWritten_isRefusedNamingTheWriter() {
    Path directory = temp.resolve("journal");
    try (Journal journal = Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC)) {
      journal.commit();
      assertThat(JournalReader.isBeingWritten(directory)).isTrue();
      assertThatThrownBy(() -> Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))
          .isInstanceOf(JournalException.class)
          .hasMessage(directory + ": is being written by this process; choose another directory");
      assertThat(JournalReader.isBeingWritten(directory)).isTrue();
    }
    assertThat(JournalReader.isBeingWritten(directory)).isFalse();
  }

  @Test
  void create_finishedJournal_isRefusedAndUnchanged() throws Exception {
    Path directory = JournalFixture.journal(temp.resolve("journal"), 10);
    var before = JournalFixture.snapshot(directory);
    assertThatThrownBy(() -> Journal.create(directory, JournalFixture.HEADER, Durability.ASYNC))
        .isInstanceOf(JournalException.class)
        .hasMessage(
            directory
                + ": holds 19700101L.cq4, metadata.cq4t already, and a journal is written once; choose a new directory");
    assertThat(JournalFixture.snapshot(directory)).isEqualTo(before);
  }

  @Test
  void create_file_isRefused() throws Exception {
    Path file = Files.createFile(temp.resolve("journal"));
    assertThatThrownBy(() -> Journal.create(file, JournalFixture.HEADER, Durability.ASYNC))
        .isInstanceOf(JournalException.class)
        .hasMessage(file + ": is a file, and a journal is a directory; choose another name");
  }

  @Test
  void append_diskFull_isRefusedAndAllBeforeStays() {
    Path directory = temp.resolve("journal");
    int appended = 0;
    Journal journal =
        ChronicleJournal.create(
            directory,
            JournalFixture.HEADER,
            false,
            path -> new SmallDisk(new FileStorage(path), 1 << 20));
    try (DirectLog log = new DirectLog(journal)) {
      assertThatThrownBy(
              () -> {
                while (true) {
                  log.append(Events.event(log.events()));
                }
              })
          .isInstanceOf(JournalException.class)
          .hasMessageStartingWith(directory + ": no room for the journal: its file needs ")
          .hasMessageContaining(" the disk has 4711 bytes free;")
          .hasMessageEndingWith("(No space left on device)");
      appended = (int) log.events();
    }
    List<byte[]> records = JournalFixture.read(directory).records();
    assertThat(records).hasSize(appended).hasSizeGreaterThan(5000);
    assertThat(records.getLast())
        .isEqualTo(Events.record(appended - 1, Events.event(appended - 1)));
  }

  @Test
  void create_diskFull_leavesNothing() throws Exception {
    Path directory = temp.resolve("journal");
    assertThatThrownBy(() ->
            ChronicleJournal.create(
                directory,
                JournalFixture.HEADER,
                false,
                path -> new SmallDisk(new FileStorage(path), 1000)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("no room for the journal");
    assertThat(fileNames(directory)).isEmpty();
    JournalFixture.journal(directory, 10);
  }

  @Test
  void commit_synced_forcesOnceABatch() throws Exception {
    List<String> calls = new ArrayList<>();
    try (Journal journal =
        ChronicleJournal.create(
            temp.resolve("synced"),
            JournalFixture.HEADER,
            true,
            path -> new CountedStorage(new FileStorage(path), calls))) {
      assertThat(calls).containsExactly("force", "forceNames");
      calls.clear();
      byte[] record = Events.record(0, Events.event(0));
      journal.append(record, record.length);
      journal.append(record, record.length);
      assertThat(calls).isEmpty();
      journal.commit();
      assertThat(calls).containsExactly("force");
    }
  }

  @Test
  void commit_notSynced_forcesNothing() throws Exception {
    List<String> calls = new ArrayList<>();
    try (Journal journal =
        ChronicleJournal.create(
            temp.resolve("mapped"),
            JournalFixture.HEADER,
            false,
            path -> new CountedStorage(new FileStorage(path), calls))) {
      journal.commit();
    }
    assertThat(calls).isEmpty();
  }

  @Test
  void commit_storageFails_throwsNamingTheJournal() {
    Path directory = temp.resolve("journal");
    boolean[] broken = {false};
    try (Journal journal =
        ChronicleJournal.create(
            directory,
            JournalFixture.HEADER,
            true,
            path ->
                new DelegatingStorage(new FileStorage(path)) {
                  @Override
                  public void force() throws IOException {
                    if (broken[0]) {
                      throw new IOException("Input/output error");
                    }
                    super.force();
                  }
                })) {
      broken[0] = true;
      assertThatThrownBy(journal::commit)
          .isInstanceOf(JournalException.class)
          .hasMessage(directory + ": the storage did not take the journal: Input/output error");
      broken[0] = false;
    }
  }

  private static List<String> fileNames(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static class DelegatingStorage implements JournalStorage {

    private final JournalStorage storage;

    DelegatingStorage(JournalStorage storage) {
      this.storage = storage;
    }

    @Override
    public void read(ByteBuffer bytes, long offset) throws IOException {
      storage.read(bytes, offset);
    }

    @Override
    public void write(ByteBuffer bytes, long offset) throws IOException {
      storage.write(bytes, offset);
    }

    @Override
    public void force() throws IOException {
      storage.force();
    }

    @Override
    public void forceNames() throws IOException {
      storage.forceNames();
    }

    @Override
    public String usableBytes() {
      return storage.usableBytes();
    }

    @Override
    public void truncate(long bytes) throws IOException {
      storage.truncate(bytes);
    }

    @Override
    public void close() throws IOException {
      storage.close();
    }
  }

  /// A disk with room for files up to `bytesMax`.
  private static final class SmallDisk extends DelegatingStorage {

    private final long bytesMax;

    SmallDisk(JournalStorage storage, long bytesMax) {
      super(storage);
      this.bytesMax = bytesMax;
    }

    @Override
    public void write(ByteBuffer bytes, long offset) throws IOException {
      if (offset + bytes.remaining() > bytesMax) {
        throw new IOException("No space left on device");
      }
      super.write(bytes, offset);
    }

    @Override
    public String usableBytes() {
      return "4711";
    }
  }

  private static final class CountedStorage extends DelegatingStorage {

    private final List<String> calls;

    CountedStorage(JournalStorage storage, List<String> calls) {
      super(storage);
      this.calls = calls;
    }

    @Override
    public void force() throws IOException {
      calls.add("force");
      super.force();
    }

    @Override
    public void forceNames() throws IOException {
      calls.add("forceNames");
      super.forceNames();
    }
  }
}
