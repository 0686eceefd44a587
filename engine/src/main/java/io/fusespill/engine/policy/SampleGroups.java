package io.fusespill.engine.policy;

import io.fusespill.engine.event.HandlingEstimate;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.BlockTable;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Request;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Finds which samples move together.
///
/// Samples that share anything share their first block, because they fork when the prompt is done.
/// Moved one at a time they would take a copy each of what they share, and free it only with the
/// last.
final class SampleGroups {

  private final boolean prefixCaching;
  private int[] holders = {};

  /// @param prefixCaching whether different requests may share blocks
  SampleGroups(boolean prefixCaching) {
    this.prefixCaching = prefixCaching;
  }

  /// The sequence alone, whatever it shares.
  SampleGroup single(EngineView view, Sequence sequence) {
    return group(view, List.of(sequence));
  }

  /// The sequence and the samples that share blocks with it where it lies, those of them that pass
  /// the test.
  SampleGroup of(EngineView view, Sequence sequence, Predicate<Sequence> test) {
    Request request = sequence.request();
    if (request.samples() == 1 || sequence.table().size() == 0) {
      return single(view, sequence);
    }
    List<Sequence> members = new ArrayList<>(request.samples());
    for (int i = 0; i < request.samples(); i++) {
      Sequence sample = view.sequence(request.firstSequence() + i);
      if (sample == sequence
          || (sample != null
              && sample.place() == sequence.place()
              && sample.status() != SequenceStatus.TRANSFERRING
              && sample.table().size() > 0
              && sample.table().get(0) == sequence.table().get(0)
              && test.test(sample))) {
        members.add(sample);
      }
    }
    return group(view, members);
  }

  /// Who would leave `device` with the sequence: all that share blocks with it and are not marked.
  /// The oldest resident never leaves, so samples that share with it go one at a time.
  SampleGroup leaving(EngineView view, int device, Sequence sequence) {
    SampleGroup group =
        of(view, sequence, sample -> sample.intent() == null && sample.pendingTokens() > 0);
    SequenceQueue running = view.residents(device);
    return group.size() > 1 && group.members().contains(running.get(0))
        ? single(view, sequence)
        : group;
  }

  /// Who was chosen to leave together with a marked sequence.
  SampleGroup chosen(EngineView view, Sequence sequence) {
    return of(
        view,
        sequence,
        sample ->
            sample.intent() == sequence.intent() && sample.intentPlace() == sequence.intentPlace());
  }

  /// Journals for each member what was weighed for all, lost time divided among them, and marks it.
  void mark(
      Scene scene,
      SampleGroup group,
      List<HandlingEstimate> estimates,
      int chosen,
      Decisions decisions) {
    for (int i = 0; i < group.size(); i++) {
      Sequence member = group.members().get(i);
      decisions.weigh(
          member,
          scene.device(),
          VictimOrder.remaining(member, scene.view().lengths()),
          group.size() == 1 ? estimates : share(estimates, group.size(), i),
          chosen);
    }
  }

  private static List<HandlingEstimate> share(
      List<HandlingEstimate> estimates, int size, int index) {
    List<HandlingEstimate> shares = new ArrayList<>(estimates.size());
    for (HandlingEstimate estimate : estimates) {
      long lost = estimate.lostNanos();
      shares.add(
          new HandlingEstimate(
              estimate.handling(),
              estimate.place(),
              lost / size + (index < lost % size ? 1 : 0),
              estimate.freeNanos()));
    }
    return shares;
  }

  private SampleGroup group(EngineView view, List<Sequence> members) {
    Sequence first = members.getFirst();
    int held = first.table().size();
    if (held == 0 || (first.request().samples() == 1 && !prefixCaching)) {
      return new SampleGroup(members, held, held);
    }
    BlockPool pool = view.pool(first.place());
    if (holders.length < pool.total()) {
      holders = new int[pool.total()];
    }
    int blocks = 0;
    for (Sequence member : members) {
      BlockTable table = member.table();
      for (int i = 0; i < table.size(); i++) {
        blocks += holders[table.get(i)]++ == 0 ? 1 : 0;
      }
    }
    int freed = 0;
    for (Sequence member : members) {
      BlockTable table = member.table();
      for (int i = 0; i < table.size(); i++) {
        int block = table.get(i);
        freed += holders[block] > 0 && holders[block] == pool.holders(block) ? 1 : 0;
        holders[block] = 0;
      }
    }
    return new SampleGroup(members, blocks, freed);
  }
}
