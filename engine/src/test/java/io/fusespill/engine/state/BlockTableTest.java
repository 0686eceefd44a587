package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BlockTableTest {

  @Test
  void append_beyondItsFirstSize_keepsTheOrder() {
    BlockTable table = new BlockTable();
    for (int i = 0; i < 100; i++) {
      table.append(1_000 - i);
      assertThat(table.last()).isEqualTo(1_000 - i);
    }
    assertThat(table.size()).isEqualTo(100);
    assertThat(table.get(0)).isEqualTo(1_000);
    assertThat(table.get(57)).isEqualTo(943);
  }

  @Test
  void removeLast_setAndClear() {
    BlockTable table = new BlockTable();
    table.append(4);
    table.append(5);
    table.set(0, 6);
    assertThat(table.removeLast()).isEqualTo(5);
    assertThat(table.last()).isEqualTo(6);
    table.clear();
    assertThat(table.size()).isZero();
  }
}
