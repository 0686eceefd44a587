package io.fusespill.sim.profile;

import java.nio.file.Path;

/// The shape of a decoder-only model, and the exact counts that follow from it.
///
/// A sliding window is not modelled: KV is kept and read for the whole context.
///
/// @param heads query heads
/// @param kvHeads key and value heads; divides `heads`
/// @param intermediateSize width of the gated MLP
/// @param maxPositions longest context the model was made for, in tokens
/// @param tiedEmbeddings whether the output head is the input embedding
/// @param attentionBias whether all four attention projections have a bias
/// @param mlpBias whether all three MLP projections have a bias
/// @param source where the numbers are from
public record ModelProfile(
    String name,
    Architecture architecture,
    int layers,
    int hiddenSize,
    int heads,
    int kvHeads,
    int headDim,
    int intermediateSize,
    int vocabSize,
    int maxPositions,
    boolean tiedEmbeddings,
    boolean attentionBias,
    boolean mlpBias,
    DataType dataType,
    String source) {

  private static final int LAYERS_MAX = 1 << 12;
  private static final int SIZE_MAX = 1 << 22;

  public ModelProfile {
    Check.text("name", name);
    Check.range("num_hidden_layers", layers, 1, LAYERS_MAX);
    Check.range("hidden_size", hiddenSize, 1, SIZE_MAX);
    Check.range("num_attention_heads", heads, 1, SIZE_MAX);
    Check.range("num_key_value_heads", kvHeads, 1, heads);
    Check.range("head_dim", headDim, 1, SIZE_MAX);
    Check.range("num_attention_heads x head_dim", (long) heads * headDim, 1, SIZE_MAX);
    Check.range("intermediate_size", intermediateSize, 1, SIZE_MAX);
    Check.range("vocab_size", vocabSize, 1, SIZE_MAX);
    Check.range("max_position_embeddings", maxPositions, 1, Integer.MAX_VALUE);
    if (heads % kvHeads != 0) {
      throw new ProfileException(
          "num_key_value_heads is %d, must divide num_attention_heads (%d)"
              .formatted(kvHeads, heads));
    }
  }

  /// Reads the `config.json` of a Hugging Face checkpoint; the name is that of its folder.
  ///
  /// Only keys that change the arithmetic are read; others belong to somebody else and are passed
  /// over, except those that announce what is not modelled (experts, quantised weights).
  /// `torch_dtype` is the older name of `dtype`. Without `num_key_value_heads` each query head has
  /// its own; without `head_dim` it is hidden size ÷ heads.
  public static ModelProfile fromConfigJson(Path file) {
    return ModelConfig.read(file);
  }

  /// All parameters, the output head counted once where it is tied to the embedding.
  public long parameters() {
    long heads = tiedEmbeddings ? 0 : headParameters();
    long perLayer =
        linearParametersPerLayer() + biasParametersPerLayer() + normParametersPerLayer();
    return embeddingParameters() + layers * perLayer + hiddenSize + heads;
  }

  /// Weights of the matrix products inside the layers: query, key, value, output, gate, up, down.
  /// Each costs two FLOP a token.
  public long linearParameters() {
    return layers * linearParametersPerLayer();
  }

  /// Weights of the product that turns a hidden state into logits, tied or not.
  public long headParameters() {
    return (long) vocabSize * hiddenSize;
  }

  /// FLOP of attention for one query token and one key token, over all layers: a dot product and a
  /// weighted sum, two FLOP an element each.
  public long attentionFlopsPerPair() {
    return 4L * layers * heads * headDim;
  }

  public long weightBytes() {
    return parameters() * dataType.bytes();
  }

  /// Keys and values of one token over all layers.
  public long kvBytesPerToken() {
    return 2L * layers * kvHeads * headDim * dataType.bytes();
  }

  public long kvBytesPerBlock(int blockTokens) {
    Check.range("block-size", blockTokens, 1, 1_024);
    return blockTokens * kvBytesPerToken();
  }

  private long embeddingParameters() {
    return (long) vocabSize * hiddenSize;
  }

  private long linearParametersPerLayer() {
    return 2L * hiddenSize * (queryWidth() + keyValueWidth()) + 3L * hiddenSize * intermediateSize;
  }

  private long biasParametersPerLayer() {
    long queryKeyValue =
        attentionBias || architecture.queryKeyValueBias() ? queryWidth() + 2 * keyValueWidth() : 0;
    long output = attentionBias ? hiddenSize : 0;
    long mlp = mlpBias ? 2L * intermediateSize + hiddenSize : 0;
    return queryKeyValue + output + mlp;
  }

  private long normParametersPerLayer() {
    return 2L * hiddenSize + (architecture.queryKeyNorm() ? 2L * headDim : 0);
  }

  private long queryWidth() {
    return (long) heads * headDim;
  }

  private long keyValueWidth() {
    return (long) kvHeads * headDim;
  }
}
