package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.LinkProfile;

/// The time of a ring all-reduce between cards that have no link but the one to host memory: each
/// of n cards sends and receives 2·(n − 1) / n of the bytes, both at once, so a fixed time + that
/// share of the bytes ÷ the slower direction.
///
/// 32 decodes of Llama-2-7B on two cards and PCIe 4 (20 µs, 25 GB/s): 32 · 4,096 · 2 bytes are 256
/// KiB, 20 + 10.5 = 30.5 µs, and 64 of them make 1.95 ms a step.
public final class AllReduceModel {

  /// Between the one card of most devices.
  static final AllReduceModel NONE = new AllReduceModel(0, 0);

  private final double nanosPerByte;
  private final long fixedNanos;

  private AllReduceModel(double nanosPerByte, long fixedNanos) {
    this.nanosPerByte = nanosPerByte;
    this.fixedNanos = fixedNanos;
  }

  /// @param cards how many meet, at least 1; a single one needs no time
  public static AllReduceModel over(LinkProfile link, int cards) {
    Check.range("cards", cards, 1, Integer.MAX_VALUE);
    if (cards == 1) {
      return NONE;
    }
    long slower = Math.min(link.toDeviceBytesPerSecond(), link.fromDeviceBytesPerSecond());
    return new AllReduceModel(2.0 * (cards - 1) / cards * 1e9 / slower, link.allReduceNanos());
  }

  public long fixedNanos() {
    return fixedNanos;
  }

  /// For each byte of the tensor of which every card has a summand.
  public double nanosPerByte() {
    return nanosPerByte;
  }
}
