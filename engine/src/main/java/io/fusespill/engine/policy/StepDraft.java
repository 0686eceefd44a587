package io.fusespill.engine.policy;

import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// A step being put together: it counts the blocks that its entries will take, so that a policy
/// sees what is really free. Reused from step to step by its device.
public final class StepDraft {

  private final int device;
  private final EngineView view;
  private final KvLayout kv;
  private final BlockPool pool;
  private int[] sequences = new int[64];
  private int[] newTokens = new int[64];
  private int[] computedTokens = new int[64];
  private final BitSet drafted = new BitSet();
  private int base;
  private int size;
  private int blocks;
  private int tokens;
  private int newBlocks;
  private int remotePlace = StepPlan.NO_REMOTE;
  private int remoteEntries;
  private int remoteBlocks;
  private final List<Sequence> copiers = new ArrayList<>();
  private Ints lastSequences = Ints.EMPTY;
  private Ints lastNewTokens = Ints.EMPTY;

  public StepDraft(int device, EngineView view) {
    this.device = device;
    this.view = view;
    this.kv = view.config().kv();
    this.pool = view.pool(device);
  }

  public int device() {
    return device;
  }

  /// Empties the draft. Live sequences have numbers of `firstSequence` and up.
  public StepDraft clear(int firstSequence) {
    for (int i = 0; i < size; i++) {
      drafted.clear(sequences[i] - base);
    }
    base = firstSequence;
    size = 0;
    blocks = 0;
    tokens = 0;
    newBlocks = 0;
    remotePlace = StepPlan.NO_REMOTE;
    remoteEntries = 0;
    remoteBlocks = 0;
    copiers.clear();
    return this;
  }

  /// Blocks that neither somebody holds nor an entry will take.
  public int free() {
    return pool.free() - blocks;
  }

  /// Blocks of `place` that entries will take.
  public int reserved(int place) {
    return place == device ? blocks : place == remotePlace ? remoteBlocks : 0;
  }

  /// Number of entries.
  public int size() {
    return size;
  }

  /// Whether an entry computes the sequence.
  public boolean contains(Sequence sequence) {
    return sequence.id() >= base && drafted.get(sequence.id() - base);
  }

  /// Whether nobody uses any sequence of `request`: no step in flight, no transfer and no entry of
  /// this draft.
  public boolean canReject(EngineView view, Request request) {
    for (int i = 0; i < request.samples(); i++) {
      Sequence sequence = view.sequence(request.firstSequence() + i);
      if (sequence != null && (sequence.pinned() || contains(sequence))) {
        return false;
      }
    }
    return true;
  }

  /// Tokens that the entries compute.
  public int tokens() {
    return tokens;
  }

  /// Blocks that computing `tokens` more tokens of `sequence` would take: growth, and a copy of a
  /// shared last block.
  public int blocksFor(Sequence sequence, int tokens) {
    int growth = growth(sequence, tokens);
    return copies(sequence) ? growth + 1 : growth;
  }

  private int growth(Sequence sequence, int tokens) {
    return kv.blocks(sequence.plannedComputedTokens() + tokens) - sequence.table().size();
  }

  /// Adds an entry that computes `tokens` more tokens of `sequence`.
  ///
  /// @throws IllegalStateException if the sequence does not run here, is in use or has fewer tokens
  ///   to compute, or the pool has too few blocks left
  public void add(Sequence sequence, int tokens) {
    if (sequence.status() != SequenceStatus.RUNNING
        || sequence.place() != device
        || contains(sequence)
        || remoteEntries > 0
        || tokens < 1
        || tokens > sequence.pendingTokens()) {
      throw new IllegalStateException(
          "place %d cannot compute %d tokens of sequence %d: it is %s in place %d with %d to compute"
              .formatted(
                  device,
                  tokens,
                  sequence.id(),
                  sequence.status(),
                  sequence.place(),
                  sequence.pendingTokens()));
    }
    int growth = growth(sequence, tokens);
    boolean copy = copies(sequence);
    int taken = copy ? growth + 1 : growth;
    if (taken > free()) {
      throw new IllegalStateException(
          "%d tokens of sequence %d need %d of %d free blocks of place %d"
              .formatted(tokens, sequence.id(), taken, free(), device));
    }
    if (copy) {
      copiers.add(sequence);
    }
    blocks += taken;
    newBlocks += growth;
    append(sequence, tokens);
  }

