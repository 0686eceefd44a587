package io.fusespill.engine.state;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A fixed number of KV blocks of one place, most recently freed first; or least recently, so that
/// what free blocks still hold lasts as long as it can.
///
/// A fresh pool hands out its blocks from 0 up. Each block counts its holders. A block whose
/// holders are all on their way out of the place is *leaving*: neither free nor of use to anybody
/// here.
public final class BlockPool {

  private static final long CLOSED = -1;

  /// No block, or no sequence.
  static final int NOBODY = -1;

  /// Free blocks in the order in which they will be given; [#NOBODY] behind the last.
  private final int[] next;

  /// The same the other way round, only while [#keeping]: then any of them may be given next.
  private int[] previous = {};

  private final int[] holders;
  private final int[] leavers;

  /// Sequence whose full block a free block still holds, and which of its blocks that is.
  private final int[] leftBy;

  private final int[] leftIndex;

  /// What of a prompt's beginning a block holds, free or not.
  private final PrefixTree.@Nullable Node[] content;

  /// Another block with the same content, and so on from the one that the content knows; [#NOBODY]
  /// behind the last.
  private final int[] twin;

  private final PrefixTree prefixes;

  /// Number of this pool among those that hold such content.
  private final int number;

  private int first;

  /// Likewise.
  private int last = NOBODY;

  private int freeCount;

  /// Where [#upcoming] was asked last, and what it said; [#NOBODY] since the list has changed.
  private int seenIndex;

  private int seenBlock = NOBODY;

  /// For each block the last look ahead that it was among; the number of that, and how far it went.
  private final int[] soon;

  private int look;
  private int lookReserved = NOBODY;
  private int leavingCount;
  private boolean keeping;
  private boolean closed;

  /// @param prefixes what prompts begin with, for as long as it is kept
  BlockPool(int blocks, PrefixTree prefixes) {
    this.prefixes = prefixes;
    number = prefixes.addPool();
    content = new PrefixTree.@Nullable Node[blocks];
    twin = new int[blocks];
    next = new int[blocks];
    soon = new int[blocks];
    holders = new int[blocks];
    leavers = new int[blocks];
    leftBy = new int[blocks];
    leftIndex = new int[blocks];
    Arrays.fill(leftBy, NOBODY);
    freeCount = blocks;
    first = blocks == 0 ? NOBODY : 0;
    for (int block = 0; block < blocks; block++) {
      next[block] = block + 1 < blocks ? block + 1 : NOBODY;
    }
  }

  public int total() {
    return holders.length;
  }

  /// Blocks that can be taken; none while the place has failed.
  public int free() {
    return closed ? 0 : freeCount;
  }

  boolean closed() {
    return closed;
  }

  /// Gives out nothing more until it is opened.
  void close() {
    closed = true;
  }

  void open() {
    closed = false;
  }

  public int leaving() {
    return leavingCount;
  }

  /// Blocks in use, leaving ones not counted.
  public int allocated() {
    return total() - freeCount - leavingCount;
  }

  public int holders(int block) {
    return holders[block];
  }

  /// The block that the `index`-th allocation from now would give. One after the other costs
  /// little.
  public int upcoming(int index) {
    if (seenBlock == NOBODY || index < seenIndex) {
      seenIndex = 0;
      seenBlock = first;
    }
    for (; seenIndex < index; seenIndex++) {
      seenBlock = next[seenBlock];
    }
    return seenBlock;
  }

  /// Allocates `block`, which must be the next one, for new content.
  void take(int block) {
    if (closed || freeCount == 0 || first != block) {
      throw new IllegalStateException(
          "block %d is not the next free one of %d".formatted(block, freeCount));
    }
    if (keeping) {
      unlink(block);
      uncache(block);
    } else {
      first = next[block];
    }
    hand(block);
  }

  private void hand(int block) {
    changed();
    freeCount--;
    holders[block] = 1;
  }

