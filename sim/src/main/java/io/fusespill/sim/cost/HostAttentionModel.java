package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.ModelProfile;

/// The time that a host takes to run decode attention for a step of a device: a hand-off for each
/// layer, the queries, keys, values and outputs of each row over the link, and reading the KV.
///
/// Vicuna-7B on a Xeon 8358P over PCIe 4 at 16 GB/s: 32 layers × (7.1 + 2 × 2.3 + 2 × 5.6 µs) =
/// 0.73 ms a step; 1 MiB a row = 66 µs; 512 KiB of KV a token at 133 GB/s = 3.9 µs, so that 4,000
/// tokens of context take 16 ms.
public final class HostAttentionModel {

  /// Parallel regions of a layer in a host's `layerOverheadNanos`.
  private static final int REGIONS_A_LAYER = 7;

  /// A kernel launch that waits for what the host has done, as measured through JCuda on an H200.
  private static final long LAUNCH_NANOS = 5_600;

  private final double handOffNanos;
  private final double rowNanos;
  private final double tokenNanos;

  /// @param cards cards of a device, each with a link of its own over which its heads go
  public HostAttentionModel(HardwareProfile host, LinkProfile link, int cards, ModelProfile model) {
    this(
        host,
        link.toDeviceBytesPerSecond(),
        link.fromDeviceBytesPerSecond(),
        link.copyNanos(),
        cards,
        model);
  }

  /// @param toDeviceBytesPerSecond of the link of one card, as is the rate the other way
  /// @param cards cards of a device, each with a link of its own over which its heads go
  public HostAttentionModel(
      HardwareProfile host,
      long toDeviceBytesPerSecond,
      long fromDeviceBytesPerSecond,
      long copyNanos,
      int cards,
      ModelProfile model) {
    Check.range("cards", cards, 1, Integer.MAX_VALUE);
    Check.range("layers", model.layers(), 1, Integer.MAX_VALUE);
    int bytes = model.dataType().bytes();
    double region = (double) host.layerOverheadNanos() / REGIONS_A_LAYER;
    handOffNanos = model.layers() * (region + 2.0 * copyNanos + 2.0 * LAUNCH_NANOS);
    double up = (double) model.layers() * (model.heads() + 2L * model.kvHeads()) * model.headDim();
    double down = (double) model.layers() * model.heads() * model.headDim();
    rowNanos =
        (up * bytes * 1e9 / fromDeviceBytesPerSecond + down * bytes * 1e9 / toDeviceBytesPerSecond)
            / cards;
    double byteNanos = 1e9 / (host.bandwidthBytesPerSecond() * host.efficiency().kvBandwidth());
    double flopNanos =
        model.attentionFlopsPerPair()
            * 1e9
            / (host.peakFlopsPerSecond() * host.efficiency().linearFlops());
    tokenNanos = Math.max(model.kvBytesPerToken() * byteNanos, flopNanos);
  }

  /// Nanoseconds of one step, at least 1.
  ///
  /// @param rows sequences that the host attends for
  /// @param contextTokens KV tokens that these read
  /// @param devices devices that the host attends for at the same time, this one included; they
  ///   share its bandwidth
  public long nanos(int rows, long contextTokens, int devices) {
    return Math.max(
        1, (long) (handOffNanos + rows * rowNanos + contextTokens * tokenNanos * devices));
  }

  public double handOffNanos() {
    return handOffNanos;
  }

  public double rowNanos() {
    return rowNanos;
  }

  public double tokenNanos() {
    return tokenNanos;
  }
}
