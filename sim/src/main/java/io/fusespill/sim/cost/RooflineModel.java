package io.fusespill.sim.cost;

import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.DataType;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.util.function.ToDoubleFunction;

/// Step time from peaks: each phase takes the longer of its arithmetic and its memory traffic, and
/// phases follow one another (Williams, Waterman, Patterson: "Roofline", CACM 52(4), 2009, applied
/// kernel by kernel).
///
/// Thread-safe; one evaluation is about a dozen multiplications.
public final class RooflineModel implements StepTimeModel {

  /*
   * Phases, with P parameters of the linear layers, H of the output head, A = 4·layers·heads·headDim
   * FLOP for a query-key pair, K bytes of KV a token, F peak FLOP/s, B bandwidth, s bytes of the data
   * type, and e the efficiency of that kind of kernel:
   *
   *   linear layers      max(2·P·computedTokens / (F·e), P·s / (B·e))
   *   output head        max(2·H·sampledTokens / (F·e), H·s / (B·e))
   *   decode attention   max(A·context / (F·e), K·(context + decodes·(blockTokens − 1)/2) / (B·e))
   *   prefill attention  A·pairs / (F·e)
   *   activations        computedTokens·layers·width·s / (B·e)
   *   communication      2·layers all-reduces of computedTokens·hidden·s bytes
   *   overhead           step + layers·layer
   *
   * Decode attention reads whole blocks, and a sequence's last block is half full on average.
   *
   * Activations are what is read and written between the matrix products: two residual additions with
   * their norms (8·hidden), rotary positions in place (2·(query + key)), copying keys and values into
   * the cache (4·key), gate × up (3·intermediate). The products' own inputs and outputs are part of
   * their efficiency. For Llama-2-7B: 8·4096 + 2·8192 + 4·4096 + 3·11008 = 98,560 numbers a token and
   * layer, 6.3 MB a token.
   *
   * Example, H200 and Llama-2-7B, 32 decodes at 512 tokens: weights 12.95 GB / 3.36 TB/s = 3.85 ms;
   * KV 32 · 519.5 · 512 KiB / 3.74 TB/s = 2.33 ms; activations 0.06, head 0.08, overhead 1.15;
   * together 7.5 ms.
   *
   * On n cards F and B are n times those of the slowest, kernel by kernel. Each card keeps the whole
   * residual, so its additions and norms count n times: n·8·hidden. After attention's output and after
   * the MLP the cards add up what each has of the hidden states: two all-reduces a layer.
   *
   * The longer of two is optimistic where both are alike: A100 tables show up to 1.7 times as much at
   * 160 to 256 rows. A fitted model has no such bias.
   */

  private static final int ALL_REDUCES_PER_LAYER = 2;

  private final double linearNanosPerToken;
  private final double linearReadNanos;
  private final double headNanosPerToken;
  private final double headReadNanos;
  private final double attentionNanosPerPair;
  private final double kvNanosPerToken;
  private final double kvTokensPerDecode;
  private final double activationNanosPerToken;
  private final double overheadNanos;
  private final double allReducesNanos;
  private final double allReducesNanosPerToken;

  /// One card.
  ///
  /// @param blockTokens tokens a KV block holds, 1 to 1,024
  public RooflineModel(HardwareProfile hardware, ModelProfile model, int blockTokens) {
    this(TensorParallelGroup.of(hardware), AllReduceModel.NONE, model, blockTokens);
  }

  /// One or more cards.
  ///
  /// @param link over which the cards meet
  /// @param blockTokens tokens a KV block holds, 1 to 1,024
  public RooflineModel(
      TensorParallelGroup cards, LinkProfile link, ModelProfile model, int blockTokens) {
    this(cards, AllReduceModel.over(link, cards.size()), model, blockTokens);
  }

