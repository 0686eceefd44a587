package io.fusespill.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Journals for tests, and what is in them.
final class JournalFixture {

  static final JournalHeader HEADER = JournalHeader.of("test", "{\"a\":1}");

  /// What reading a journal to its end gave.
  record Content(List<byte[]> records, boolean tornTail) {}

  private JournalFixture() {}

  /// A finished journal of the first `count` events.
  static Path journal(Path directory, int count) {
    try (DirectLog log = new DirectLog(Journal.create(directory, HEADER, Durability.ASYNC))) {
      Events.events(count).forEach(log::append);
    }
    return directory;
  }

  static Path queueFile(Path directory) {
    return directory.resolve(FileStorage.QUEUE_FILE);
  }

  static Content read(Path directory) {
    try (JournalReader reader = JournalReader.open(directory)) {
      List<byte[]> records = new ArrayList<>();
      while (reader.next()) {
        records.add(Arrays.copyOf(reader.bytes(), reader.length()));
      }
      return new Content(records, reader.tornTail());
    }
  }

  /// Names, sizes, times and digests of all files.
  static SortedMap<String, String> snapshot(Path directory) throws IOException {
    SortedMap<String, String> snapshot = new TreeMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        String content =
            Files.isDirectory(file)
                ? "directory"
                : HexFormat.of().formatHex(EventDigest.sha256().digest(Files.readAllBytes(file)));
        snapshot.put(file.toString(), content + " " + Files.getLastModifiedTime(file));
      }
    }
    return snapshot;
  }
}
