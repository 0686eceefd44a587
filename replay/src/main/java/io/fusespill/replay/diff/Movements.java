package io.fusespill.replay.diff;

import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.plan.TransferKind;

/// The transfers of a log by kind, as a fold over its events; and how often its configuration
/// changed.
public final class Movements {

  private final long[] transfers = new long[TransferKind.values().length];
  private final long[] blocks = new long[transfers.length];
  private long blockBytes;
  private int changes;

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    if (event instanceof TransferPlanned planned) {
      int kind = planned.plan().kind().ordinal();
      transfers[kind]++;
      blocks[kind] += planned.plan().blocks();
    } else if (event instanceof RunStarted started) {
      blockBytes = started.config().kv().blockBytes();
    } else if (event instanceof ConfigurationChanged) {
      changes++;
    }
  }

  public long transfers(TransferKind kind) {
    return transfers[kind.ordinal()];
  }

  public long bytes(TransferKind kind) {
    return blocks[kind.ordinal()] * blockBytes;
  }

  /// Changes of configuration: branches have one.
  public int changes() {
    return changes;
  }
}
