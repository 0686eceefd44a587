package io.fusespill.engine.state;

import java.util.Arrays;

/// The blocks of one sequence in token order: it grows at its end until it is dropped or moved as a
/// whole. Only a failed step makes it shorter.
public final class BlockTable {

  private int[] blocks = new int[8];
  private int size;

  public int size() {
    return size;
  }

  public int get(int index) {
    return blocks[index];
  }

  /// The block that the newest tokens lie in.
  public int last() {
    return blocks[size - 1];
  }

  void append(int block) {
    if (size == blocks.length) {
      blocks = Arrays.copyOf(blocks, size + (size >> 1) + 1);
    }
    blocks[size++] = block;
  }

  void set(int index, int block) {
    blocks[index] = block;
  }

  int removeLast() {
    return blocks[--size];
  }

  void clear() {
    size = 0;
  }
}
