package io.fusespill.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Where the copy engine of compute capability 9.0 finds boxes of a matrix (the driver's
/// `CUtensorMap`): 16-bit numbers in device memory, `[part][row][column]` without gaps. A box comes
/// into shared memory as rows of 128 bytes, swizzled by as much; what is beyond the matrix reads as
/// zero.
///
/// Holds an address and no device memory: it is the caller's to keep that. Safe for any thread.
public final class TensorMap {

  /// Columns of a box: 128 bytes.
  private static final int BOX_COLUMNS = 64;

  static final long BYTES = 128;
  private static final long ALIGNMENT = 64;
  private static final int UINT16 = 1;
  private static final int RANK = 3;
  private static final int NO_INTERLEAVE = 0;
  private static final int SWIZZLE_128_BYTES = 3;
  private static final int PROMOTE_TO_256_BYTES = 3;
  private static final int ZEROS_OUTSIDE = 0;

  private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, ALIGNMENT);

  /// A map of the matrix.
  ///
  /// @param address of device memory, 16-byte aligned
  /// @param columns a multiple of 8
  /// @param boxRows rows of a box, 1 to 256
  /// @param boxParts parts of a box, 1 to 256
  /// @throws CudaException if the driver does not accept that
  public TensorMap(long address, int columns, int rows, int parts, int boxRows, int boxParts) {
    try (Arena arena = Arena.ofConfined()) {
      long row = (long) Short.BYTES * columns;
      int code =
          Driver.encodeTensorMap(
              memory.address(),
              UINT16,
              RANK,
              address,
              arena.allocateFrom(JAVA_LONG, columns, rows, parts),
              arena.allocateFrom(JAVA_LONG, row, row * rows),
              arena.allocateFrom(JAVA_INT, BOX_COLUMNS, boxRows, boxParts),
              arena.allocateFrom(JAVA_INT, 1, 1, 1),
              NO_INTERLEAVE,
              SWIZZLE_128_BYTES,
              PROMOTE_TO_256_BYTES,
              ZEROS_OUTSIDE);
      if (code != Driver.SUCCESS) {
        throw Driver.failure(
            code,
            "describing boxes of %d x %d x %d in a matrix of %d x %d x %d at %#x"
                .formatted(boxParts, boxRows, BOX_COLUMNS, parts, rows, columns, address));
      }
    }
  }

  long address() {
    return memory.address();
  }
}
