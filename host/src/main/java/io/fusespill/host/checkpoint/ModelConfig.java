package io.fusespill.host.checkpoint;

import java.util.List;

/// The shape of a decoder-only transformer, from a checkpoint's `config.json`.
///
/// @param architecture as the file names it, e.g. `LlamaForCausalLM`
/// @param hidden width of the residual stream
/// @param intermediate width of the feed-forward layer
/// @param heads query heads
/// @param kvHeads key and value heads; divides `heads`
/// @param headDim width of a head, even
/// @param normEpsilon what is added to the mean square in RMSNorm
/// @param rope frequencies of the rotary position embedding
/// @param qkvBias whether the query, key and value projections have biases
/// @param outputBias whether the attention's output projection has one
/// @param mlpBias whether the feed-forward projections have biases
/// @param qkNorm whether queries and keys are normalised a head
/// @param tiedEmbeddings whether the output head is the embedding table
/// @param maxPositions the longest sequence that the model was made for
/// @param weightType the element type that the file declares for the weights
/// @param eosIds ids that end a sequence, from `generation_config.json` where there is one
public record ModelConfig(
    String architecture,
    int vocabulary,
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    double normEpsilon,
    RopeFrequencies rope,
    boolean qkvBias,
    boolean outputBias,
    boolean mlpBias,
    boolean qkNorm,
    boolean tiedEmbeddings,
    int maxPositions,
    ElementType weightType,
    List<Integer> eosIds) {

  public ModelConfig {
    eosIds = List.copyOf(eosIds);
  }

  /// The same shape with weights of another type.
  public ModelConfig withWeightType(ElementType type) {
    return new ModelConfig(
        architecture,
        vocabulary,
        hidden,
        intermediate,
        layers,
        heads,
        kvHeads,
        headDim,
        normEpsilon,
        rope,
        qkvBias,
        outputBias,
        mlpBias,
        qkNorm,
        tiedEmbeddings,
        maxPositions,
        type,
        eosIds);
  }

  /// What a GPU computes in, of 16 bits: the weights' type, BF16 for F32.
  public ElementType gpuType() {
    return weightType == ElementType.F32 ? ElementType.BF16 : weightType;
  }

  /// Numbers in the keys of one token in one layer; values have as many.
  public int kvWidth() {
    return kvHeads * headDim;
  }
}
