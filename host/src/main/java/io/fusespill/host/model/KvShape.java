package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;

/// How a KV block lies in memory: `[layer][K, V][kvHead][token][headDim]`, all layers of a block
/// together, so that one copy moves it.
///
/// @param blockTokens tokens a block holds, 1 to 1,024
/// @param type how its numbers are stored
public record KvShape(int layers, int kvHeads, int headDim, int blockTokens, ElementType type) {

  public KvShape {
    range("layers", layers, 1, 65_536);
    range("kvHeads", kvHeads, 1, 65_536);
    range("headDim", headDim, 1, 65_536);
    range("blockTokens", blockTokens, 1, 1_024);
  }

  /// The shape of a model's KV.
  public static KvShape of(ModelConfig config, int blockTokens, ElementType type) {
    return new KvShape(config.layers(), config.kvHeads(), config.headDim(), blockTokens, type);
  }

  private static void range(String name, int value, int least, int largest) {
    if (value < least || value > largest) {
      throw new IllegalArgumentException(
          "%s must be %d to %d, got %d".formatted(name, least, largest, value));
    }
  }

  /// Bytes of the keys, or of the values, of one KV head in one layer of a block.
  public long headBytes() {
    return (long) blockTokens * headDim * type.bytes();
  }

  /// Bytes of one layer of a block.
  public long layerBytes() {
    return 2L * kvHeads * headBytes();
  }

  /// Bytes of a block.
  public long blockBytes() {
    return layers * layerBytes();
  }

  /// Bytes from the start of a block to the keys of `kvHead` in `layer`.
  public long keys(int layer, int kvHead) {
    return layer * layerBytes() + kvHead * headBytes();
  }

  /// Bytes from the start of a block to the values of `kvHead` in `layer`.
  public long values(int layer, int kvHead) {
    return layer * layerBytes() + (kvHeads + kvHead) * headBytes();
  }

  /// Blocks that hold `tokens` tokens.
  public int blocks(int tokens) {
    return (int) (((long) tokens + blockTokens - 1) / blockTokens);
  }
}
