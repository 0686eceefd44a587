package io.fusespill.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A piece of pinned host memory. Its contents are zero at first or anything.
public final class PinnedBuffer extends Resource {

  private final long address;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  @SuppressWarnings("restricted")
  PinnedBuffer(Context context, long address, long bytes, String name) {
    super(context, "pinned buffer %s (%s)".formatted(name, Context.size(bytes)));
    this.address = address;
    memory = MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
  }

  /// The memory, for any thread; using it after closing throws.
  public MemorySegment memory() {
    return memory;
  }

  public long address() {
    checkOpen();
    return address;
  }

  /// The address `offset` bytes into it, 0 to its size.
  public long address(long offset) {
    if (offset < 0 || offset > bytes()) {
      throw new IndexOutOfBoundsException(
          "offset must be 0 to %d in %s, got %d".formatted(bytes(), this, offset));
    }
    return address() + offset;
  }

  public long bytes() {
    return memory.byteSize();
  }

  @Override
  int release() {
    arena.close();
    return Driver.hostFree(address);
  }
}