  /// Takes a free block out of the list, wherever it stands.
  private void unlink(int block) {
    leftBy[block] = NOBODY;
    int before = previous[block];
    int after = next[block];
    if (before == NOBODY) {
      first = after;
    } else {
      next[before] = after;
    }
    if (after == NOBODY) {
      last = before;
    } else {
      previous[after] = before;
    }
  }

  /// Whether the least recently freed block is given first from now on, and what blocks hold is
  /// remembered. All is forgotten where not.
  void keep(boolean keeping) {
    if (keeping && !this.keeping) {
      linkBack();
    }
    if (!keeping && this.keeping) {
      forget();
      previous = new int[0];
    }
    this.keeping = keeping;
  }

  private void linkBack() {
    previous = new int[total()];
    last = NOBODY;
    for (int block = first; block != NOBODY; block = next[block]) {
      previous[block] = last;
      last = block;
    }
  }

  boolean keeping() {
    return keeping;
  }

  /// Nothing that lies in the pool is of use any more.
  void forget() {
    Arrays.fill(leftBy, NOBODY);
    for (int block = 0; block < content.length; block++) {
      uncache(block);
    }
  }

  /// Notes that `block`, which somebody holds, is full and holds what `node` says.
  void cache(int block, PrefixTree.Node node) {
    if (content[block] != node) {
      uncache(block);
      content[block] = node;
      prefixes.retain(node);
      twin[block] = node.block(number);
      node.setBlock(number, block);
    }
  }

  /// What `block` holds is of no use any more.
  void forget(int block) {
    leftBy[block] = NOBODY;
    uncache(block);
  }

  /// Forgets what `block` holds of a prompt.
  private void uncache(int block) {
    PrefixTree.Node node = content[block];
    if (node != null) {
      content[block] = null;
      if (node.block(number) == block) {
        node.setBlock(number, twin[block]);
      } else {
        int before = node.block(number);
        while (twin[before] != block) {
          before = twin[before];
        }
        twin[before] = twin[block];
      }
      prefixes.release(node);
    }
  }

  /// What of a prompt's beginning `block` holds, or null.
  PrefixTree.@Nullable Node content(int block) {
    return content[block];
  }

  /// A block that holds what `node` says and is on its way nowhere: one that somebody holds if
  /// there is one, for it costs nothing; else a free one that is not among the next `reserved` to
  /// be given; of several the one with the lowest number. Or [#NOBODY].
  int holding(PrefixTree.Node node, int reserved) {
    int held = NOBODY;
    int free = NOBODY;
    for (int block = node.block(number); block != NOBODY; block = twin[block]) {
      if (holders[block] > 0) {
        held = leavers[block] == 0 ? lower(held, block) : held;
      } else if (!isUpcoming(block, reserved)) {
        free = lower(free, block);
      }
    }
    return held == NOBODY ? free : held;
  }

  private static int lower(int block, int other) {
    return block == NOBODY ? other : Math.min(block, other);
  }

  /// Whether `block`, a free one, is among the next `within` to be given. Asking for one block
  /// after the other looks ahead once.
  boolean isUpcoming(int block, int within) {
    if (lookReserved != within) {
      look++;
      lookReserved = within;
      for (int i = 0; i < within; i++) {
        soon[upcoming(i)] = look;
      }
    }
    return soon[block] == look;
  }

  private void changed() {
    seenBlock = NOBODY;
    lookReserved = NOBODY;
  }

  /// Notes that `block`, which is about to be released, is the `index`-th of the sequence and full.
  void leftBehind(int block, int sequence, int index) {
    leftBy[block] = sequence;
    leftIndex[block] = index;
  }

  /// Whether `block` is free and still holds the `index`-th full block of the sequence.
  boolean holdsStill(int block, int sequence, int index) {
    return leftBy[block] == sequence && leftIndex[block] == index && holders[block] == 0;
  }

