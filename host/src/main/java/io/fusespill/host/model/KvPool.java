package io.fusespill.host.model;

import io.fusespill.host.kernel.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A fixed number of KV blocks in memory outside the Java heap, all zero at first. The system gives
/// a page only when it is first written.
///
/// Who uses a block says so nowhere: two threads may work on the pool at once as long as they work
/// on different blocks. Close it when nobody uses it any more.
public final class KvPool implements AutoCloseable {

  /// At most what the system gives at a time.
  private static final long PAGE_BYTES = 4_096;

  private final KvShape shape;
  private final int blocks;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  private KvPool(KvShape shape, int blocks) {
    this.shape = shape;
    this.blocks = blocks;
    memory = Pages.allocate(Math.multiplyExact(shape.blockBytes(), (long) blocks), arena);
  }

  /// A pool of `blocks` blocks, at least 1.
  ///
  /// @throws OutOfMemoryError if the system does not give that much
  public static KvPool of(KvShape shape, int blocks) {
    if (blocks < 1) {
      throw new IllegalArgumentException("blocks must be at least 1, got " + blocks);
    }
    return new KvPool(shape, blocks);
  }

  public KvShape shape() {
    return shape;
  }

  /// Blocks in the pool.
  public int blocks() {
    return blocks;
  }

  /// The bytes of one block, for copies to and from other memory or files.
  public MemorySegment block(int block) {
    checkBlock(block);
    return memory.asSlice(block * shape.blockBytes(), shape.blockBytes());
  }

  /// All blocks, one after the other, for who pins or maps them.
  public MemorySegment memory() {
    return memory;
  }

  /// Copies a block of this pool over one of `target`, which may be this pool.
  public void copyBlock(int block, KvPool target, int targetBlock) {
    if (!shape.equals(target.shape)) {
      throw new IllegalArgumentException(
          "blocks of %s do not fit a pool of %s".formatted(shape, target.shape));
    }
    checkBlock(block);
    target.checkBlock(targetBlock);
    long bytes = shape.blockBytes();
    MemorySegment.copy(memory, block * bytes, target.memory, targetBlock * bytes, bytes);
  }

  /// Copies the first `tokens` tokens of a block over those of another, 0 to the block's tokens:
  /// what a sample needs that goes on from a prompt shared with others.
  public void copyTokens(int block, KvPool target, int targetBlock, int tokens) {
    if (!shape.equals(target.shape)) {
      throw new IllegalArgumentException(
          "blocks of %s do not fit a pool of %s".formatted(shape, target.shape));
    }
    if (tokens < 0 || tokens > shape.blockTokens()) {
      throw new IllegalArgumentException(
          "tokens must be 0 to %d, got %d".formatted(shape.blockTokens(), tokens));
    }
    checkBlock(block);
    target.checkBlock(targetBlock);
    long head = shape.headBytes();
    long bytes = (long) tokens * shape.headDim() * shape.type().bytes();
    long from = block * shape.blockBytes();
    long to = targetBlock * shape.blockBytes();
    for (long at = 0; at < shape.blockBytes(); at += head) {
      MemorySegment.copy(memory, from + at, target.memory, to + at, bytes);
    }
  }

  /// Takes all memory from the system now, and not when a block is first written, which would make
  /// the first steps of a benchmark slower than its others. For pools that nobody uses yet.
  public void touch() {
    for (long at = 0; at < memory.byteSize(); at += PAGE_BYTES) {
      memory.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
    }
  }

  void checkBlock(int block) {
    if (block < 0 || block >= blocks) {
      throw new IllegalArgumentException(
          "block must be 0 to %d, got %d".formatted(blocks - 1, block));
    }
  }

  /// The address of block 0.
  ///
  /// @throws IllegalStateException if the pool is closed
  long address() {
    if (!memory.scope().isAlive()) {
      throw new IllegalStateException("the KV pool is closed");
    }
    return memory.address();
  }

  @Override
  public void close() {
    arena.close();
  }
}
