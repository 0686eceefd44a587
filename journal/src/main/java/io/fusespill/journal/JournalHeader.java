package io.fusespill.journal;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// The first excerpt of a journal: what wrote it, under which configuration. Little-endian:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | the letters `FSJOURNL` |
/// | 8 | 4 | CRC-32C of all that follows |
/// | 12 | 4 | schema version |
/// | 16 | | engine version, configuration digest, configuration: each its length in 4 bytes, then UTF-8 |
///
/// The first 16 bytes are the same in every schema version.
///
/// @param schemaVersion version of the records' layout; [#SCHEMA_VERSION] in new journals
/// @param engineVersion version of the engine that decided
/// @param configDigest SHA-256 of `configJson`, in lower-case hex
/// @param configJson the resolved configuration as canonical JSON, opaque here
public record JournalHeader(
    int schemaVersion, String engineVersion, String configDigest, String configJson) {

  /// The schema version that is written today.
  public static final int SCHEMA_VERSION = 1;

  private static final long MAGIC = 0x4C4E52554F4A5346L;
  private static final int CRC = 8;
  private static final int SCHEMA = 12;
  private static final int TEXTS = 16;

  public JournalHeader {
    String digest = sha256(configJson);
    if (!digest.equals(configDigest)) {
      throw new IllegalArgumentException(
          "configuration has SHA-256 %s, but %s was given with it".formatted(digest, configDigest));
    }
  }

  /// The header of a new journal.
  public static JournalHeader of(String engineVersion, String configJson) {
    return new JournalHeader(SCHEMA_VERSION, engineVersion, sha256(configJson), configJson);
  }

  byte[] encode() {
    byte[][] texts = {utf8(engineVersion), utf8(configDigest), utf8(configJson)};
    int length = TEXTS;
    for (byte[] text : texts) {
      length += Integer.BYTES + text.length;
    }
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putLong(0, MAGIC).putInt(SCHEMA, schemaVersion).position(TEXTS);
    for (byte[] text : texts) {
      buffer.putInt(text.length).put(text);
    }
    return buffer.putInt(CRC, crc(buffer.array())).array();
  }

  /// @throws JournalException if the bytes are no header, damaged, or of a newer schema; the
  ///   message is to follow the journal's name
  static JournalHeader decode(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < TEXTS || buffer.getLong(0) != MAGIC) {
      throw new JournalException(
          "is a Chronicle queue but no journal: it begins with '%s' in hex, not with 'FSJOURNL'"
              .formatted(HexFormat.of().formatHex(bytes, 0, Math.min(8, bytes.length))));
    }
    if (buffer.getInt(CRC) != crc(bytes)) {
      throw new JournalException("has a damaged header: its checksum does not match");
    }
    int schema = buffer.getInt(SCHEMA);
    if (schema < 0 || schema > SCHEMA_VERSION) {
      throw new JournalException(
          "has schema version %d, and this program reads versions up to %d: a newer one wrote it, read it with that"
              .formatted(schema, SCHEMA_VERSION));
    }
    buffer.position(TEXTS);
    try {
      return new JournalHeader(schema, text(buffer), text(buffer), text(buffer));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new JournalException("has an invalid header: " + e.getMessage(), e);
    }
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, SCHEMA, bytes.length - SCHEMA);
    return (int) crc.getValue();
  }

  private static String text(ByteBuffer buffer) {
    int length = buffer.getInt();
    if (length < 0 || length > buffer.remaining()) {
      throw new IllegalArgumentException(
          "a text of %d bytes in %d".formatted(length, buffer.remaining()));
    }
    byte[] utf8 = new byte[length];
    buffer.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String sha256(String text) {
    return HexFormat.of().formatHex(EventDigest.sha256().digest(utf8(text)));
  }
}
