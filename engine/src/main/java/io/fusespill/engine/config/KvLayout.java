package io.fusespill.engine.config;

/// How KV lies in memory.
///
/// @param blockTokens tokens a block holds, 1 to 1,024
/// @param blockBytes bytes of a block over all layers, at least 1
/// @param copiesPerBlock separate memory copies that move one block: 1 where a block is contiguous
///   over all layers, 2 × layers where keys and values of each layer lie apart (vLLM 0.2.7)
public record KvLayout(int blockTokens, long blockBytes, int copiesPerBlock) {

  /// Tokens that a block can hold at most.
  public static final int MAX_BLOCK_TOKENS = 1_024;

  public KvLayout {
    Check.range("block-size", blockTokens, 1, MAX_BLOCK_TOKENS);
    Check.range("blockBytes", blockBytes, 1, Long.MAX_VALUE);
    Check.range("copiesPerBlock", copiesPerBlock, 1, 65_536);
  }

  /// Blocks that hold `tokens` tokens.
  public int blocks(int tokens) {
    return (int) (((long) tokens + blockTokens - 1) / blockTokens);
  }
}
