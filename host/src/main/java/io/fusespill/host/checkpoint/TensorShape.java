package io.fusespill.host.checkpoint;

import java.util.ArrayList;
import java.util.List;

/// A tensor that a model has, by its name in Hugging Face checkpoints; a vector has one row.
record TensorShape(String name, int rows, int columns) {

  long elements() {
    return (long) rows * columns;
  }

  boolean isNorm() {
    return name.endsWith("norm.weight");
  }

  boolean isBias() {
    return name.endsWith(".bias");
  }

  /// Every tensor of a model of that shape, in the order of the forward pass.
  static List<TensorShape> all(ModelConfig config) {
    List<TensorShape> shapes = new ArrayList<>();
    int hidden = config.hidden();
    int queries = config.heads() * config.headDim();
    shapes.add(new TensorShape("model.embed_tokens.weight", config.vocabulary(), hidden));
    for (int i = 0; i < config.layers(); i++) {
      String layer = "model.layers." + i + ".";
      String attention = layer + "self_attn.";
      String mlp = layer + "mlp.";
      shapes.add(new TensorShape(layer + "input_layernorm.weight", 1, hidden));
      linear(shapes, attention + "q_proj", queries, hidden, config.qkvBias());
      linear(shapes, attention + "k_proj", config.kvWidth(), hidden, config.qkvBias());
      linear(shapes, attention + "v_proj", config.kvWidth(), hidden, config.qkvBias());
      if (config.qkNorm()) {
        shapes.add(new TensorShape(attention + "q_norm.weight", 1, config.headDim()));
        shapes.add(new TensorShape(attention + "k_norm.weight", 1, config.headDim()));
      }
      linear(shapes, attention + "o_proj", hidden, queries, config.outputBias());
      shapes.add(new TensorShape(layer + "post_attention_layernorm.weight", 1, hidden));
      linear(shapes, mlp + "gate_proj", config.intermediate(), hidden, config.mlpBias());
      linear(shapes, mlp + "up_proj", config.intermediate(), hidden, config.mlpBias());
      linear(shapes, mlp + "down_proj", hidden, config.intermediate(), config.mlpBias());
    }
    shapes.add(new TensorShape("model.norm.weight", 1, hidden));
    if (!config.tiedEmbeddings()) {
      shapes.add(new TensorShape("lm_head.weight", config.vocabulary(), hidden));
    }
    return shapes;
  }

  private static void linear(
      List<TensorShape> shapes, String name, int rows, int columns, boolean bias) {
    shapes.add(new TensorShape(name + ".weight", rows, columns));
    if (bias) {
      shapes.add(new TensorShape(name + ".bias", 1, rows));
    }
  }
}
