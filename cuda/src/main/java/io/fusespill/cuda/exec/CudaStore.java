package io.fusespill.cuda.exec;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.exec.BlockStore;
import io.fusespill.host.model.KvPool;
import java.io.IOException;

/// KV blocks in a GPU's memory, with a stream for copies out of it and one for copies in, which run
/// beside each other and beside the device's steps, one copy a block.
///
/// Nothing here waits for steps: the engine moves no block asynchronously that a step in flight
/// uses, and a step counts as in flight until the GPU is done with it.
final class CudaStore implements BlockStore.Remote {

  private final Context context;
  private final DeviceBuffer pool;
  private final long blockBytes;
  private final int blocks;
  private final Stream out;
  private final Stream in;

  /// Takes the memory, all zero. It owns the context from now on, if it comes to be.
  ///
  /// @throws io.fusespill.cuda.driver.CudaException if there is not that much
  CudaStore(Context context, String place, long blockBytes, int blocks) {
    this.context = context;
    this.blockBytes = blockBytes;
    this.blocks = blocks;
    try (Context.Making making = context.make()) {
      pool = context.allocate(Math.multiplyExact(blockBytes, (long) blocks), "KV pool of " + place);
      out = context.stream(place + " out");
      in = context.stream(place + " in");
      in.fill(pool.address(), (byte) 0, pool.bytes());
      in.synchronize();
      making.keep();
    }
  }

  Context context() {
    return context;
  }

  int blocks() {
    return blocks;
  }

  /// The address of a block.
  long address(int block) {
    if (block < 0 || block >= blocks) {
      throw new IllegalArgumentException(
          "block must be 0 to %d, got %d".formatted(blocks - 1, block));
    }
    return pool.address(block * blockBytes);
  }

  @Override
  public void copy(Ints blocks, BlockStore target, Ints targetBlocks) throws IOException {
    context.bind();
    synchronized (out) {
      try {
        copy(out, blocks, target, targetBlocks);
      } finally {
        // Also what came before a failure: nothing of it may still be written afterwards.
        out.synchronize();
      }
    }
  }

  @Override
  public void copyFrom(Memory source, Ints blocks, Ints targetBlocks) {
    context.bind();
    synchronized (in) {
      try {
        copyFrom(in, source, blocks, targetBlocks);
      } finally {
        in.synchronize();
      }
    }
  }

  /// Queues the copies on a stream of this store's GPU.
  void copy(Stream stream, Ints blocks, BlockStore target, Ints targetBlocks) throws IOException {
    for (int i = 0; i < blocks.size(); i++) {
      long from = address(blocks.get(i));
      switch (target) {
        case Memory memory ->
            stream.copyToHost(hostAddress(memory.pool(), targetBlocks.get(i)), from, blockBytes);
        case CudaStore other ->
            stream.copyOnDevice(other.address(targetBlocks.get(i)), from, blockBytes);
        default -> throw new IOException("a GPU copies to memory and to other GPUs, not to a disk");
      }
    }
  }

  /// Queues the copies on a stream of this store's GPU.
  void copyFrom(Stream stream, Memory source, Ints blocks, Ints targetBlocks) {
    for (int i = 0; i < blocks.size(); i++) {
      stream.copyToDevice(
          address(targetBlocks.get(i)), hostAddress(source.pool(), blocks.get(i)), blockBytes);
    }
  }

  private static long hostAddress(KvPool pool, int block) {
    return pool.block(block).address();
  }

  /// Frees the memory. The place's device must be closed.
  @Override
  public void close() {
    out.close();
    in.close();
    pool.close();
    context.close();
  }
}
