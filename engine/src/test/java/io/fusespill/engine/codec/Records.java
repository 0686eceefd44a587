package io.fusespill.engine.codec;

import io.fusespill.engine.event.EngineEvent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;

/// Records for tests of the codec: encoded ones, and ones put together by hand.
final class Records {

  private Records() {}

  static byte[] encode(long position, EngineEvent event) {
    EventEncoder encoder = new EventEncoder();
    int length = encoder.encode(position, event);
    return Arrays.copyOf(encoder.bytes(), length);
  }

  static EngineEvent decode(long position, byte[] record) {
    return new EventDecoder().decode(position, record, record.length);
  }

  /// A record at position 0 and 0 ns with this payload, its length and checksum right.
  static byte[] sealed(int type, int version, byte[] payload) {
    ByteBuffer record = ByteBuffer.allocate(28 + payload.length).order(ByteOrder.LITTLE_ENDIAN);
    record.putShort(0, (short) type).putShort(2, (short) version).putInt(4, record.capacity());
    record.put(28, payload);
    return reseal(record.array());
  }

  static byte[] sealed(int type, String hexPayload) {
    return sealed(type, 1, hex(hexPayload));
  }

  /// The record with the checksum that its bytes should have.
  static byte[] reseal(byte[] record) {
    ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN).putInt(24, crc32c(record));
    return record;
  }

  /// CRC-32C bit by bit, as RFC 3720 appendix B.4 has it: polynomial 0x1EDC6F41 reflected, over all
  /// but bytes 24 to 27.
  private static int crc32c(byte[] record) {
    int crc = -1;
    for (int i = 0; i < record.length; i++) {
      if (i >= 24 && i < 28) {
        continue;
      }
      crc ^= record[i] & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : 0x82F63B78);
      }
    }
    return ~crc;
  }

  /// Bytes of hex digits, with blanks, line breaks and comments from `#` to the end of the line.
  static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replaceAll("#.*|\\s", ""));
  }
}
