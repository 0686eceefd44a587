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

  static final Node[] NONE = {};

  /// Serial of the first node.
  static final long FIRST = 1;

  private final Map<Key, Node> nodes = new LinkedHashMap<>();
  private final Node root = new Node(new Key(0, Ints.EMPTY), null, 0);
  private long next = FIRST;

  /// Full blocks of which the prompt tells what they hold.
  static int blocks(Prompt prompt, int promptTokens, int blockTokens) {
    return prompt.ids().isEmpty() ? 0 : promptTokens / blockTokens;
  }

  /// Nodes of the prompt's full blocks, in order. The last is in use from now on, until it is
  /// released.
  Node[] insert(Prompt prompt, int promptTokens, int blockTokens) {
    Node[] path = new Node[blocks(prompt, promptTokens, blockTokens)];
    Node node = root;
    for (int i = 0; i < path.length; i++) {
      node = child(node, key(node, prompt, i, blockTokens));
      path[i] = node;
    }
    if (path.length > 0) {
      node.uses++;
    }
    return path;
  }

  /// Those of the nodes that are there, from the first on.
  ///
  /// @param most how many are looked for
  Node[] find(Prompt prompt, int most, int blockTokens) {
    Node[] path = new Node[Math.min(most, 16)];
    int found = 0;
    Node node = nodes.get(key(root, prompt, 0, blockTokens));
    while (found < most && node != null) {
      if (found == path.length) {
        path = Arrays.copyOf(path, 2 * found);
      }
      path[found++] = node;
      node = found < most ? nodes.get(key(node, prompt, found, blockTokens)) : null;
    }
    return Arrays.copyOf(path, found);
  }

  private Key key(Node parent, Prompt prompt, int block, int blockTokens) {
    int each = prompt.tokensPerId();
    int from = block * blockTokens / each;
    int to = ((block + 1) * blockTokens - 1) / each + 1;
    int[] ids = new int[to - from];
    for (int i = from; i < to; i++) {
      ids[i - from] = prompt.ids().get(i);
    }
    return new Key(parent == root ? -each : parent.serial, Ints.of(ids));
  }

  private Node child(Node parent, Key key) {
    Node node = nodes.get(key);
    if (node == null) {
      node = new Node(key, parent, next++);
      nodes.put(key, node);
      parent.uses++;
    }
    return node;
  }

  void retain(Node node) {
    node.uses++;
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
