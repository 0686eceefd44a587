package io.fusespill.journal;

import io.fusespill.engine.codec.CodecException;
import io.fusespill.engine.codec.EventDecoder;
import io.fusespill.engine.event.EngineEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Reads a journal's records in order, whether it was finished, cut off by a crash, or is still
/// being written.
///
/// Each record is checked for its checksum and its position. Where a crash cut the journal off,
/// reading ends at the last whole record, and [#tornTail] tells of scraps behind it; damage before
/// that is an exception. Nothing in the directory is changed. Used by one thread.
public final class JournalReader implements AutoCloseable {

  /// Of a folder that holds no journal, in the message.
  private static final int FILES_NAMED = 3;

  private final Path directory;
  private final ExcerptFile file;
  private final JournalHeader header;
  private final List<UnaryOperator<byte[]>> upcasts;
  private final EventDecoder decoder = new EventDecoder();
  private byte[] record = {};
  private int length;
  private @Nullable EngineEvent event;
  private long next;
  private boolean tornTail;

  /// Opens the journal of a directory.
  ///
  /// @throws JournalException if there is no journal, or one that this program cannot read
  public static JournalReader open(Path directory) {
    return open(directory, Upcasters.REGISTERED);
  }

  static JournalReader open(Path directory, Upcasters upcasters) {
    try {
      ExcerptFile file = new ExcerptFile(queueFile(directory));
      try {
        return new JournalReader(directory, file, upcasters);
      } catch (IOException | RuntimeException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  /// Whether a living process writes the journal of this directory.
  public static boolean isBeingWritten(Path directory) {
    try {
      return Files.isDirectory(directory) && JournalLock.isHeld(directory);
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  private JournalReader(Path directory, ExcerptFile file, Upcasters upcasters) throws IOException {
    this.directory = directory;
    this.file = file;
    if (!file.next()) {
      throw new JournalException(
          "%s: holds no journal yet: its first excerpt is not complete, the writer has just begun or never came further"
              .formatted(directory));
    }
    byte[] bytes = new byte[file.length()];
    file.copyTo(bytes);
    try {
      header = JournalHeader.decode(bytes);
      upcasts = upcasters.from(header.schemaVersion());
    } catch (JournalException e) {
      throw new JournalException(directory + ": " + e.getMessage(), e);
    }
  }

  private static Path queueFile(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      throw new JournalException("%s: no such directory, so no journal".formatted(directory));
    }
    if (!Files.isDirectory(directory)) {
      throw new JournalException(
          "%s: is a file, and a journal is a directory".formatted(directory));
    }
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> sorted = files.sorted().toList();
      List<Path> queueFiles =
          sorted.stream().filter(file -> file.toString().endsWith(".cq4")).toList();
      if (queueFiles.size() != 1) {
        throw new JournalException(
            "%s: holds no journal: a journal has one file *.cq4, and here is %s"
                .formatted(directory, sorted.isEmpty() ? "nothing" : names(sorted)));
      }
      return queueFiles.getFirst();
    }
  }

  private static String names(List<Path> files) {
    String first =
        files.stream()
            .limit(FILES_NAMED)
            .map(file -> file.getFileName().toString())
            .collect(Collectors.joining(", "));
    int more = files.size() - FILES_NAMED;
    return more > 0 ? "%s and %,d more".formatted(first, more) : first;
  }

  public JournalHeader header() {
    return header;
  }

  /// Moves to the next record. While the journal is being written, `false` means that there is none
  /// yet, and a later call may find one.
  ///
  /// @throws JournalException if the journal is damaged here, naming the position
  public boolean next() {
    try {
      return findExcerpt() && takeRecord();
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  private boolean findExcerpt() throws IOException {
    if (file.next()) {
      return true;
    }
    if (JournalLock.isHeld(directory)) {
      return false;
    }
    // The writer may have added something between the two looks, and nothing after the second.
    return file.next() || endHere();
  }

  private boolean takeRecord() throws IOException {
    if (!copyIntact()) {
      return endHere();
    }
    long position = RecordFrame.position(record);
    if (position != next) {
      throw new JournalException(
          "%s: damaged at position %d: the record there says that it is number %d"
              .formatted(directory, next, position));
    }
    if (!upcasts.isEmpty()) {
      upcast();
    }
    try {
      event = decoder.decode(position, record, length);
    } catch (CodecException e) {
      throw new JournalException(directory + ": " + e.getMessage(), e);
    }
    next++;
    return true;
  }

  private void upcast() {
    record = Arrays.copyOf(record, length);
    for (UnaryOperator<byte[]> step : upcasts) {
      record = step.apply(record);
    }
    length = record.length;
  }

  /// A record that is being written while it is read may come out mixed the first time.
  private boolean copyIntact() throws IOException {
    length = file.length();
    if (record.length < length) {
      record = new byte[Math.max(length, 2 * record.length)];
    }
    file.copyTo(record);
    if (RecordFrame.intact(record, 0, length)) {
      return true;
    }
    file.reread();
    file.copyTo(record);
    return RecordFrame.intact(record, 0, length);
  }

  private boolean endHere() throws IOException {
    Remains remains = file.remains(next);
    if (remains.laterPosition() >= 0) {
      throw new JournalException(
          "%s: damaged at position %d: no intact record there, but one of position %d behind it"
              .formatted(directory, next, remains.laterPosition()));
    }
    tornTail = remains.scraps();
    return false;
  }

  /// Position of the present record: 0 for the first.
  public long position() {
    return next - 1;
  }

  /// The present record, decoded.
  public EngineEvent event() {
    if (event == null) {
      throw new IllegalStateException("no record has been read: call next() first");
    }
    return event;
  }

  /// The array whose first [#length] bytes are the present record, until the next one is read.
  public byte[] bytes() {
    return record;
  }

  /// Length of the present record in bytes.
  public int length() {
    return length;
  }

  /// Whether scraps of a record lie behind the last whole one: the writer was cut off. Known once
  /// [#next] has returned `false`.
  public boolean tornTail() {
    return tornTail;
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  private static JournalException unreadable(Path directory, IOException e) {
    return new JournalException("%s: cannot be read: %s".formatted(directory, e), e);
  }
}
