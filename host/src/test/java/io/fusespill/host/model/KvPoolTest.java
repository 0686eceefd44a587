package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class KvPoolTest {

  private static final KvShape SHAPE = new KvShape(3, 2, 8, 4, ElementType.BF16);

  @Test
  void aBlockHoldsAllLayers() {
    assertThat(SHAPE.headBytes()).isEqualTo(4 * 8 * 2);
    assertThat(SHAPE.blockBytes()).isEqualTo(3 * 2 * 2 * 4 * 8 * 2);
    assertThat(SHAPE.keys(0, 0)).isZero();
    assertThat(SHAPE.values(2, 1)).isEqualTo(SHAPE.blockBytes() - SHAPE.headBytes());
    assertThat(SHAPE.blocks(0)).isZero();
    assertThat(SHAPE.blocks(4)).isEqualTo(1);
    assertThat(SHAPE.blocks(5)).isEqualTo(2);
  }

  @Test
  void aPoolIsZeroAtFirst() {
    try (KvPool pool = KvPool.of(SHAPE, 5)) {
      byte[] bytes = pool.block(4).toArray(ValueLayout.JAVA_BYTE);
      assertThat(bytes).hasSize((int) SHAPE.blockBytes()).containsOnly(0);
    }
  }

  @Test
  void aLargePoolTakesNoMemoryUntilItIsWritten() {
    int blocks = (int) ((1L << 38) / SHAPE.blockBytes());
    try (KvPool pool = KvPool.of(SHAPE, blocks)) {
      pool.block(blocks - 1).fill((byte) 7);
      assertThat(pool.block(blocks - 1).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    }
  }

  @Test
  void aCopiedBlockIsTheSameAndItsNeighboursAreNot() {
    try (KvPool from = KvPool.of(SHAPE, 2);
        KvPool to = KvPool.of(SHAPE, 3)) {
      fill(from.block(1));
      from.copyBlock(1, to, 1);
      assertThat(to.block(1).mismatch(from.block(1))).isEqualTo(-1);
      assertThat(to.block(0).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(to.block(2).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    }
  }

  @Test
  void aPartOfABlockIsItsFirstTokensInEveryHead() {
    try (KvPool pool = KvPool.of(SHAPE, 2)) {
      fill(pool.block(0));
      pool.copyTokens(0, pool, 1, 3);
      long token = SHAPE.headBytes() / SHAPE.blockTokens();
      for (long head = 0; head < SHAPE.blockBytes(); head += SHAPE.headBytes()) {
        MemorySegment copied = pool.block(1).asSlice(head, 3 * token);
        assertThat(copied.mismatch(pool.block(0).asSlice(head, 3 * token))).isEqualTo(-1);
        assertThat(pool.block(1).asSlice(head + 3 * token, token).toArray(ValueLayout.JAVA_BYTE))
            .containsOnly(0);
      }
    }
  }

  @Test
  void blocksThatAreNotThereAreNamed() {
    try (KvPool pool = KvPool.of(SHAPE, 2);
        KvPool other = KvPool.of(new KvShape(3, 2, 8, 8, ElementType.BF16), 2)) {
      assertThatThrownBy(() -> pool.block(2)).hasMessage("block must be 0 to 1, got 2");
      assertThatThrownBy(() -> pool.copyBlock(0, pool, -1))
          .hasMessage("block must be 0 to 1, got -1");
      assertThatThrownBy(() -> pool.copyBlock(0, other, 0)).hasMessageContaining("do not fit");
      assertThatThrownBy(() -> pool.copyTokens(0, pool, 1, 5))
          .hasMessage("tokens must be 0 to 4, got 5");
    }
    assertThatThrownBy(() -> KvPool.of(SHAPE, 0)).hasMessage("blocks must be at least 1, got 0");
  }

  private static void fill(MemorySegment block) {
    for (long i = 0; i < block.byteSize(); i++) {
      block.set(ValueLayout.JAVA_BYTE, i, (byte) (1 + i % 100));
    }
  }
}
