package io.fusespill.sweep;

import io.fusespill.sweep.ScenarioResult.Finished;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Finished scenarios in a file that survives a crash at any moment.
///
/// Each is a line: the CRC-32C of its JSON in 8 hexadecimal digits, a space, the JSON, `\n`. A line
/// goes out in one write and on storage within about a second. A last line without its end is what
/// a crash leaves; it is cut off. Any other line that does not match its checksum is passed over,
/// and its scenario is run again.
///
/// Thread-safe. One process at a time: the file is locked.
final class ResultStore implements AutoCloseable {

  static final String FILE = "scenarios.log";

  private static final int CRC_DIGITS = 8;
  private static final long SYNC_NANOS = 1_000_000_000L;

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Finished> finished = new LinkedHashMap<>();
  private long syncedNanos = System.nanoTime();

  /// Opens the store of a directory, which may have none yet.
  ///
  /// @param notes hears what was found damaged
  /// @throws SweepException if another process has it open
  ResultStore(Path directory, Consumer<String> notes) {
    file = directory.resolve(FILE);
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      lock();
      load(notes);
    } catch (IOException e) {
      throw failed("read", e);
    }
  }

  private void lock() throws IOException {
    boolean locked;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      locked = false;
    }
    if (!locked) {
      channel.close();
      throw new SweepException(
          "%s is in use: another process is running this sweep; wait for it, or choose another folder with --out"
              .formatted(file.getParent()));
    }
  }

  private void load(Consumer<String> notes) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int start = 0;
    int line = 0;
    for (int end = next(bytes, 0); end < bytes.length; end = next(bytes, start)) {
      line++;
      Finished result = parse(new String(bytes, start, end - start, StandardCharsets.UTF_8));
      if (result == null) {
        notes.accept(
            "%s:%d: the record is damaged and passed over; its scenario is run again"
                .formatted(file, line));
      } else {
        finished.put(result.key(), result);
      }
      start = end + 1;
    }
    if (start < bytes.length) {
      notes.accept(
          "%s:%d: the last record is incomplete, as a crash leaves it: dropped %,d bytes"
              .formatted(file, line + 1, bytes.length - start));
      channel.truncate(start);
    }
    channel.position(start);
  }

  /// Where the line that begins at `start` ends: its `\n`, or the end of everything.
  private static int next(byte[] bytes, int start) {
    int end = start;
    while (end < bytes.length && bytes[end] != '\n') {
      end++;
    }
    return end;
  }

  private static @Nullable Finished parse(String line) {
    if (line.length() > CRC_DIGITS && line.charAt(CRC_DIGITS) == ' ') {
      String json = line.substring(CRC_DIGITS + 1);
      if (line.startsWith(crc(json))) {
        try {
          return ScenarioResult.fromJson(json) instanceof Finished result ? result : null;
        } catch (IllegalArgumentException e) {
          // Whole, but of a version with other figures.
          return null;
        }
      }
    }
    return null;
  }

  private static String crc(String json) {
    CRC32C crc = new CRC32C();
    crc.update(json.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  /// Results by their keys, in the order in which they were kept.
  synchronized Map<String, Finished> finished() {
    return new LinkedHashMap<>(finished);
  }

  /// Keeps a result; one of a key that it has already changes nothing.
  synchronized void add(Finished result) {
    if (finished.putIfAbsent(result.key(), result) != null) {
      return;
    }
    String json = result.toJson();
    ByteBuffer line =
        ByteBuffer.wrap("%s %s\n".formatted(crc(json), json).getBytes(StandardCharsets.UTF_8));
    try {
      while (line.hasRemaining()) {
        channel.write(line);
      }
      if (System.nanoTime() - syncedNanos > SYNC_NANOS) {
        channel.force(false);
        syncedNanos = System.nanoTime();
      }
    } catch (IOException e) {
      throw failed("written", e);
    }
  }

  @Override
  public synchronized void close() {
    try {
      channel.force(false);
      channel.close();
    } catch (IOException e) {
      throw failed("written", e);
    }
  }

  private UncheckedIOException failed(String done, IOException e) {
    return new UncheckedIOException("%s cannot be %s (%s)".formatted(file, done, e), e);
  }
}
