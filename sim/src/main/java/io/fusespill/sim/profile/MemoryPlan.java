package io.fusespill.sim.profile;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// How a device's memory is divided, and so how many KV blocks it holds.
///
/// The division is vLLM's (`determine_num_available_blocks`): allowed memory − peak of a profiling
/// step, in whole blocks. What the profiling step would measure is computed here:
///
/// - weights: parameters × bytes of the data type;
/// - context: what a process loses before its first allocation, from the hardware profile;
/// - activations: batched tokens × (2 × hidden for residual and norm, and the wider of attention's
///   query, key, value and output, and the MLP's gate, up and product) × bytes of the data type;
///   one layer lives at a time;
/// - logits: sampled sequences × vocabulary × 4 bytes × 3, for logits, probabilities and their
///   logarithms.
///
/// On a tensor-parallel device each card holds its share of the weights and of every block, and
/// activations, context and logits of its own; the card with the fewest blocks decides.
///
/// @param terms the sum, first the memory allowed, then what goes off it; together the bytes for KV
/// @param blockBytes what one block takes of a card
/// @param blocks whole blocks that fit, at least 1
public record MemoryPlan(List<Term> terms, long blockBytes, int blocks) {

  private static final int LOGIT_BYTES = Float.BYTES;
  private static final int LOGIT_COPIES = 3;

  /// Where in the sum begins what a step takes.
  private static final int STEP_TERMS = 3;

  /// One addend; `bytes` is negative where memory is taken.
  public record Term(String label, String formula, long bytes) {}

  public MemoryPlan {
    terms = List.copyOf(terms);
    Check.range("blockBytes", blockBytes, 1, Long.MAX_VALUE);
    Check.range("blocks", blocks, 1, Integer.MAX_VALUE);
  }

  /// The plan of the card that holds the fewest blocks.
  ///
  /// @throws ProfileException with the arithmetic, if not one block fits
  public static MemoryPlan of(
      TensorParallelGroup group, ModelProfile model, MemoryOptions options) {
    group.requireSplits(model);
    return group.cards().stream()
        .map(card -> of(card, group.size(), model, options))
        .min(Comparator.comparingInt(MemoryPlan::blocks))
        .orElseThrow();
  }

  /// Throws [ProfileException], with the arithmetic, if not one block fits.
  public static MemoryPlan of(HardwareProfile hardware, ModelProfile model, MemoryOptions options) {
    return of(hardware, 1, model, options);
  }

  /// Whether each card has room for its share of the weights, and be it for nothing else.
  public static boolean holdsWeights(TensorParallelGroup group, ModelProfile model) {
    long share = Math.ceilDiv(model.weightBytes(), group.size());
    return group.cards().stream().allMatch(card -> share <= card.usableBytes());
  }

  private static MemoryPlan of(
      HardwareProfile hardware, int cards, ModelProfile model, MemoryOptions options) {
    List<Term> terms =
        List.of(
            allowed(hardware, options),
            weights(model, cards),
            context(hardware),
            activations(model, options),
            logits(model, options));
    long blockBytes = model.kvBytesPerBlock(options.blockTokens()) / cards;
    long kvBytes = sum(terms);
    if (kvBytes < blockBytes) {
      throw new ProfileException(
          "%s does not fit %s: %s leave %,d bytes for KV, and one block needs %,d; %s"
              .formatted(
                  model.name(),
                  hardware.name(),
                  oneLine(terms),
                  kvBytes,
                  blockBytes,
                  mend(terms, blockBytes, options)));
    }
    return new MemoryPlan(terms, blockBytes, Math.toIntExact(kvBytes / blockBytes));
  }

  /// What would leave room for a block. The smallest step is no help where weights and context
  /// alone are too much.
  private static String mend(List<Term> terms, long blockBytes, MemoryOptions options) {
    String device = "take a larger device or several cards (tp=N)";
    return sum(terms.subList(0, STEP_TERMS)) < blockBytes
        ? "no step is small enough: use more of the memory (util) or " + device
        : format(
            "lower max-num-batched-tokens (%,d), which a policy that never splits a prompt has from max-model-len, or max-num-seqs (%,d), use more of the memory (util), or %s",
            options.batchedTokens(), options.sequences(), device);
  }

  /// Bytes that the terms leave for KV; what does not fill a block is lost.
  public long kvBytes() {
    return sum(terms);
  }

  /// The arithmetic line by line.
  public String arithmetic() {
    return table(terms)
        + String.format(
            Locale.ROOT,
            "\n%,16d  bytes for KV = %,d blocks of %,d bytes",
            kvBytes(),
            blocks,
            blockBytes);
  }

  private static Term allowed(HardwareProfile hardware, MemoryOptions options) {
    return new Term(
        "allowed",
        format("%,d usable x %s", hardware.usableBytes(), options.utilisation()),
        (long) (hardware.usableBytes() * options.utilisation()));
  }

  private static Term weights(ModelProfile model, int cards) {
    return new Term(
        "weights",
        format("%,d parameters x %d", model.parameters(), model.dataType().bytes())
            + (cards == 1 ? "" : format(" / %d cards", cards)),
        -Math.ceilDiv(model.weightBytes(), cards));
  }

  private static Term context(HardwareProfile hardware) {
    return new Term("context", "driver context and libraries", -hardware.contextBytes());
  }

  private static Term activations(ModelProfile model, MemoryOptions options) {
    long attention = 2L * (model.heads() + model.kvHeads()) * model.headDim();
    long mlp = 3L * model.intermediateSize();
    long width = 2L * model.hiddenSize() + Math.max(attention, mlp);
    int bytes = model.dataType().bytes();
    return new Term(
        "activations",
        format("%,d tokens x %,d wide x %d", options.batchedTokens(), width, bytes),
        -options.batchedTokens() * width * bytes);
  }

  private static Term logits(ModelProfile model, MemoryOptions options) {
    long rows = Math.min(options.sequences(), options.batchedTokens());
    return new Term(
        "logits",
        format(
            "%,d sequences x %,d tokens x %d x %d copies",
            rows, model.vocabSize(), LOGIT_BYTES, LOGIT_COPIES),
        -rows * model.vocabSize() * LOGIT_BYTES * LOGIT_COPIES);
  }

  private static String oneLine(List<Term> terms) {
    return String.join(
        " ", terms.stream().map(t -> format("%+,d %s", t.bytes(), t.label())).toList());
  }

  private static long sum(List<Term> terms) {
    return terms.stream().mapToLong(Term::bytes).sum();
  }

  private static String table(List<Term> terms) {
    return String.join(
        "\n",
        terms.stream()
            .map(t -> format("%,16d  %-11s  %s", t.bytes(), t.label(), t.formula()))
            .toList());
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
