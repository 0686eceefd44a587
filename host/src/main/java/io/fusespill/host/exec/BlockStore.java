package io.fusespill.host.exec;

import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The KV blocks of one place. Threads may use different blocks at once.
sealed interface BlockStore extends AutoCloseable {

  /// Copies a block over one of another store, whose blocks are of the same size.
  void copy(int block, BlockStore target, int targetBlock) throws IOException;

  @Override
  void close() throws IOException;

  /// Blocks in memory.
  record Memory(KvPool pool) implements BlockStore {

    @Override
    public void copy(int block, BlockStore target, int targetBlock) throws IOException {
      switch (target) {
        case Memory memory -> pool.copyBlock(block, memory.pool, targetBlock);
        case File file -> file.write(pool.block(block).asByteBuffer(), targetBlock);
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
    public void copy(int block, BlockStore target, int targetBlock) throws IOException {
      if (!(target instanceof Memory memory)) {
        throw new IOException("a disk copies to memory alone");
      }
      ByteBuffer bytes = memory.pool.block(targetBlock).asByteBuffer();
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
