package io.fusespill.host.exec;

import io.fusespill.engine.plan.Ints;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The KV blocks of one place. Threads may use different blocks at once.
public sealed interface BlockStore extends AutoCloseable {

  /// Copies blocks over ones of another store, whose blocks are of the same size, and returns when
  /// they are there.
  ///
  /// @param targetBlocks one for each of `blocks`
  void copy(Ints blocks, BlockStore target, Ints targetBlocks) throws IOException;

  @Override
  void close() throws IOException;

  /// Blocks in memory of an [Accelerator].
  non-sealed interface Remote extends BlockStore {

    /// Copies blocks of this machine's memory over ones of this store, and returns when they are
    /// there.
    void copyFrom(Memory source, Ints blocks, Ints targetBlocks) throws IOException;
  }

  /// Blocks in memory.
  record Memory(KvPool pool) implements BlockStore {

    @Override
    public void copy(Ints blocks, BlockStore target, Ints targetBlocks) throws IOException {
      if (target instanceof Remote remote) {
        remote.copyFrom(this, blocks, targetBlocks);
        return;
      }
      for (int i = 0; i < blocks.size(); i++) {
        if (target instanceof Memory memory) {
          pool.copyBlock(blocks.get(i), memory.pool, targetBlocks.get(i));
        } else {
          ((File) target).write(pool.block(blocks.get(i)).asByteBuffer(), targetBlocks.get(i));
        }
      }
    }

    @Override
    public void close() {
      pool.close();
    }
  }

  /// Blocks in a file, which goes when the store is closed.
  record File(FileChannel channel, long blockBytes) implements BlockStore {

    /// A new file of `blocks` blocks; it takes room as blocks are written.
    static File create(Path path, KvShape shape) throws IOException {
      return new File(
          FileChannel.open(
              path,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE),
          shape.blockBytes());
    }

    @Override
    public void copy(Ints blocks, BlockStore target, Ints targetBlocks) throws IOException {
      if (!(target instanceof Memory memory)) {
        throw new IOException("a disk copies to memory alone");
      }
      for (int i = 0; i < blocks.size(); i++) {
        read(blocks.get(i), memory.pool.block(targetBlocks.get(i)).asByteBuffer());
      }
    }

    private void read(int block, ByteBuffer bytes) throws IOException {
      long at = block * blockBytes;
      while (bytes.hasRemaining()) {
        int read = channel.read(bytes, at);
        if (read < 0) {
          throw new EOFException(
              "block %d lies beyond the end of the disk's file".formatted(block));
        }
        at += read;
      }
    }

    private void write(ByteBuffer bytes, int block) throws IOException {
      long at = block * blockBytes;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
