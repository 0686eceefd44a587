package io.fusespill.engine.state;

import java.util.Arrays;

/// A fixed number of KV blocks of one place, most recently freed first; or least recently, so that
/// what a sequence left behind lasts as long as it can.
///
/// A fresh pool hands out its blocks from 0 up. Each block counts its holders. A block whose
/// holders are all on their way out of the place is *leaving*: neither free nor of use to anybody
/// here.
public final class BlockPool {

  private static final long CLOSED = -1;

  private static final int NOBODY = -1;

  /// A ring: the next to be given at `first`.
  private final int[] free;

  private final int[] holders;
  private final int[] leavers;

  /// Sequence whose full block a free block still holds, and which of its blocks that is.
  private final int[] leftBy;

  private final int[] leftIndex;
  private int first;
  private int freeCount;
  private int leavingCount;
  private boolean keeping;
  private boolean closed;

  BlockPool(int blocks) {
    free = new int[blocks];
    holders = new int[blocks];
    leavers = new int[blocks];
    leftBy = new int[blocks];
    leftIndex = new int[blocks];
    Arrays.fill(leftBy, NOBODY);
    freeCount = blocks;
    for (int i = 0; i < blocks; i++) {
      free[i] = i;
    }
  }

  public int total() {
    return free.length;
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
    return free.length - freeCount - leavingCount;
  }

  public int holders(int block) {
    return holders[block];
  }

  /// The block that the `index`-th allocation from now would give.
  public int upcoming(int index) {
    return free[at(index)];
  }

  private int at(int index) {
    int position = first + index;
    return position < free.length ? position : position - free.length;
  }

  /// Allocates `block`, which must be the next one.
  void take(int block) {
    if (closed || freeCount == 0 || free[first] != block) {
      throw new IllegalStateException(
          "block %d is not the next free one of %d".formatted(block, freeCount));
    }
    first = at(1);
    freeCount--;
    holders[block] = 1;
    leftBy[block] = NOBODY;
  }

  /// Whether the least recently freed block is given first from now on, and what sequences leave
  /// behind is remembered. What was left behind is forgotten where not.
  void keep(boolean keeping) {
    this.keeping = keeping;
    if (!keeping) {
      Arrays.fill(leftBy, NOBODY);
    }
  }

  boolean keeping() {
    return keeping;
  }

  /// Nothing that lies in the pool is of use any more.
  void forget() {
    Arrays.fill(leftBy, NOBODY);
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

  /// Takes `block` from among the free ones, wherever it stands.
  void takeBack(int block) {
    int index = 0;
    while (index < freeCount && free[at(index)] != block) {
      index++;
    }
    if (closed || index == freeCount) {
      throw new IllegalStateException("block %d is not free".formatted(block));
    }
    for (int i = index; i > 0; i--) {
      free[at(i)] = free[at(i - 1)];
    }
    free[first] = block;
    take(block);
  }

  void retain(int block) {
    holders[block]++;
  }

  void release(int block) {
    if (--holders[block] == 0) {
      if (keeping) {
        free[at(freeCount)] = block;
      } else {
        first = first == 0 ? free.length - 1 : first - 1;
        free[first] = block;
      }
      freeCount++;
    } else if (holders[block] == leavers[block]) {
      leavingCount++;
    }
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

  void hash(StateHash hash) {
    hash.add(freeCount);
    for (int i = freeCount - 1; i >= 0; i--) {
      hash.add(free[at(i)]);
    }
    for (int i = 0; keeping && i < freeCount; i++) {
      int block = free[at(i)];
      if (leftBy[block] != NOBODY) {
        hash.add(block);
        hash.add(leftBy[block]);
        hash.add(leftIndex[block]);
      }
    }
    hash.add(leavingCount);
    if (closed) {
      hash.add(CLOSED);
    }
  }
}
