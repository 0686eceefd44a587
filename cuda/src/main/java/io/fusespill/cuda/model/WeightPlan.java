package io.fusespill.cuda.model;

import io.fusespill.host.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Where each tensor of a model goes in one piece of device memory, and what it is for. Matrices
/// are 16 bits a number, vectors float32. Queries, keys and values of a layer stand one after
/// another as one matrix, and so do gate and up.
final class WeightPlan {

  private static final int MULTIPLE = 8;
  private static final int HEAD_DIM_MAX = 256;
  private static final int VOCABULARY_MAX = 1 << 19;

  /// A tensor and its place.
  ///
  /// @param rowsRoom rows that there is room for, at least `rows`
  /// @param stride numbers from a row to the next, at least `columns`
  /// @param wide whether it becomes float32
  record Piece(
      String name, int rows, int columns, int rowsRoom, int stride, long offset, boolean wide) {

    long bytes() {
      return (long) rowsRoom * stride * (wide ? Float.BYTES : Short.BYTES);
    }

    Piece at(long place) {
      return new Piece(name, rows, columns, rowsRoom, stride, place, wide);
    }
  }

  /// Offsets of the weights of a layer; [#NONE] for what the model does not have.
  ///
  /// @param gateUpBias float32
  /// @param gateUpBiasNarrow the same, 16 bits a number
  record Layer(
      long inputNorm,
      long inputs,
      long inputBias,
      long queryNorm,
      long keyNorm,
      long output,
      long outputBias,
      long feedForwardNorm,
      long gateUp,
      long gateUpBias,
      long gateUpBiasNarrow,
      long down,
      long downBias) {}

  static final long NONE = -1;

  private final Arrangement places = new Arrangement();
  private final List<Piece> pieces = new ArrayList<>();
  private final List<Layer> layers = new ArrayList<>();
  private final ModelConfig config;
  private final long embedding;
  private final long norm;
  private final long head;

  private WeightPlan(ModelConfig config) {
    this.config = config;
    check(config);
    embedding = matrix("model.embed_tokens.weight", config.vocabulary(), config.hidden());
    for (int i = 0; i < config.layers(); i++) {
      layers.add(layer("model.layers." + i + "."));
    }
    norm = vector("model.norm.weight", config.hidden());
    head =
        config.tiedEmbeddings()
            ? embedding
            : matrix("lm_head.weight", config.vocabulary(), config.hidden());
  }

  /// @throws IllegalArgumentException if the kernels cannot run a model of that shape
  static WeightPlan of(ModelConfig config) {
    return new WeightPlan(config);
  }

  private static void check(ModelConfig config) {
    multiple("hidden width", config.hidden());
    multiple("width of all query heads", config.heads() * config.headDim());
    multiple("width of all KV heads", config.kvWidth());
    if (config.headDim() % 4 != 0 || config.headDim() > HEAD_DIM_MAX) {
      throw new IllegalArgumentException(
          "the GPU kernels need a head width that is a multiple of 4, at most %d, got %d"
              .formatted(HEAD_DIM_MAX, config.headDim()));
    }
    if (config.vocabulary() > VOCABULARY_MAX) {
      throw new IllegalArgumentException(
          "the GPU kernels need a vocabulary of at most %d tokens, got %d"
              .formatted(VOCABULARY_MAX, config.vocabulary()));
    }
  }

  private static void multiple(String name, int value) {
    if (value % MULTIPLE != 0) {
      throw new IllegalArgumentException(
          "the GPU kernels need a %s that is a multiple of %d, got %d"
              .formatted(name, MULTIPLE, value));
    }
  }

  /// Width of the feed-forward layer on the device: the model's or a little more.
  static int inner(ModelConfig config) {
    return (config.intermediate() + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
  }

  private Layer layer(String prefix) {
    int hidden = config.hidden();
    int queryWidth = config.heads() * config.headDim();
    String query = prefix + "self_attn.q_proj";
    String key = prefix + "self_attn.k_proj";
    String value = prefix + "self_attn.v_proj";
    String output = prefix + "self_attn.o_proj";
    String gate = prefix + "mlp.gate_proj";
    String up = prefix + "mlp.up_proj";
    String down = prefix + "mlp.down_proj";
    boolean mlpBias = config.mlpBias();
    return new Layer(
        vector(prefix + "input_layernorm.weight", hidden),
        add(
            rows(query, queryWidth, queryWidth, hidden, hidden),
            rows(key, config.kvWidth(), config.kvWidth(), hidden, hidden),
            rows(value, config.kvWidth(), config.kvWidth(), hidden, hidden)),
        config.qkvBias()
            ? add(
                bias(query, queryWidth, queryWidth, true),
                bias(key, config.kvWidth(), config.kvWidth(), true),
                bias(value, config.kvWidth(), config.kvWidth(), true))
            : NONE,
        config.qkNorm() ? vector(prefix + "self_attn.q_norm.weight", config.headDim()) : NONE,
        config.qkNorm() ? vector(prefix + "self_attn.k_norm.weight", config.headDim()) : NONE,
        add(rows(output, hidden, hidden, queryWidth, queryWidth)),
        config.outputBias() ? add(bias(output, hidden, hidden, true)) : NONE,
        vector(prefix + "post_attention_layernorm.weight", hidden),
        add(inner(gate), inner(up)),
        mlpBias ? add(innerBias(gate, true), innerBias(up, true)) : NONE,
        mlpBias ? add(innerBias(gate, false), innerBias(up, false)) : NONE,
        add(rows(down, hidden, hidden, config.intermediate(), inner(config))),
        mlpBias ? add(bias(down, hidden, hidden, true)) : NONE);
  }

  private Piece inner(String layer) {
    return rows(layer, config.intermediate(), inner(config), config.hidden(), config.hidden());
  }

  private Piece innerBias(String layer, boolean wide) {
    return bias(layer, config.intermediate(), inner(config), wide);
  }

  private static Piece rows(String layer, int rows, int rowsRoom, int columns, int stride) {
    return new Piece(layer + ".weight", rows, columns, rowsRoom, stride, 0, false);
  }

  private static Piece bias(String layer, int width, int room, boolean wide) {
    return new Piece(layer + ".bias", 1, width, 1, room, 0, wide);
  }

  private long matrix(String name, int rows, int columns) {
    return add(new Piece(name, rows, columns, rows, columns, 0, false));
  }

  private long vector(String name, int width) {
    return add(new Piece(name, 1, width, 1, width, 0, true));
  }

  /// Puts the pieces one after another without gaps; the offset of the first.
  private long add(Piece... together) {
    long offset = places.add(Arrays.stream(together).mapToLong(Piece::bytes).sum());
    long at = offset;
    for (Piece each : together) {
      pieces.add(each.at(at));
      at += each.bytes();
    }
    return offset;
  }

  List<Piece> pieces() {
    return pieces;
  }

  Layer layer(int layer) {
    return layers.get(layer);
  }

  long embedding() {
    return embedding;
  }

  long norm() {
    return norm;
  }

  long head() {
    return head;
  }

  /// Bytes of all of it.
  long bytes() {
    return places.bytes();
  }
}
