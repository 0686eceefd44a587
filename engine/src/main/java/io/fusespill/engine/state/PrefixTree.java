package io.fusespill.engine.state;

import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the full blocks of prompts contain: one node for each different beginning of a prompt, a
/// block longer than its parent's. Content is compared, not only hashed, so two prompts never share
/// a node by chance.
///
/// A node is there as long as a live request's prompt ends with it, a block holds its content, or
/// it has children.
final class PrefixTree {

  /// A beginning of prompts.
  static final class Node {

    private final Key key;
    private final @Nullable Node parent;
    private final long serial;
    private int uses;

    /// Of each pool the block that came to hold this last, or [BlockPool#NOBODY].
    private int[] blocks = {};

    private Node(Key key, @Nullable Node parent, long serial) {
      this.key = key;
      this.parent = parent;
      this.serial = serial;
    }

    /// Numbers nodes in the order in which they came to be.
    long serial() {
      return serial;
    }

    int uses() {
      return uses;
    }

    /// The first block of the pool that holds this; the others follow there.
    int block(int pool) {
      return pool < blocks.length ? blocks[pool] : BlockPool.NOBODY;
    }

    void setBlock(int pool, int block) {
      if (pool >= blocks.length) {
        int known = blocks.length;
        blocks = Arrays.copyOf(blocks, pool + 1);
        Arrays.fill(blocks, known, pool, BlockPool.NOBODY);
      }
      blocks[pool] = block;
    }

    @Nullable Node parent() {
      return parent;
    }
  }

  /// @param parent serial of the parent, or tokens an id with the sign changed where there is none
  /// @param ids those of the prompt that say something of the block
  private record Key(long parent, Ints ids) {

    private static final long MIX = 0x9E3779B97F4A7C15L;

    /// Serials and ids both count up, and must not cancel each other out.
    @Override
    public int hashCode() {
      return (int) (((parent * MIX + ids.hashCode()) * MIX) >>> 32);
    }
  }

  /// What a prompt begins with, as far as that is remembered.
  static final class Beginning {

    private Node[] nodes = {};
    private int size;
    private boolean kept;

    /// Full blocks whose content is known.
    int size() {
      return size;
    }

    Node get(int block) {
      return nodes[block];
    }

    /// Whether all full blocks are known and stay so, which is from [PrefixTree#keep] on.
    boolean kept() {
      return kept;
    }

    /// The node that this beginning has in use, or null.
    @Nullable Node used() {
      return kept && size > 0 ? nodes[size - 1] : null;
    }

    private void add(Node node) {
      if (size == nodes.length) {
        nodes = Arrays.copyOf(nodes, Math.max(16, 2 * size));
      }
      nodes[size++] = node;
    }
  }

  /// Serial of the first node.
  static final long FIRST = 1;

  private final Map<Key, Node> nodes = new LinkedHashMap<>();
  private final Node root = new Node(new Key(0, Ints.EMPTY), null, 0);
  private long next = FIRST;
  private int pools;

  /// The number of a further pool whose blocks hold what the nodes say.
  int addPool() {
    return pools++;
  }

  /// Full blocks of which the prompt tells what they hold.
  static int blocks(Prompt prompt, int promptTokens, int blockTokens) {
    return prompt.ids().isEmpty() ? 0 : promptTokens / blockTokens;
  }

  /// Brings a beginning that is not kept up to date: nodes come and go between two looks at it.
  ///
  /// @param prompt the same each time
  /// @param most full blocks that are looked for
  void find(Beginning beginning, Prompt prompt, int most, int blockTokens) {
    // A node that is there has its parents there.
    while (beginning.size > 0
        && (beginning.size > most || beginning.nodes[beginning.size - 1].uses == 0)) {
      beginning.size--;
    }
    Node node = end(beginning);
    while (node != null && beginning.size < most) {
      node = nodes.get(key(node, prompt, beginning.size, blockTokens));
      if (node != null) {
        beginning.add(node);
      }
    }
  }

  /// Makes the beginning whole. Its last node is in use from now on, until it is released.
  void keep(Beginning beginning, Prompt prompt, int promptTokens, int blockTokens) {
    int blocks = blocks(prompt, promptTokens, blockTokens);
    find(beginning, prompt, blocks, blockTokens);
    Node node = end(beginning);
    while (beginning.size < blocks) {
      node = child(node, key(node, prompt, beginning.size, blockTokens));
      beginning.add(node);
    }
    if (blocks > 0) {
      node.uses++;
    }
    beginning.kept = true;
  }

  private Node end(Beginning beginning) {
    return beginning.size == 0 ? root : beginning.nodes[beginning.size - 1];
  }

  private Key key(Node parent, Prompt prompt, int block, int blockTokens) {
    int each = prompt.tokensPerId();
    int from = block * blockTokens / each;
    int to = ((block + 1) * blockTokens - 1) / each + 1;
    return new Key(parent == root ? -each : parent.serial, prompt.ids().range(from, to));
  }

  private Node child(Node parent, Key key) {
    Node node = new Node(key, parent, next++);
    nodes.put(key, node);
    parent.uses++;
    return node;
  }

  void retain(Node node) {
    node.uses++;
  }

  /// The beginning is of no use any more.
  void release(Beginning beginning) {
    Node used = beginning.used();
    if (used != null) {
      release(used);
    }
  }

  /// One use less; a node that nobody uses is forgotten, and is one child less of its parent.
  void release(Node node) {
    Node at = node;
    while (at != null && at != root && --at.uses == 0) {
      nodes.remove(at.key);
      at = at.parent;
    }
  }

  /// The parent of all that have none.
  Node root() {
    return root;
  }

  /// Serial of the next node.
  long next() {
    return next;
  }

  /// All nodes, in no order.
  Collection<Node> nodes() {
    return nodes.values();
  }
}
