package io.fusespill.cuda.driver;

import java.lang.foreign.MemorySegment;

/// Host memory of somebody else's that is pinned while this is open. Close it before the memory
/// goes.
public final class PinnedRange extends Resource {

  private final MemorySegment memory;

  PinnedRange(Context context, MemorySegment memory, String name) {
    super(context, "pinned range %s (%s)".formatted(name, Context.size(memory.byteSize())));
    this.memory = memory;
  }

  @Override
  int release() {
    return Driver.hostUnregister(memory.address());
  }
}
