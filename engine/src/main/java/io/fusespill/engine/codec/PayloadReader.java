package io.fusespill.engine.codec;

import io.fusespill.engine.plan.Ints;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Reads what [PayloadWriter] wrote, and nothing else: every number is in its one shortest form and
/// in its range.
final class PayloadReader {

  private final ByteBuffer buffer;

  PayloadReader(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  long unsigned() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = buffer.get();
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        if (shift == 63 && b > 1) {
          throw new CodecException("a number has more than 64 bits");
        }
        if (b == 0 && shift > 0) {
          throw new CodecException("a number is not in its shortest form");
        }
        return value;
      }
    }
    throw new CodecException("a number has more than 64 bits");
  }

  int integer() {
    long value = unsigned();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new CodecException(
          "%d is not a whole number of 0 to %d".formatted(value, Integer.MAX_VALUE));
    }
    return (int) value;
  }

  /// A count of things that take at least one byte each, so no more than are left.
  int count() {
    int value = integer();
    if (value > buffer.remaining()) {
      throw new CodecException("a list of %d in %d bytes".formatted(value, buffer.remaining()));
    }
    return value;
  }

  long fixed64() {
    return buffer.getLong();
  }

  boolean flag() {
    return switch (integer()) {
      case 0 -> false;
      case 1 -> true;
      default -> throw new CodecException("a flag is neither 0 nor 1");
    };
  }

  <E extends Enum<E>> E constant(E[] constants) {
    int ordinal = integer();
    if (ordinal >= constants.length) {
      throw new CodecException("no constant %d among %d".formatted(ordinal, constants.length));
    }
    return constants[ordinal];
  }

  String text() {
    byte[] utf8 = new byte[count()];
    buffer.get(utf8);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new CodecException("a text is not in UTF-8");
    }
  }

  Ints ints() {
    int[] values = new int[count()];
    int previous = 0;
    for (int i = 0; i < values.length; i++) {
      previous += difference();
      values[i] = previous;
    }
    return Ints.of(values);
  }

  int difference() {
    long folded = unsigned();
    if (folded >>> 32 != 0) {
      throw new CodecException("a difference has more than 32 bits");
    }
    int value = (int) folded;
    return (value >>> 1) ^ -(value & 1);
  }
}
