package io.fusespill.engine;

import java.util.ArrayList;
import java.util.List;

/// Every sequence of small choices, one after the other: run a test with it, then ask [#next]
/// whether there is another.
final class Choices {

  private final List<Integer> taken = new ArrayList<>();
  private final List<Integer> bounds = new ArrayList<>();
  private int at;

  /// A choice of 0 to `bound` - 1.
  int below(int bound) {
    if (at == taken.size()) {
      taken.add(0);
      bounds.add(bound);
    }
    return taken.get(at++);
  }

  /// Moves on to the next sequence of choices, if there is one.
  boolean next() {
    while (!taken.isEmpty()) {
      int choice = taken.removeLast() + 1;
      int bound = bounds.removeLast();
      if (choice < bound) {
        taken.add(choice);
        bounds.add(bound);
        at = 0;
        return true;
      }
    }
    return false;
  }

  @Override
  public String toString() {
    return taken.subList(0, at).toString();
  }
}
