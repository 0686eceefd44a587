package io.fusespill.journal;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256 over the canonical bytes of a log's events in order, with their number and size.
///
/// Two logs with the same digest hold the same events at the same positions. Records are gathered
/// into chunks, because a digest is slow to take many small pieces.
public final class EventDigest {

  private static final int CHUNK_BYTES = 16 << 10;

  private final MessageDigest sha256 = sha256();
  private final byte[] chunk = new byte[CHUNK_BYTES];
  private int chunkBytes;
  private long events;
  private long bytes;

  /// Takes the next record: the first `length` bytes of `record`.
  public void add(byte[] record, int length) {
    events++;
    bytes += length;
    if (chunkBytes + length > CHUNK_BYTES) {
      flush();
    }
    if (length > CHUNK_BYTES) {
      sha256.update(record, 0, length);
    } else {
      System.arraycopy(record, 0, chunk, chunkBytes, length);
      chunkBytes += length;
    }
  }

  private void flush() {
    sha256.update(chunk, 0, chunkBytes);
    chunkBytes = 0;
  }

  /// Number of records taken.
  public long events() {
    return events;
  }

  /// Size of the records taken, without what any journal adds.
  public long bytes() {
    return bytes;
  }

  /// The digest of the records taken so far, in lower-case hex. More may follow.
  public String hex() {
    flush();
    try {
      return HexFormat.of().formatHex(((MessageDigest) sha256.clone()).digest());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the platform's SHA-256 cannot be copied", e);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
