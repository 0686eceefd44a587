package io.fusespill.host.kernel;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The weights of a linear layer as the kernels read them: rows of whole grains ([Rows#GRAIN]),
/// filled up with 0.
///
/// A row of bf16 or f16 is read as pairs, so it wants activations packed ([Rows#pack]); a row of
/// f32 wants them as they are.
///
/// @param columns numbers in a row that count
/// @param stride numbers from one row to the next
/// @param memory where the rows lie
public record Matrix(ElementType type, int rows, int columns, int stride, MemorySegment memory) {

  /// A matrix of a tensor, in the tensor's own memory if its rows are whole grains and `type` is
  /// its type; otherwise a copy in the arena.
  ///
  /// @param type the tensor's type, or F32
  public static Matrix of(Tensor tensor, ElementType type, Arena arena) {
    int stride = Rows.padded(tensor.columns());
    boolean asIs = tensor.data().isNative() && stride == tensor.columns() && type == tensor.type();
    MemorySegment memory = asIs ? tensor.data() : copy(tensor, type, stride, arena);
    return new Matrix(type, tensor.rows(), tensor.columns(), stride, memory);
  }

  private static MemorySegment copy(Tensor tensor, ElementType type, int stride, Arena arena) {
    if (type != tensor.type() && type != ElementType.F32) {
      throw new IllegalArgumentException(
          "tensor %s: %s is kept or widened to F32, not made %s"
              .formatted(tensor.name(), tensor.type(), type));
    }
    long bytes = (long) tensor.columns() * tensor.type().bytes();
    long strideBytes = (long) stride * type.bytes();
    MemorySegment memory = Pages.allocate(strideBytes * tensor.rows(), arena);
    MemorySegment row = arena.allocate(bytes, Long.BYTES);
    for (int i = 0; i < tensor.rows(); i++) {
      MemorySegment.copy(tensor.data(), i * bytes, row, 0, bytes);
      long target = memory.address() + i * strideBytes;
      if (type == tensor.type()) {
        Memory.copy(row.address(), target, bytes);
      } else {
        Convert.widen(tensor.type(), row.address(), target, tensor.columns());
      }
    }
    return memory;
  }

  /// Whether activations are to be packed.
  public boolean packed() {
    return type != ElementType.F32;
  }

  long row(int row) {
    return memory.address() + row * strideBytes();
  }

  long strideBytes() {
    return (long) stride * type.bytes();
  }
}