  /// One holder more of `block` with what is in it, wherever it stands among the free ones if
  /// nobody holds it. For pools that remember what blocks hold.
  void share(int block) {
    if (closed) {
      throw new IllegalStateException("block %d lies in a place that has failed".formatted(block));
    }
    if (holders[block] > 0) {
      retain(block);
    } else {
      unlink(block);
      hand(block);
    }
  }

  void retain(int block) {
    holders[block]++;
  }

  void release(int block) {
    if (--holders[block] == 0) {
      if (keeping) {
        append(block);
      } else {
        next[block] = first;
        first = block;
      }
      changed();
      freeCount++;
    } else if (holders[block] == leavers[block]) {
      leavingCount++;
    }
  }

  private void append(int block) {
    previous[block] = last;
    next[block] = NOBODY;
    if (last == NOBODY) {
      first = block;
    } else {
      next[last] = block;
    }
    last = block;
  }

  /// One holder of `block` is on its way out.
  void leave(int block) {
    if (++leavers[block] == holders[block]) {
      leavingCount++;
    }
  }

  /// A holder that was on its way out stays.
  void stay(int block) {
    if (leavers[block]-- == holders[block]) {
      leavingCount--;
    }
  }

  /// The holder that was on its way out is gone.
  void releaseLeaver(int block) {
    stay(block);
    release(block);
  }

  int leavers(int block) {
    return leavers[block];
  }

  /// What does not hold of the pool's own links, for [Invariants]; null where all does.
  @Nullable String fault() {
    String fault = faultOfFreeList();
    for (int block = 0; fault == null && block < content.length; block++) {
      PrefixTree.Node node = content[block];
      if (node != null && !knows(node, block)) {
        fault =
            "block %d holds beginning %d, which does not know it".formatted(block, node.serial());
      }
    }
    for (PrefixTree.Node node : prefixes.nodes()) {
      fault = fault == null ? faultOf(node) : fault;
    }
    return fault;
  }

  private @Nullable String faultOfFreeList() {
    int length = 0;
    int before = NOBODY;
    for (int block = first; block != NOBODY && length <= total(); block = next[block]) {
      if (keeping && previous[block] != before) {
        return "free block %d comes after %d, not after %d"
            .formatted(block, before, previous[block]);
      }
      before = block;
      length++;
    }
    if (length != freeCount) {
      return "%d free blocks in a list of %d".formatted(freeCount, length);
    }
    return keeping && last != before
        ? "free block %d is the last, not %d".formatted(before, last)
        : null;
  }

  private @Nullable String faultOf(PrefixTree.Node node) {
    int length = 0;
    for (int block = node.block(number); block != NOBODY; block = twin[block]) {
      if (content[block] != node) {
        return "block %d does not hold beginning %d".formatted(block, node.serial());
      }
      if (++length > total()) {
        return "the blocks of beginning %d go in a circle".formatted(node.serial());
      }
    }
    return null;
  }

  private boolean knows(PrefixTree.Node node, int block) {
    int holder = node.block(number);
    for (int seen = 0; holder != NOBODY && seen < total(); seen++) {
      if (holder == block) {
        return true;
      }
      holder = twin[holder];
    }
    return false;
  }

  void hash(StateHash hash) {
    hash.add(freeCount);
    int[] free = new int[freeCount];
    int block = first;
    for (int i = 0; i < freeCount; i++) {
      free[i] = block;
      block = next[block];
    }
    for (int i = freeCount - 1; i >= 0; i--) {
      hash.add(free[i]);
    }
    if (keeping) {
      hashContent(hash, free);
    }
    hash.add(leavingCount);
    if (closed) {
      hash.add(CLOSED);
    }
  }

  private void hashContent(StateHash hash, int[] free) {
    for (int block : free) {
      if (leftBy[block] != NOBODY) {
        hash.add(block);
        hash.add(leftBy[block]);
        hash.add(leftIndex[block]);
      }
    }
    for (int block = 0; block < content.length; block++) {
      PrefixTree.Node node = content[block];
      if (node != null) {
        hash.add(block);
        hash.add(node.serial());
      }
    }
  }
}
