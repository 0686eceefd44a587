package io.fusespill.sim.profile;

/// What a serving process is told about memory.
///
/// @param utilisation share of the device's usable memory that the process may take, above 0 and at
///   most 1
/// @param blockTokens tokens a KV block holds, 1 to 1,024
/// @param batchedTokens most tokens one step computes, at least 1
/// @param sequences most sequences one step samples, at least 1
public record MemoryOptions(double utilisation, int blockTokens, int batchedTokens, int sequences) {

  public MemoryOptions {
    Check.fraction("util", utilisation);
    Check.range("block-size", blockTokens, 1, 1_024);
    Check.range("max-num-batched-tokens", batchedTokens, 1, Integer.MAX_VALUE);
    Check.range("max-num-seqs", sequences, 1, Integer.MAX_VALUE);
  }
}
