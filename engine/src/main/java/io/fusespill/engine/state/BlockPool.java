package io.fusespill.engine.state;

/// A fixed number of KV blocks of one place, most recently freed first.
///
/// A fresh pool hands out its blocks from 0 up. Each block counts its holders. A block whose
/// holders are all on their way out of the place is *leaving*: neither free nor of use to anybody
/// here.
public final class BlockPool {

  private static final long CLOSED = -1;

  private final int[] free;
  private final int[] holders;
  private final int[] leavers;
  private int freeCount;
  private int leavingCount;
  private boolean closed;

  BlockPool(int blocks) {
    free = new int[blocks];
    holders = new int[blocks];
    leavers = new int[blocks];
    freeCount = blocks;
    for (int i = 0; i < blocks; i++) {
      free[i] = blocks - 1 - i;
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
    return free[freeCount - 1 - index];
  }

  /// Allocates `block`, which must be the next one.
  void take(int block) {
    if (closed || freeCount == 0 || free[freeCount - 1] != block) {
      throw new IllegalStateException(
          "block %d is not the next free one of %d".formatted(block, freeCount));
    }
    freeCount--;
    holders[block] = 1;
  }

  void retain(int block) {
    holders[block]++;
  }

  void release(int block) {
    if (--holders[block] == 0) {
      free[freeCount++] = block;
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
    for (int i = 0; i < freeCount; i++) {
      hash.add(free[i]);
    }
    hash.add(leavingCount);
    if (closed) {
      hash.add(CLOSED);
    }
  }
}