  /// Whether [#addRemote] would take the sequence: it rests in a host that attends for this device,
  /// has one token to compute and no sample to fork, does not share the block that this goes into,
  /// and there is room for it.
  public boolean canAddRemote(Sequence sequence) {
    int place = sequence.place();
    return sequence.status() == SequenceStatus.SWAPPED
        && view.config().topology().attends(place, device)
        && (remotePlace == StepPlan.NO_REMOTE || remotePlace == place)
        && !contains(sequence)
        && sequence.pendingTokens() == 1
        && sequence.unforked() == 0
        && (!sequence.pinned() || sequence.stepper() == device)
        && !sharesLastBlock(sequence, view.pool(place))
        && growth(sequence, 1) <= view.pool(place).free() - remoteBlocks;
  }

  /// Adds an entry that decodes one token of a sequence whose KV lies in a host that attends.
  /// Remote entries come after all others.
  ///
  /// @throws IllegalStateException if [#canAddRemote] says no
  public void addRemote(Sequence sequence) {
    if (!canAddRemote(sequence)) {
      throw new IllegalStateException(
          "place %d cannot decode sequence %d remotely: it is %s in place %d with %d to compute"
              .formatted(
                  device,
                  sequence.id(),
                  sequence.status(),
                  sequence.place(),
                  sequence.pendingTokens()));
    }
    int growth = growth(sequence, 1);
    remotePlace = sequence.place();
    remoteEntries++;
    remoteBlocks += growth;
    newBlocks += growth;
    append(sequence, 1);
  }

  private boolean sharesLastBlock(Sequence sequence, BlockPool home) {
    return sequence.plannedComputedTokens() % kv.blockTokens() != 0
        && home.holders(sequence.table().last()) > 1;
  }

  private void append(Sequence sequence, int entryTokens) {
    if (size == sequences.length) {
      sequences = Arrays.copyOf(sequences, 2 * size);
      newTokens = Arrays.copyOf(newTokens, 2 * size);
      computedTokens = Arrays.copyOf(computedTokens, 2 * size);
    }
    drafted.set(sequence.id() - base);
    sequences[size] = sequence.id();
    newTokens[size] = entryTokens;
    computedTokens[size++] = sequence.plannedComputedTokens();
    tokens += entryTokens;
  }

  /// Whether the sequence's next token goes into a block that others hold too. The last of several
  /// holders writes in place, once the others of this step have copied.
  private boolean copies(Sequence sequence) {
    if (sequence.plannedComputedTokens() % kv.blockTokens() == 0) {
      return false;
    }
    int last = sequence.table().last();
    int holders = pool.holders(last);
    if (holders == 1) {
      return false;
    }
    for (Sequence copier : copiers) {
      if (copier.table().last() == last) {
        holders--;
      }
    }
    return holders > 1;
  }

  /// The finished plan. Blocks are named in the order in which their pools will give them: entry by
  /// entry, a copy's target before the entry's growth.
  public StepPlan plan(long step, List<TransferPlan> ordered, int batchedTokens) {
    int[] grown = new int[newBlocks];
    List<BlockCopy> copies = copiers.isEmpty() ? List.of() : new ArrayList<>(copiers.size());
    if (newBlocks > 0 || !copiers.isEmpty()) {
      nameBlocks(grown, copies);
    }
    if (!lastSequences.matches(sequences, size)) {
      lastSequences = Ints.copyOf(sequences, size);
    }
    if (!lastNewTokens.matches(newTokens, size)) {
      lastNewTokens = Ints.copyOf(newTokens, size);
    }
    return new StepPlan(
        device,
        step,
        lastSequences,
        lastNewTokens,
        Ints.copyOf(computedTokens, size),
        Ints.of(grown),
        copies,
        transferNumbers(ordered),
        batchedTokens,
        remotePlace,
        remoteEntries);
  }

  private void nameBlocks(int[] grown, List<BlockCopy> copies) {
    int taken = 0;
    int named = 0;
    int remoteTaken = 0;
    for (int i = 0; i < size; i++) {
      if (copies.size() < copiers.size() && copiers.get(copies.size()).id() == sequences[i]) {
        Sequence copier = copiers.get(copies.size());
        copies.add(new BlockCopy(copier.id(), copier.table().last(), pool.upcoming(taken++)));
      }
      int growth = kv.blocks(computedTokens[i] + newTokens[i]) - kv.blocks(computedTokens[i]);
      boolean local = i < size - remoteEntries;
      for (int b = 0; b < growth; b++) {
        grown[named++] =
            local ? pool.upcoming(taken++) : view.pool(remotePlace).upcoming(remoteTaken++);
      }
    }
  }

  private static Ints transferNumbers(List<TransferPlan> ordered) {
    if (ordered.isEmpty()) {
      return Ints.EMPTY;
    }
    int[] numbers = new int[ordered.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = ordered.get(i).transfer();
    }
    return Ints.of(numbers);
  }
}
