package io.fusespill.host.checkpoint;

import java.util.Locale;

/// How the numbers of a tensor are stored, all little-endian.
public enum ElementType {
  F32(4),
  F16(2),
  BF16(2);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one number.
  public int bytes() {
    return bytes;
  }

  /// The name in options and files: `f32`, `f16`, `bf16`.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The nearest number of this type, in the low bits; ties to even.
  int bits(float value) {
    return switch (this) {
      case F32 -> Float.floatToRawIntBits(value);
      case F16 -> Float.floatToFloat16(value) & 0xffff;
      case BF16 -> {
        int bits = Float.floatToRawIntBits(value);
        yield (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
      }
    };
  }
}
