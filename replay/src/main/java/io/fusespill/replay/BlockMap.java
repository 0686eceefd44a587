package io.fusespill.replay;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceStatus;
import java.util.ArrayList;
import java.util.List;

/// Who holds which block of one place, block by block.
public final class BlockMap {

  /// What a block is to its place.
  public enum Use {
    FREE,
    /// Sequences hold it.
    HELD,
    /// A transfer will fill it.
    ARRIVING,
    /// All its holders are on their way out.
    LEAVING
  }

  /// Neighbouring blocks that are alike.
  ///
  /// @param first number of the first
  /// @param sequences whose KV is or will be in them, oldest first; several share a prompt
  /// @param pinned whether a step in flight or a transfer uses them
  public record Run(int first, int count, Use use, List<Integer> sequences, boolean pinned) {

    public Run {
      sequences = List.copyOf(sequences);
    }

    private boolean continues(Run other) {
      return use == other.use && pinned == other.pinned && sequences.equals(other.sequences);
    }
  }

  private final Use[] uses;
  private final boolean[] pinned;
  private final List<List<Integer>> sequences = new ArrayList<>();

  private BlockMap(int blocks) {
    uses = new Use[blocks];
    pinned = new boolean[blocks];
    for (int block = 0; block < blocks; block++) {
      uses[block] = Use.FREE;
      sequences.add(List.of());
    }
  }

  /// The map of a place of a run that has started. Takes time in proportion to its blocks and the
  /// live sequences.
  public static BlockMap of(EngineState state, int place) {
    BlockMap map = new BlockMap(state.pool(place).total());
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null && sequence.place() == place) {
        Use use = sequence.status() == SequenceStatus.TRANSFERRING ? Use.LEAVING : Use.HELD;
        for (int b = 0; b < sequence.table().size(); b++) {
          map.add(sequence.table().get(b), use, id, sequence.pinned());
        }
      }
    }
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      if (plan != null && plan.to() == place) {
        map.addAll(plan.targetBlocks(), Use.ARRIVING, plan.sequences());
      }
    }
    for (int i = 0; i < state.stepsInFlight(place); i++) {
      for (BlockCopy copy : state.stepInFlight(place, i).copies()) {
        map.add(copy.source(), Use.HELD, copy.sequence(), true);
      }
    }
    for (Place device : state.config().topology().places()) {
      if (device.id() != place) {
        map.addOrdered(state.orderedPlanned(device.id()), place);
        for (int i = 0; i < state.stepsInFlight(device.id()); i++) {
          map.addOrdered(state.orderedInFlight(device.id(), i), place);
        }
      }
    }
    return map;
  }

  /// Blocks that ordered transfers give up here are leaving until the step that they precede is
  /// done.
  private void addOrdered(List<TransferPlan> plans, int place) {
    for (TransferPlan plan : plans) {
      if (plan.from() == place) {
        addAll(plan.sourceBlocks(), Use.LEAVING, plan.sequences());
      }
    }
  }

  private void addAll(Ints blocks, Use use, Ints owners) {
    for (int i = 0; i < blocks.size(); i++) {
      for (int owner = 0; owner < owners.size(); owner++) {
        add(blocks.get(i), use, owners.get(owner), true);
      }
    }
  }

  /// A block that one holds and another leaves is held.
  private void add(int block, Use use, int sequence, boolean isPinned) {
    if (uses[block] == Use.FREE || use == Use.HELD) {
      uses[block] = use;
    }
    pinned[block] |= isPinned;
    if (!sequences.get(block).contains(sequence)) {
      List<Integer> more = new ArrayList<>(sequences.get(block));
      more.add(sequence);
      more.sort(null);
      sequences.set(block, List.copyOf(more));
    }
  }

  /// Number of blocks.
  public int size() {
    return uses.length;
  }

  public Use use(int block) {
    return uses[block];
  }

  /// Sequences whose KV is, or will be, in the block, oldest first.
  public List<Integer> sequences(int block) {
    return sequences.get(block);
  }

  /// Whether a step in flight or a transfer uses the block.
  public boolean pinned(int block) {
    return pinned[block];
  }

  /// Blocks of one use.
  public int count(Use use) {
    int count = 0;
    for (Use each : uses) {
      count += each == use ? 1 : 0;
    }
    return count;
  }

  /// All blocks in order, those that are alike together.
  public List<Run> runs() {
    List<Run> runs = new ArrayList<>();
    for (int block = 0; block < uses.length; block++) {
      Run one = new Run(block, 1, uses[block], sequences.get(block), pinned[block]);
      Run last = runs.isEmpty() ? null : runs.getLast();
      if (last != null && last.continues(one)) {
        runs.set(
            runs.size() - 1,
            new Run(last.first(), last.count() + 1, last.use(), last.sequences(), last.pinned()));
      } else {
        runs.add(one);
      }
    }
    return runs;
  }
}
