package io.fusespill.host.kernel;

import io.fusespill.host.checkpoint.ElementType;

/// Numbers of one type as numbers of another, in order.
public final class Convert {

  private Convert() {}

  /// Writes `count` numbers as f32.
  public static void widen(ElementType type, long from, long target, int count) {
    switch (type) {
      case F32 -> Memory.copy(from, target, 4L * count);
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          int bits = Memory.ALL.get(Memory.SHORT, from + 2L * i) << 16;
          Memory.ALL.set(Memory.INT, target + 4L * i, bits);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          short bits = Memory.ALL.get(Memory.SHORT, from + 2L * i);
          Memory.putFloat(target + 4L * i, Float.float16ToFloat(bits));
        }
      }
    }
  }

  /// Writes `count` f32 numbers as `type`, each as the nearest, the even one of two.
  public static void narrow(ElementType type, long from, long target, int count) {
    switch (type) {
      case F32 -> Memory.copy(from, target, 4L * count);
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          int bits = Memory.ALL.get(Memory.INT, from + 4L * i);
          Memory.ALL.set(Memory.SHORT, target + 2L * i, roundToBf16(bits));
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          short bits = Float.floatToFloat16(Memory.getFloat(from + 4L * i));
          Memory.ALL.set(Memory.SHORT, target + 2L * i, bits);
        }
      }
    }
  }

  /// The number of `type` nearest to `value`, the even one of two.
  public static float round(ElementType type, float value) {
    return switch (type) {
      case F32 -> value;
      case BF16 -> Float.intBitsToFloat(roundToBf16(Float.floatToRawIntBits(value)) << 16);
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
    };
  }

  private static short roundToBf16(int bits) {
    boolean isNan = (bits & 0x7fff_ffff) > 0x7f80_0000;
    int rounded = isNan ? bits | 0x0040_0000 : bits + 0x7fff + (bits >>> 16 & 1);
    return (short) (rounded >>> 16);
  }
}