  private RooflineModel(
      TensorParallelGroup cards, AllReduceModel allReduce, ModelProfile model, int blockTokens) {
    Check.range("block-size", blockTokens, 1, 1_024);
    if (model.dataType() == DataType.FLOAT32) {
      throw new ProfileException(
          "%s is float32, peak arithmetic is known for 16 bits only: use float16 or bfloat16"
              .formatted(model.name()));
    }
    cards.requireSplits(model);
    double linearFlopNanos = cards.sharedNanos(flopNanos(card -> card.efficiency().linearFlops()));
    double attentionFlopNanos =
        cards.sharedNanos(flopNanos(card -> card.efficiency().attentionFlops()));
    double weightByteNanos =
        cards.sharedNanos(byteNanos(card -> card.efficiency().weightBandwidth()));
    double kvByteNanos = cards.sharedNanos(byteNanos(card -> card.efficiency().kvBandwidth()));
    int bytes = model.dataType().bytes();
    this.linearNanosPerToken = 2.0 * model.linearParameters() * linearFlopNanos;
    this.linearReadNanos = (double) model.linearParameters() * bytes * weightByteNanos;
    this.headNanosPerToken = 2.0 * model.headParameters() * linearFlopNanos;
    this.headReadNanos = (double) model.headParameters() * bytes * weightByteNanos;
    this.attentionNanosPerPair = model.attentionFlopsPerPair() * attentionFlopNanos;
    this.kvNanosPerToken = model.kvBytesPerToken() * kvByteNanos;
    this.kvTokensPerDecode = (blockTokens - 1) / 2.0;
    this.activationNanosPerToken =
        (double) model.layers() * activationWidth(model, cards.size()) * bytes * weightByteNanos;
    this.overheadNanos =
        cards.slowestNanos(
            card -> card.stepOverheadNanos() + (double) model.layers() * card.layerOverheadNanos());
    double allReduces = ALL_REDUCES_PER_LAYER * (double) model.layers();
    this.allReducesNanos = allReduces * allReduce.fixedNanos();
    this.allReducesNanosPerToken =
        allReduces * model.hiddenSize() * bytes * allReduce.nanosPerByte();
  }

  private static ToDoubleFunction<HardwareProfile> flopNanos(
      ToDoubleFunction<HardwareProfile> efficiency) {
    return card -> 1e9 / card.peakFlopsPerSecond() / efficiency.applyAsDouble(card);
  }

  private static ToDoubleFunction<HardwareProfile> byteNanos(
      ToDoubleFunction<HardwareProfile> efficiency) {
    return card -> 1e9 / card.bandwidthBytesPerSecond() / efficiency.applyAsDouble(card);
  }

  @Override
  public long nanos(StepShape shape) {
    double total =
        Math.max(linearArithmetic(shape), linearRead(shape))
            + Math.max(decodeArithmetic(shape), kvRead(shape))
            + prefillAttention(shape)
            + activations(shape)
            + head(shape)
            + communication(shape)
            + overheadNanos;
    return Math.max(1, (long) total);
  }

  @Override
  public StepCost breakdown(StepShape shape) {
    double linear = linearArithmetic(shape);
    double read = linearRead(shape);
    long weights = linear > read ? 0 : (long) read;
    double real = shape.prefillTokens() + (double) shape.decodes();
    long prefillLinear = linear > read ? (long) (linear * (shape.prefillTokens() / real)) : 0;
    long decodeLinear = linear > read ? (long) linear - prefillLinear : 0;
    long kv = (long) Math.max(decodeArithmetic(shape), kvRead(shape));
    long attention = (long) prefillAttention(shape);
    long activations = (long) activations(shape);
    long head = (long) head(shape);
    long communication = (long) communication(shape);
    long rest =
        nanos(shape)
            - weights
            - kv
            - prefillLinear
            - decodeLinear
            - attention
            - activations
            - head
            - communication;
    return new StepCost(
        weights,
        kv,
        prefillLinear,
        decodeLinear,
        attention,
        activations,
        head,
        communication,
        rest,
        false);
  }

  private double linearArithmetic(StepShape shape) {
    return shape.computedTokens() * linearNanosPerToken;
  }

  private double linearRead(StepShape shape) {
    return shape.computedTokens() == 0 ? 0 : linearReadNanos;
  }

  private double decodeArithmetic(StepShape shape) {
    return shape.decodeContextTokens() * attentionNanosPerPair;
  }

  private double kvRead(StepShape shape) {
    return (shape.decodeContextTokens() + shape.decodes() * kvTokensPerDecode) * kvNanosPerToken;
  }

  private double prefillAttention(StepShape shape) {
    return shape.prefillContextPairs() * attentionNanosPerPair;
  }

  private double activations(StepShape shape) {
    return shape.computedTokens() * activationNanosPerToken;
  }

  private double head(StepShape shape) {
    return shape.sampledTokens() == 0
        ? 0
        : Math.max(shape.sampledTokens() * headNanosPerToken, headReadNanos);
  }

  private double communication(StepShape shape) {
    return shape.computedTokens() == 0
        ? 0
        : allReducesNanos + shape.computedTokens() * allReducesNanosPerToken;
  }

  private static long activationWidth(ModelProfile model, int cards) {
    long query = (long) model.heads() * model.headDim();
    long key = (long) model.kvHeads() * model.headDim();
    return 8L * cards * model.hiddenSize()
        + 2 * (query + key)
        + 4 * key
        + 3L * model.intermediateSize();
  }
}
