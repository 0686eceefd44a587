package io.fusespill.engine.policy;

import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.Arrays;

/// The most blocks that a set of sequences will hold at once, if each ends when it is expected to
/// (the peak of Past-Future scheduling, Gong et al., ASPLOS 2025).
///
/// All decode one token a step. When the one with the fewest remaining tokens ends, its blocks come
/// back; memory peaks just before one of these moments. With sequences by remaining tokens r₁ ≤ r₂
/// ≤ … and tokens held t: `max over i of Σ over j ≥ i of (tⱼ + rᵢ) / block`, and half a block for
/// each j.
final class MemoryForecast {

  private static final int TOKEN_BITS = 25;
  private static final long TOKEN_MASK = (1L << TOKEN_BITS) - 1;

  private final KvLayout kv;
  private long[] lives = new long[64];
  private int count;

  MemoryForecast(KvLayout kv) {
    this.kv = kv;
  }

  /// Forgets all but those on the device that are to stay there.
  void fill(EngineView view, int device) {
    count = 0;
    SequenceQueue residents = view.residents(device);
    for (int i = 0; i < residents.size(); i++) {
      if (residents.get(i).intent() == null) {
        add(residents.get(i), view.lengths());
      }
    }
  }

  void add(Sequence sequence, LengthPredictor lengths) {
    if (count == lives.length) {
      lives = Arrays.copyOf(lives, 2 * count);
    }
    lives[count++] =
        (long) VictimOrder.remaining(sequence, lengths) << TOKEN_BITS | sequence.totalTokens();
  }

  /// Forgets the one added last.
  void removeLast() {
    count--;
  }

  /// The peak in blocks, 0 for no sequence.
  long peakBlocks() {
    long[] sorted = Arrays.copyOf(lives, count);
    Arrays.sort(sorted);
    long held = 0;
    for (long life : sorted) {
      held += life & TOKEN_MASK;
    }
    long peak = 0;
    for (int i = 0; i < count; i++) {
      int living = count - i;
      long remaining = sorted[i] >>> TOKEN_BITS;
      long tokens = held + living * remaining;
      peak = Math.max(peak, tokens / kv.blockTokens() + living / 2);
      held -= sorted[i] & TOKEN_MASK;
    }
    return peak;
  }
}
