package io.fusespill.sim.profile;

import java.util.Collections;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/// The cards that make up one device, usually a single one. More hold one model together: each
/// layer's weights and heads are split evenly over them (Shoeybi et al., "Megatron-LM",
/// arXiv:1909.08053), so the slowest card sets the pace and the smallest the number of blocks.
///
/// @param cards 1 to [#MAX_CARDS]
public record TensorParallelGroup(List<HardwareProfile> cards) {

  /// The most cards of a group: those of one host.
  public static final int MAX_CARDS = 16;

  public TensorParallelGroup {
    cards = List.copyOf(cards);
    Check.range("cards of a device", cards.size(), 1, MAX_CARDS);
  }

  public static TensorParallelGroup of(HardwareProfile card) {
    return new TensorParallelGroup(List.of(card));
  }

  public int size() {
    return cards.size();
  }

  /// The card's name; `NAME-tpN` for equal ones, otherwise all names with `+` between them.
  public String name() {
    String first = cards.getFirst().name();
    if (cards.size() == 1) {
      return first;
    }
    List<String> names = cards.stream().map(HardwareProfile::name).toList();
    return names.equals(Collections.nCopies(cards.size(), first))
        ? first + "-tp" + cards.size()
        : names.stream().collect(Collectors.joining("+"));
  }

  /// Peak arithmetic of all cards at the pace of the slowest.
  public long peakFlopsPerSecond() {
    return cards.size() * min(HardwareProfile::peakFlopsPerSecond);
  }

  /// Memory bandwidth of all cards at the pace of the slowest.
  public long bandwidthBytesPerSecond() {
    return cards.size() * min(HardwareProfile::bandwidthBytesPerSecond);
  }

  /// The longest that a card takes for something, divided by the number of cards.
  ///
  /// @param nanos what one card alone would take
  public double sharedNanos(ToDoubleFunction<HardwareProfile> nanos) {
    return slowestNanos(nanos) / cards.size();
  }

  /// The longest that a card takes for what each of them does.
  public double slowestNanos(ToDoubleFunction<HardwareProfile> nanos) {
    return cards.stream().mapToDouble(nanos).max().orElseThrow();
  }

  /// Throws [ProfileException] unless the heads of `model` divide evenly over the cards.
  public void requireSplits(ModelProfile model) {
    if (model.heads() % cards.size() != 0 || model.kvHeads() % cards.size() != 0) {
      throw new ProfileException(
          "%s has %d query and %d KV heads, which do not divide evenly over the %d cards of %s; tp must divide both"
              .formatted(model.name(), model.heads(), model.kvHeads(), cards.size(), name()));
    }
  }

  private long min(ToLongFunction<HardwareProfile> figure) {
    return cards.stream().mapToLong(figure).min().orElseThrow();
  }
}
