package io.fusespill.host.checkpoint;

import java.lang.foreign.MemorySegment;

/// A matrix or vector of a checkpoint, row by row in memory without gaps. Safe for any number of
/// readers.
///
/// @param rows outputs of a linear layer, rows of an embedding table; 1 for a vector
/// @param columns numbers in a row
/// @param data `rows * columns` numbers, read-only; it may be mapped from a file
public record Tensor(String name, ElementType type, int rows, int columns, MemorySegment data) {

  public Tensor {
    long needed = (long) rows * columns * type.bytes();
    if (rows < 1 || columns < 1 || data.byteSize() != needed) {
      throw new IllegalArgumentException(
          "tensor %s: %d x %d of %s take %d bytes, there are %d"
              .formatted(name, rows, columns, type, needed, data.byteSize()));
    }
  }
}
