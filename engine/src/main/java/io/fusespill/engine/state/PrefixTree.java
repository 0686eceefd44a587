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

  private final Map<Key, Node> nodes = new LinkedHashMap<>();
  private final Node root = new Node(new Key(0, Ints.EMPTY), null, 0);
  private long next = 1;

  /// Nodes of the prompt's full blocks, in order. The last is in use from now on, until it is
  /// released.
  Node[] insert(Prompt prompt, int promptTokens, int blockTokens) {
    int blocks = promptTokens / blockTokens;
    if (prompt.ids().isEmpty() || blocks == 0) {
      return NONE;
    }
    int[] ids = prompt.ids().toArray();
    int each = prompt.tokensPerId();
    Node[] path = new Node[blocks];
    Node node = root;
    for (int i = 0; i < blocks; i++) {
      int from = i * blockTokens / each;
      int to = ((i + 1) * blockTokens - 1) / each + 1;
      Ints slice = Ints.of(Arrays.copyOfRange(ids, from, to));
      node = child(node, new Key(node == root ? -each : node.serial, slice));
      path[i] = node;
    }
    node.uses++;
    return path;
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
