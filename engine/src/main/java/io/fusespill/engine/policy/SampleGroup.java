package io.fusespill.engine.policy;

import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.Sequence;
import java.util.List;

/// Samples of one request that share blocks in one place, and so move together; mostly one sequence
/// alone.
///
/// @param members by number, at least one
/// @param blocks distinct blocks that they hold: what is copied
/// @param freed those of them that nobody else holds: what is free once they have left
record SampleGroup(List<Sequence> members, int blocks, int freed) {

  Sequence oldest() {
    return members.getFirst();
  }

  Sequence newest() {
    return members.getLast();
  }

  int size() {
    return members.size();
  }

  int seats() {
    int seats = 0;
    for (Sequence member : members) {
      seats += member.seats();
    }
    return seats;
  }

  /// Blocks that members hold in common, counted once for each member but the first: so many more
  /// they hold once they no longer share.
  int shared() {
    int held = 0;
    for (Sequence member : members) {
      held += member.table().size();
    }
    return held - blocks;
  }

  boolean pinned() {
    for (Sequence member : members) {
      if (member.pinned()) {
        return true;
      }
    }
    return false;
  }

  Ints ids() {
    int[] ids = new int[members.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = members.get(i).id();
    }
    return Ints.of(ids);
  }
}
