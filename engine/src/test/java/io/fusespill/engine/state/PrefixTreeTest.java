package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.PrefixTree.Node;
import org.junit.jupiter.api.Test;

/// Four tokens a block.
class PrefixTreeTest {

  private final PrefixTree tree = new PrefixTree();

  private Node[] insert(int tokensPerId, int promptTokens, int... ids) {
    return tree.insert(new Prompt(Ints.of(ids), tokensPerId, ""), promptTokens, 4);
  }

  @Test
  void promptsThatBeginAlike_shareNodesUpToWhereTheyDiffer() {
    Node[] first = insert(1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    Node[] second = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 0);

    assertThat(first).hasSize(2);
    assertThat(second[0]).isSameAs(first[0]);
    assertThat(second[1]).isNotSameAs(first[1]);
    assertThat(tree.nodes()).hasSize(3);
  }

  @Test
  void sameBlockBehindAnother_isAnotherNode() {
    Node[] first = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    Node[] second = insert(1, 4, 5, 6, 7, 8);

    assertThat(second[0]).isNotSameAs(first[1]);
  }

  @Test
  void noIdsOrNoFullBlock_isNothing() {
    assertThat(tree.insert(Prompt.NONE, 100, 4)).isEmpty();
    assertThat(insert(1, 3, 1, 2, 3)).isEmpty();
    assertThat(tree.nodes()).isEmpty();
  }

  /// An id of six tokens covers a block and a half; the second block has parts of two.
  @Test
  void idsOfSeveralTokens_countInEachBlockThatTheyReach() {
    Node[] first = insert(6, 12, 7, 8);
    Node[] second = insert(6, 12, 7, 9);

    assertThat(first).hasSize(3);
    assertThat(second[0]).isSameAs(first[0]);
    assertThat(second[1]).isNotSameAs(first[1]);
  }

  @Test
  void idsOfOtherLengths_areOthers() {
    assertThat(insert(4, 4, 7)[0]).isNotSameAs(insert(8, 8, 7)[0]);
  }

  /// Looking for a prompt makes nothing.
  @Test
  void find_isAsFarAsSomebodyWas() {
    Node[] there = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    int[] ids = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

    assertThat(tree.find(new Prompt(Ints.of(ids), ""), 3, 4)).containsExactly(there);
    assertThat(tree.find(new Prompt(Ints.of(ids), ""), 1, 4)).containsExactly(there[0]);
    assertThat(tree.find(new Prompt(Ints.of(9, 9, 9, 9), ""), 1, 4)).isEmpty();
    assertThat(tree.nodes()).hasSize(2);
  }

  @Test
  void releasedNodes_areForgottenWithParentsThatNobodyNeeds() {
    Node[] first = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    Node[] second = insert(1, 4, 1, 2, 3, 4);
    tree.retain(first[1]);
    tree.release(first[1]);
    assertThat(tree.nodes()).hasSize(2);
    tree.release(first[1]);
    assertThat(tree.nodes()).containsExactly(second[0]);
    tree.release(second[0]);
    assertThat(tree.nodes()).isEmpty();
    assertThat(insert(1, 4, 1, 2, 3, 4)[0]).isNotSameAs(second[0]);
  }
}
