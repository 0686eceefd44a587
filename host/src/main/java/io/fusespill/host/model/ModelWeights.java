package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.Tensor;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.kernel.Convert;
import io.fusespill.host.kernel.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A model's weights as the kernels read them. Any number of [HostModel]s, in any threads, may
/// share them.
///
/// Matrices stay where the source has them, say in a mapped file, unless their rows are no whole
/// vectors or the matrices of one input differ in type; those are copied. Vectors become f32.
public final class ModelWeights implements AutoCloseable {

  /// A linear layer.
  ///
  /// @param bias the address of an f32 vector, or 0
  record Linear(Matrix matrix, long bias) {}

  /// The weights of one layer; norms are addresses of f32 vectors, 0 where there is none.
  record Layer(
      long inputNorm,
      Linear query,
      Linear key,
      Linear value,
      long queryNorm,
      long keyNorm,
      Linear output,
      long feedForwardNorm,
      Linear gate,
      Linear up,
      Linear down) {}

  private final Arena arena = Arena.ofShared();
  private final ModelConfig config;
  private final WeightSource source;
  private final Tensor embedding;
  private final Layer[] layers;
  private final long norm;
  private final Linear head;

  private ModelWeights(ModelConfig config, WeightSource source) {
    this.config = config;
    this.source = source;
    embedding =
        inMemory(source.tensor("model.embed_tokens.weight", config.vocabulary(), config.hidden()));
    layers = new Layer[config.layers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = layer("model.layers." + i + ".");
    }
    norm = vector("model.norm.weight", config.hidden());
    Tensor output =
        config.tiedEmbeddings()
            ? embedding
            : source.tensor("lm_head.weight", config.vocabulary(), config.hidden());
    head = new Linear(Matrix.of(output, output.type(), arena), 0);
  }

  /// Finds all weights of a model.
  ///
  /// @param source its memory must stay until this is closed
  /// @throws io.fusespill.host.checkpoint.CheckpointException if one is missing or has another
  ///   shape
  public static ModelWeights of(ModelConfig config, WeightSource source) {
    return new ModelWeights(config, source);
  }

  private Layer layer(String prefix) {
    String attention = prefix + "self_attn.";
    String feedForward = prefix + "mlp.";
    int queryWidth = config.heads() * config.headDim();
    int keyWidth = config.kvWidth();
    Linear[] inputs =
        linears(
            config.hidden(),
            config.qkvBias(),
            new String[] {attention + "q_proj", attention + "k_proj", attention + "v_proj"},
            queryWidth,
            keyWidth,
            keyWidth);
    Linear[] gates =
        linears(
            config.hidden(),
            config.mlpBias(),
            new String[] {feedForward + "gate_proj", feedForward + "up_proj"},
            config.intermediate(),
            config.intermediate());
    return new Layer(
        vector(prefix + "input_layernorm.weight", config.hidden()),
        inputs[0],
        inputs[1],
        inputs[2],
        config.qkNorm() ? vector(attention + "q_norm.weight", config.headDim()) : 0,
        config.qkNorm() ? vector(attention + "k_norm.weight", config.headDim()) : 0,
        linears(
            queryWidth, config.outputBias(), new String[] {attention + "o_proj"}, config.hidden())[
            0],
        vector(prefix + "post_attention_layernorm.weight", config.hidden()),
        gates[0],
        gates[1],
        linears(
            config.intermediate(),
            config.mlpBias(),
            new String[] {feedForward + "down_proj"},
            config.hidden())[0]);
  }

  /// Linear layers of one input, all of one type: their own, or f32 if they differ.
  private Linear[] linears(int columns, boolean biased, String[] names, int... rows) {
    Tensor[] tensors = new Tensor[names.length];
    for (int i = 0; i < names.length; i++) {
      tensors[i] = source.tensor(names[i] + ".weight", rows[i], columns);
    }
    ElementType first = tensors[0].type();
    boolean same = Arrays.stream(tensors).allMatch(tensor -> tensor.type() == first);
    Linear[] linears = new Linear[names.length];
    for (int i = 0; i < names.length; i++) {
      Matrix matrix = Matrix.of(tensors[i], same ? first : ElementType.F32, arena);
      linears[i] = new Linear(matrix, biased ? vector(names[i] + ".bias", rows[i]) : 0);
    }
    return linears;
  }

  private long vector(String name, int width) {
    Tensor tensor = inMemory(source.tensor(name, 1, width));
    MemorySegment wide = arena.allocate((long) width * Float.BYTES, 64);
    Convert.widen(tensor.type(), tensor.data().address(), wide.address(), width);
    return wide.address();
  }

  private Tensor inMemory(Tensor tensor) {
    MemorySegment data = tensor.data();
    if (data.isNative()) {
      return tensor;
    }
    MemorySegment copy = arena.allocate(data.byteSize(), 64).copyFrom(data);
    return new Tensor(tensor.name(), tensor.type(), tensor.rows(), tensor.columns(), copy);
  }

  public ModelConfig config() {
    return config;
  }

  Tensor embedding() {
    return embedding;
  }

  Layer layer(int layer) {
    return layers[layer];
  }

  long norm() {
    return norm;
  }

  Linear head() {
    return head;
  }

  /// Frees the copies. No model may use the weights any more.
  @Override
  public void close() {
    arena.close();
  }
}
