package io.fusespill.sim.profile;

/// The share of a device's rated peak that large kernels reach, each above 0 and at most 1.
///
/// Four shares, because the kernels differ: a card that reaches 0.8 of its arithmetic in a matrix
/// product reaches 0.3 in causal attention over a short prompt, and streams weights and scattered
/// KV blocks at different rates.
///
/// @param linearFlops of the peak FLOP/s, matrix products of a transformer layer with at least 512
///   rows
/// @param attentionFlops of the peak FLOP/s, causal prefill attention of 512 to 4,096 tokens,
///   counting only the pairs that the mask keeps
/// @param weightBandwidth of the memory bandwidth, matrix products with at most 64 rows
/// @param kvBandwidth of the memory bandwidth, paged decode attention without its fixed part
public record Efficiency(
    double linearFlops, double attentionFlops, double weightBandwidth, double kvBandwidth) {

  public Efficiency {
    Check.fraction("efficiency.linearFlops", linearFlops);
    Check.fraction("efficiency.attentionFlops", attentionFlops);
    Check.fraction("efficiency.weightBandwidth", weightBandwidth);
    Check.fraction("efficiency.kvBandwidth", kvBandwidth);
  }

  static Efficiency from(JsonReader json) {
    return new Efficiency(
        json.number("linearFlops"),
        json.number("attentionFlops"),
        json.number("weightBandwidth"),
        json.number("kvBandwidth"));
  }
}
