package io.fusespill.journal;

import io.fusespill.engine.codec.RecordLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// Tells an intact record from other bytes by the fixed fields that every schema version has.
final class RecordFrame {

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private RecordFrame() {}

  /// Whether the `length` bytes from `start` on are one record, unaltered.
  static boolean intact(byte[] bytes, int start, int length) {
    return length >= RecordLayout.PAYLOAD
        && (int) INT.get(bytes, start + RecordLayout.LENGTH) == length
        && (int) INT.get(bytes, start + RecordLayout.CRC) == crc(bytes, start, length);
  }

  private static int crc(byte[] bytes, int start, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, start, RecordLayout.CRC);
    crc.update(bytes, start + RecordLayout.PAYLOAD, length - RecordLayout.PAYLOAD);
    return (int) crc.getValue();
  }

  /// The position that a record says it has.
  static long position(byte[] bytes) {
    return (long) LONG.get(bytes, RecordLayout.POSITION);
  }
}
