package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;

/// How much of a device's memory is wanted under `fusespill`, and by whom.
final class MemoryDemand {

  /// Memory is scarce where less than this part of it is free.
  private static final int SCARCE_SHARE = 4;

  /// This part of the blocks is kept free when somebody starts, as in vLLM 0.2.7.
  private static final int WATERMARK_SHARE = 100;

  private final KvLayout kv;
  private final int maxNumSeqs;
  private final int lookAhead;

  /// @param lookAhead tokens of each decode for which there is to be room
  MemoryDemand(EngineConfig config, int lookAhead) {
    kv = config.kv();
    maxNumSeqs = config.limits().maxNumSeqs();
    this.lookAhead = lookAhead;
  }

  static int watermark(EngineView view, int device) {
    return view.pool(device).total() / WATERMARK_SHARE;
  }

  /// Whether `free` blocks of the device's are many.
  static boolean ample(EngineView view, int device, int free) {
    return free > view.pool(device).total() / SCARCE_SHARE;
  }

  /// Whether somebody waits for whom the device has a seat.
  boolean somebodyWaits(EngineView view, int device) {
    SequenceQueue waiting = view.waiting();
    return !waiting.isEmpty() && view.seats(device) + waiting.get(0).seats() <= maxNumSeqs;
  }

  /// Whether somebody waits for memory of the device: not for a seat, and not for its prompt's turn
  /// while much is free.
  boolean wanted(EngineView view, int device) {
    int free = view.pool(device).free();
    return somebodyWaits(view, device)
        && (free < view.pool(device).total() / SCARCE_SHARE
            || kv.blocks(view.waiting().get(0).totalTokens())
                    + growth(view, device, lookAhead)
                    + watermark(view, device)
                > free);
  }

  /// Blocks that those running, and those on their way here, will need for their next `tokens`
  /// tokens, and for what is left of their prompts.
  int growth(EngineView view, int device, int tokens) {
    SequenceQueue running = view.residents(device);
    int blocks = view.seatsInto(device) * kv.blocks(tokens);
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.intent() == null) {
        int held =
            Math.max(sequence.plannedTotalTokens(), sequence.plannedComputedTokens() + tokens);
        blocks += Math.max(0, kv.blocks(held) - sequence.table().size());
      }
    }
    return blocks;
  }
}
