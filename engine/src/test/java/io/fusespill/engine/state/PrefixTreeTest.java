package io.fusespill.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.PrefixTree.Beginning;
import io.fusespill.engine.state.PrefixTree.Node;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Four tokens a block.
class PrefixTreeTest {

  private final PrefixTree tree = new PrefixTree();

  private Node[] insert(int tokensPerId, int promptTokens, int... ids) {
    return insert(new Prompt(Ints.of(ids), tokensPerId, ""), promptTokens);
  }

  private Node[] insert(Prompt prompt, int promptTokens) {
    Beginning beginning = new Beginning();
    tree.keep(beginning, prompt, promptTokens, 4);
    return nodes(beginning);
  }

  private Node[] find(Beginning beginning, int most, int... ids) {
    tree.find(beginning, new Prompt(Ints.of(ids), ""), most, 4);
    return nodes(beginning);
  }

  private static Node[] nodes(Beginning beginning) {
    return IntStream.range(0, beginning.size()).mapToObj(beginning::get).toArray(Node[]::new);
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
    assertThat(insert(Prompt.NONE, 100)).isEmpty();
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

    assertThat(find(new Beginning(), 3, ids)).containsExactly(there);
    assertThat(find(new Beginning(), 1, ids)).containsExactly(there[0]);
    assertThat(find(new Beginning(), 1, 9, 9, 9, 9)).isEmpty();
    assertThat(tree.nodes()).hasSize(2);
  }

  /// Nodes come and go between two looks.
  @Test
  void find_again_isAsLookingForTheFirstTime() {
    int[] ids = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    Beginning beginning = new Beginning();
    assertThat(find(beginning, 3, ids)).isEmpty();

    Node[] one = insert(1, 4, 1, 2, 3, 4);
    assertThat(find(beginning, 3, ids)).containsExactly(one);
    Node[] all = insert(1, 12, ids);
    assertThat(find(beginning, 3, ids)).containsExactly(all);
    assertThat(find(beginning, 2, ids)).containsExactly(all[0], all[1]);
    assertThat(find(beginning, 3, ids)).containsExactly(all);

    tree.release(all[2]);
    assertThat(find(beginning, 3, ids)).containsExactly(one);
    tree.release(one[0]);
    Node[] anew = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(find(beginning, 3, ids)).containsExactly(anew);
    assertThat(find(beginning, 0, ids)).isEmpty();
  }

  @Test
  void kept_isWholeWhateverWasFoundOfItBefore_andInUseUntilItIsReleased() {
    int[] ids = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    Node[] there = insert(1, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    Beginning beginning = new Beginning();
    find(beginning, 1, ids);
    assertThat(beginning.used()).isNull();

    tree.keep(beginning, new Prompt(Ints.of(ids), ""), 12, 4);
    assertThat(nodes(beginning)).hasSize(3).startsWith(there);
    assertThat(beginning.used()).isSameAs(beginning.get(2));
    tree.release(there[1]);
    assertThat(tree.nodes()).hasSize(3);
    tree.release(beginning);
    assertThat(tree.nodes()).isEmpty();
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
