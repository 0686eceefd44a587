package io.fusespill.engine.codec;

/// Where the fixed fields of an event's record lie, little-endian:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 2 | type |
/// | 2 | 2 | payload version |
/// | 4 | 4 | length of the whole record in bytes |
/// | 8 | 8 | position |
/// | 16 | 8 | time in nanoseconds |
/// | 24 | 4 | CRC-32C of the record with this field left out |
/// | 28 | | payload |
public final class RecordLayout {

  public static final int TYPE = 0;
  public static final int VERSION = 2;
  public static final int LENGTH = 4;
  public static final int POSITION = 8;
  public static final int NANOS = 16;
  public static final int CRC = 24;
  public static final int PAYLOAD = 28;

  private RecordLayout() {}
}
