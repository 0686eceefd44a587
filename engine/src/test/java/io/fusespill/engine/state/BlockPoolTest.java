package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.Seeds;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

  @Test
  void freshPool_givesItsBlocksFromZeroUp() {
    BlockPool pool = new BlockPool(3, new PrefixTree());
    assertThat(pool.upcoming(0)).isEqualTo(0);
    assertThat(pool.upcoming(2)).isEqualTo(2);
    assertCounts(pool, 3, 0, 0);
  }

  @Test
  void release_lastHolder_makesTheBlockTheNextToTake() {
    BlockPool pool = taken(3);
    pool.release(1);
    pool.release(0);
    assertThat(pool.upcoming(0)).isEqualTo(0);
    assertThat(pool.upcoming(1)).isEqualTo(1);
    assertCounts(pool, 2, 1, 0);
  }

  @Test
  void release_oneOfTwoHolders_keepsTheBlock() {
    BlockPool pool = taken(1);
    pool.retain(0);
    pool.release(0);
    assertThat(pool.holders(0)).isEqualTo(1);
    assertCounts(pool, 0, 1, 0);
  }

  @Test
  void take_otherThanTheNextBlock_changesNothing() {
    BlockPool pool = new BlockPool(2, new PrefixTree());
    assertThatThrownBy(() -> pool.take(1))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining("block 1 is not the next free one of 2");
    assertCounts(pool, 2, 0, 0);
  }

  @Test
  void take_poolExhausted_changesNothing() {
    BlockPool pool = taken(1);
    assertThatThrownBy(() -> pool.take(0)).isExactlyInstanceOf(IllegalStateException.class);
    assertCounts(pool, 0, 1, 0);
  }

  @Test
  void leave_onlyHolder_makesTheBlockNeitherFreeNorAllocated() {
    BlockPool pool = taken(2);
    pool.leave(0);
    assertCounts(pool, 0, 1, 1);
    pool.releaseLeaver(0);
    assertCounts(pool, 1, 1, 0);
  }

  @Test
  void leave_oneOfTwoHolders_keepsTheBlockAllocatedUntilTheOtherIsGone() {
    BlockPool pool = taken(1);
    pool.retain(0);
    pool.leave(0);
    assertCounts(pool, 0, 1, 0);
    pool.release(0);
    assertCounts(pool, 0, 0, 1);
    pool.releaseLeaver(0);
    assertCounts(pool, 1, 0, 0);
  }

  @Test
  void stay_afterLeave_isAsBefore() {
    BlockPool pool = taken(1);
    pool.leave(0);
    pool.stay(0);
    assertCounts(pool, 0, 1, 0);
    assertThat(pool.holders(0)).isEqualTo(1);
  }

  @Test
  void releaseLeaver_oneOfTwoLeavers_stillLeaves() {
    BlockPool pool = taken(1);
    pool.retain(0);
    pool.leave(0);
    pool.leave(0);
    pool.releaseLeaver(0);
    assertCounts(pool, 0, 0, 1);
  }

  @Test
  void poolOfNoBlocks_hasNone() {
    assertCounts(new BlockPool(0, new PrefixTree()), 0, 0, 0);
  }

  /// Against a deque of free blocks and two arrays, after every one of many random operations that
  /// the engine's rules allow: nobody comes to hold a block that is leaving altogether.
  @Test
  void randomOperations_agreeWithANaiveModel() {
    Seeds.forEach(300, BlockPoolTest.class, random -> new Model(random).run(200));
  }

  @Test
  void keep_givesTheLeastRecentlyFreedFirst() {
    BlockPool pool = new BlockPool(4, new PrefixTree());
    pool.keep(true);
    take(pool, 0, 1, 2);
    pool.release(2);
    pool.release(0);
    assertThat(new int[] {pool.upcoming(0), pool.upcoming(1), pool.upcoming(2)})
        .containsExactly(3, 2, 0);
    take(pool, 3, 2);
    pool.release(3);
    assertThat(new int[] {pool.upcoming(0), pool.upcoming(1)}).containsExactly(0, 3);
  }

  private static PrefixTree.Node node(PrefixTree tree, int token) {
    PrefixTree.Beginning beginning = new PrefixTree.Beginning();
    tree.keep(beginning, new Prompt(Ints.of(token), ""), 1, 1);
    return beginning.get(0);
  }

  /// Of two blocks of one content the one in use is found, else the one with the lower number that
  /// nobody is about to take.
  @Test
  void holding_findsBlocksInUseFirstUntilTheyAreTakenAnew() {
    PrefixTree tree = new PrefixTree();
    BlockPool pool = new BlockPool(2, tree);
    pool.keep(true);
    PrefixTree.Node node = node(tree, 7);
    take(pool, 0, 1);
    pool.cache(1, node);
    pool.cache(0, node);
    assertThat(pool.holding(node, 0)).isEqualTo(0);
    assertThat(pool.holding(node(tree, 8), 0)).isEqualTo(BlockPool.NOBODY);
    pool.release(0);
    assertThat(pool.holding(node, 0)).as("in use").isEqualTo(1);
    pool.release(1);
    assertThat(pool.holding(node, 0)).isEqualTo(0);
    assertThat(pool.holding(node, 1)).as("the next one is spoken for").isEqualTo(1);
    assertThat(pool.holding(node, 2)).isEqualTo(BlockPool.NOBODY);
    take(pool, 0);
    assertThat(pool.holding(node, 0)).isEqualTo(1);
    take(pool, 1);
    assertThat(pool.holding(node, 0)).isEqualTo(BlockPool.NOBODY);
  }

  @Test
  void holding_passesOverBlocksThatLeave() {
    PrefixTree tree = new PrefixTree();
    BlockPool pool = new BlockPool(1, tree);
    pool.keep(true);
    take(pool, 0);
    pool.cache(0, node(tree, 7));
    pool.leave(0);
    assertThat(pool.holding(node(tree, 7), 0)).isEqualTo(BlockPool.NOBODY);
    pool.stay(0);
    assertThat(pool.holding(node(tree, 7), 0)).isZero();
  }

  @Test
  void keepNoMore_forgetsWhatBlocksHold() {
    PrefixTree tree = new PrefixTree();
    BlockPool pool = new BlockPool(1, tree);
    pool.keep(true);
    take(pool, 0);
    PrefixTree.Node node = node(tree, 7);
    pool.cache(0, node);
    tree.release(node);
    pool.keep(false);
    assertThat(pool.content(0)).isNull();
    assertThat(tree.nodes()).isEmpty();
  }

  @Test
  void share_fromTheMiddle_leavesTheOthersInOrder() {
    BlockPool pool = new BlockPool(5, new PrefixTree());
    pool.keep(true);
    take(pool, 0, 1, 2, 3, 4);
    for (int block : new int[] {4, 2, 0, 1}) {
      pool.release(block);
    }
    pool.share(0);
    assertThat(new int[] {pool.upcoming(0), pool.upcoming(1), pool.upcoming(2)})
        .containsExactly(4, 2, 1);
    assertCounts(pool, 3, 2, 0);
    pool.share(0);
    assertThat(pool.holders(0)).isEqualTo(2);
    assertCounts(pool, 3, 2, 0);
  }

  @Test
  void holdsStill_untilSomebodyTakesTheBlock() {
    BlockPool pool = new BlockPool(2, new PrefixTree());
    pool.keep(true);
    take(pool, 0, 1);
    pool.leftBehind(0, 7, 3);
    assertThat(pool.holdsStill(0, 7, 3)).as("not free yet").isFalse();
    pool.release(0);
    assertThat(pool.holdsStill(0, 7, 3)).isTrue();
    assertThat(pool.holdsStill(0, 7, 2)).isFalse();
    assertThat(pool.holdsStill(0, 8, 3)).isFalse();
    take(pool, 0);
    pool.release(0);
    assertThat(pool.holdsStill(0, 7, 3)).as("taken in between").isFalse();
  }

  @Test
  void keep_switchedOff_forgets() {
    BlockPool pool = new BlockPool(1, new PrefixTree());
    pool.keep(true);
    take(pool, 0);
    pool.leftBehind(0, 7, 0);
    pool.release(0);
    pool.keep(false);
    assertThat(pool.holdsStill(0, 7, 0)).isFalse();
  }

  private static void take(BlockPool pool, int... blocks) {
    for (int block : blocks) {
      pool.take(block);
    }
  }

  private static final class Model {

    private final Random random;
    private final int total;
    private final BlockPool pool;
    private final Deque<Integer> free = new ArrayDeque<>();
    private final int[] holders;
    private final int[] leavers;
    private final PrefixTree tree = new PrefixTree();
    private final PrefixTree.Node[] nodes = new PrefixTree.Node[3];
    private final PrefixTree.@Nullable Node[] content;
    private boolean keeping;

    Model(Random random) {
      this.random = random;
      total = random.nextInt(9);
      // Another pool has the number before.
      new BlockPool(1, tree).keep(true);
      pool = new BlockPool(total, tree);
      content = new PrefixTree.@Nullable Node[total];
      for (int i = 0; i < nodes.length; i++) {
        nodes[i] = node(tree, i);
      }
      holders = new int[total];
      leavers = new int[total];
      for (int block = 0; block < total; block++) {
        free.addLast(block);
      }
    }

    void run(int operations) {
      for (int i = 0; i < operations; i++) {
        if (total > 0) {
          operate(random.nextInt(total));
        }
        compare();
      }
    }

    private void operate(int block) {
      int staying = holders[block] - leavers[block];
      switch (random.nextInt(10)) {
        case 0 -> {
          if (!free.isEmpty()) {
            int next = free.removeFirst();
            pool.take(next);
            holders[next] = 1;
            content[next] = null;
          }
        }
        case 6 -> {
          if (keeping && holders[block] == 0) {
            pool.share(block);
            free.remove(block);
            holders[block] = 1;
          }
        }
        case 7 -> {
          if (keeping && holders[block] > 0) {
            content[block] = nodes[random.nextInt(nodes.length)];
            pool.cache(block, content[block]);
          }
        }
        case 8 -> {
          if (keeping) {
            pool.forget(block);
            content[block] = null;
          }
        }
        case 9 -> {
          keeping = random.nextInt(8) > 0;
          pool.keep(keeping);
          if (!keeping) {
            Arrays.fill(content, null);
          }
        }
        case 1 -> {
          if (staying > 0) {
            pool.retain(block);
            holders[block]++;
          }
        }
        case 2 -> {
          if (staying > 0) {
            pool.release(block);
            drop(block);
          }
        }
        case 3 -> {
          if (staying > 0) {
            pool.leave(block);
            leavers[block]++;
          }
        }
        case 4 -> {
          if (leavers[block] > 0) {
            pool.stay(block);
            leavers[block]--;
          }
        }
        default -> {
          if (leavers[block] > 0) {
            pool.releaseLeaver(block);
            leavers[block]--;
            drop(block);
          }
        }
      }
    }

    private void drop(int block) {
      if (--holders[block] == 0) {
        if (keeping) {
          free.addLast(block);
        } else {
          free.addFirst(block);
        }
      }
    }

    private void compare() {
      int leaving = 0;
      for (int block = 0; block < total; block++) {
        assertThat(pool.holders(block)).as("holders of %d", block).isEqualTo(holders[block]);
        assertThat(pool.leavers(block)).as("leavers of %d", block).isEqualTo(leavers[block]);
        leaving += holders[block] > 0 && holders[block] == leavers[block] ? 1 : 0;
      }
      assertCounts(pool, free.size(), total - free.size() - leaving, leaving);
      Iterator<Integer> next = free.iterator();
      for (int i = 0; next.hasNext(); i++) {
        assertThat(pool.upcoming(i)).as("upcoming %d", i).isEqualTo(next.next());
      }
      assertThat(Arrays.stream(holders).filter(count -> count == 0).count()).isEqualTo(free.size());
      for (PrefixTree.Node node : nodes) {
        assertThat(pool.holding(node, 0))
            .as("block with %d", node.serial())
            .isEqualTo(holding(node));
        assertThat(node.uses())
            .isEqualTo(1 + (int) Arrays.stream(content).filter(node::equals).count());
      }
    }

    /// The lowest block with the content that stays, or the lowest free one.
    private int holding(PrefixTree.Node node) {
      int found = BlockPool.NOBODY;
      for (int block = total - 1; block >= 0; block--) {
        boolean stays = holders[block] > 0 && leavers[block] == 0;
        boolean better = stays || found == BlockPool.NOBODY || holders[found] == 0;
        if (content[block] == node && (stays || holders[block] == 0) && better) {
          found = block;
        }
      }
      return found;
    }
  }

  private static BlockPool taken(int blocks) {
    BlockPool pool = new BlockPool(blocks, new PrefixTree());
    for (int block = 0; block < blocks; block++) {
      pool.take(block);
    }
    return pool;
  }

  private static void assertCounts(BlockPool pool, int free, int allocated, int leaving) {
    assertThat(pool.free()).as("free").isEqualTo(free);
    assertThat(pool.allocated()).as("allocated").isEqualTo(allocated);
    assertThat(pool.leaving()).as("leaving").isEqualTo(leaving);
    assertThat(free + allocated + leaving).as("total").isEqualTo(pool.total());
  }
}
