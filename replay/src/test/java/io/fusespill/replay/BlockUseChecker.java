package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.BlockTable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Watches blocks as an executor does: it knows plans alone, and keeps tables of its own from them.
///
/// While a step or an asynchronous transfer is under way, no other request's step or transfer may
/// touch a block that it uses, and a step reads and writes blocks of its own sequences only. Where
/// prompts share what they begin with, others may read it; what a sequence starts with is compared
/// with what was written there last.
final class BlockUseChecker {

  private record Block(int place, int id) {}

  private record Use(Block block, int request, boolean writes) {}

  /// What a full block of a prompt holds: all ids up to its end.
  private record Beginning(int tokensPerId, Ints ids) {}

  private record Flight(StepPlan plan, List<Use> uses) {}

  private final int blockTokens;
  private final Map<Integer, List<Block>> tables = new HashMap<>();
  private final Map<Integer, List<Block>> left = new HashMap<>();
  private final Map<Block, Integer> writers = new HashMap<>();
  private final Map<Integer, Integer> requests = new HashMap<>();
  private final Map<Block, Map<Integer, Integer>> inUse = new HashMap<>();
  private final Map<Integer, Deque<Flight>> steps = new HashMap<>();
  private final Map<Integer, TransferPlan> transfers = new HashMap<>();
  private final Map<Integer, List<Use>> transferUses = new HashMap<>();
  private final Map<Integer, RequestArrived> forks = new HashMap<>();
  private final Set<Integer> lost = new HashSet<>();
  private final Map<Integer, RequestArrived> arrivals = new HashMap<>();
  private final Map<Block, Beginning> beginnings = new HashMap<>();
  private final Map<Block, Integer> inWriting = new HashMap<>();
  private final boolean sharing;
  private final IntFunction<BlockTable> tableOf;
  private final IntPredicate isLost;
  private @Nullable SequenceAdmitted started;
  private @Nullable StepPlan failed;

  /// @param sharing whether requests may share blocks
  /// @param tableOf a sequence's table after the event before: what it starts with is in no plan
  /// @param isLost whether the event before took a sequence's KV
  BlockUseChecker(
      int blockTokens, boolean sharing, IntFunction<BlockTable> tableOf, IntPredicate isLost) {
    this.blockTokens = blockTokens;
    this.sharing = sharing;
    this.tableOf = tableOf;
    this.isLost = isLost;
  }

  void accept(EngineEvent event) {
    if (started != null) {
      startsWith(started);
      started = null;
    }
    if (failed != null) {
      forgetLost();
      failed = null;
    }
    switch (event) {
      case RequestArrived e -> {
        for (int i = 0; i < e.samples(); i++) {
          requests.put(e.firstSequence() + i, e.request());
          arrivals.put(e.firstSequence() + i, e);
        }
        forks.put(e.firstSequence(), e);
      }
      case StepPlanned e -> plan(e.plan());
      case StepCompleted e -> {
        Flight flight = steps.get(e.device()).remove();
        end(flight.uses());
        fork(flight.plan());
      }
      case StepFailed e -> {
        Flight flight = steps.get(e.device()).remove();
        end(flight.uses());
        for (int i = 0; i < flight.plan().size(); i++) {
          lost.add(flight.plan().sequences().get(i));
        }
        failed = flight.plan();
      }
      case PlaceFailed e -> {
        beginnings.keySet().removeIf(block -> block.place() == e.place());
        writers.keySet().removeIf(block -> block.place() == e.place());
      }
      case TransferPlanned e -> transfer(e.plan());
      case TransferCompleted e -> {
        move(transfers.remove(e.transfer()));
        end(transferUses.remove(e.transfer()));
      }
      case TransferFailed e -> {
        transfers.remove(e.transfer());
        end(transferUses.remove(e.transfer()));
      }
      case SequencePreempted e -> {
        if (e.kind() == PreemptionKind.RECOMPUTE) {
          left.put(e.sequence(), tables.remove(e.sequence()));
          lost.remove(e.sequence());
        }
      }
      case SequenceAdmitted e -> started = e;
      case SequenceFinished e -> tables.remove(e.sequence());
      case RequestRejected e -> {
        for (int i = 0; i < e.samples(); i++) {
          tables.remove(e.firstSequence() + i);
        }
      }
      default -> {}
    }
  }

  /// What only lost sequences hold is not to be found again.
  private void forgetLost() {
    Set<Block> others = new HashSet<>();
    Set<Block> gone = new HashSet<>();
    tables.forEach((sequence, table) -> (isLost.test(sequence) ? gone : others).addAll(table));
    gone.removeAll(others);
    beginnings.keySet().removeAll(gone);
    writers.keySet().removeAll(gone);
  }

  /// What a sequence starts with is its own, or the beginning of its prompt that somebody else
  /// wrote.
  private void startsWith(SequenceAdmitted admitted) {
    if (admitted.keptBlocks() == 0) {
      return;
    }
    int sequence = admitted.sequence();
    List<Block> kept = new ArrayList<>();
    for (int i = 0; i < admitted.keptBlocks(); i++) {
      Block block = new Block(admitted.device(), tableOf.apply(sequence).get(i));
      Beginning beginning = beginning(sequence, i);
      if (beginning != null) {
        assertThat(beginnings.get(block)).as("%s, block %d", admitted, i).isEqualTo(beginning);
      } else {
        assertThat(requests.get(writers.get(block)))
            .as("last to write %s before %s", block, admitted)
            .isEqualTo(requests.get(sequence));
        assertThat(left.get(sequence).get(i)).as("%s, block %d", admitted, i).isEqualTo(block);
        tables.forEach((other, table) ->
            assertThat(table).as("sequence %d holds it", other).doesNotContain(block));
      }
      kept.add(block);
    }
    tables.put(sequence, kept);
  }

  /// What the sequence's `index`-th block holds if it is full and all prompt, or null.
  private @Nullable Beginning beginning(int sequence, int index) {
    RequestArrived arrived = arrivals.get(sequence);
    int tokens = (index + 1) * blockTokens;
    Ints ids = arrived.prompt().ids();
    if (ids.isEmpty() || tokens > arrived.promptTokens()) {
      return null;
    }
    int each = arrived.prompt().tokensPerId();
    return new Beginning(each, Ints.copyOf(ids.toArray(), Math.ceilDiv(tokens, each)));
  }

  private void plan(StepPlan plan) {
    int grown = 0;
    int copied = 0;
    List<Use> uses = new ArrayList<>();
    for (int i = 0; i < plan.size(); i++) {
      int sequence = plan.sequences().get(i);
      int computed = plan.computedTokens().get(i);
      int place = plan.home(i);
      if (computed == 0) {
        tables.put(sequence, new ArrayList<>());
      }
      List<Block> table = tables.get(sequence);
      assertThat(table).as("table of sequence %d in %s", sequence, plan).isNotNull();
      if (copied < plan.copies().size() && plan.copies().get(copied).sequence() == sequence) {
        BlockCopy copy = plan.copies().get(copied++);
        assertThat(table.getLast()).isEqualTo(new Block(place, copy.source()));
        uses.add(new Use(table.getLast(), requests.get(sequence), false));
        table.set(table.size() - 1, new Block(place, copy.target()));
      }
      int tokens = computed + plan.newTokens().get(i);
      while (table.size() * blockTokens < tokens) {
        table.add(new Block(place, plan.newBlocks().get(grown++)));
      }
      for (int b = 0; b < table.size(); b++) {
        Block block = table.get(b);
        assertThat(block.place()).as("sequence %d of %s", sequence, plan).isEqualTo(place);
        uses.add(new Use(block, requests.get(sequence), b >= computed / blockTokens));
      }
    }
    assertThat(grown).as("new blocks of %s", plan).isEqualTo(plan.newBlocks().size());
    checkWrites(plan);
    begin(uses);
    steps.computeIfAbsent(plan.device(), device -> new ArrayDeque<>()).add(new Flight(plan, uses));
  }

  /// Nobody else's table holds a block that the step writes to.
  private void checkWrites(StepPlan plan) {
    Set<Block> written = new HashSet<>();
    Set<Integer> writers = new HashSet<>();
    for (int i = 0; i < plan.size(); i++) {
      int sequence = plan.sequences().get(i);
      List<Block> table = tables.get(sequence);
      int first = plan.computedTokens().get(i) / blockTokens;
      int end = plan.computedTokens().get(i) + plan.newTokens().get(i);
      for (int b = first; b < table.size(); b++) {
        this.writers.put(table.get(b), sequence);
        note(table.get(b), (b + 1) * blockTokens <= end ? beginning(sequence, b) : null);
        assertThat(written.add(table.get(b))).as("two write %s in %s", table.get(b), plan).isTrue();
      }
      writers.add(sequence);
    }
    tables.forEach((sequence, table) -> {
      if (!writers.contains(sequence)) {
        for (Block block : table) {
          assertThat(written).as("sequence %d holds it too", sequence).doesNotContain(block);
        }
      }
    });
  }

  private void note(Block block, @Nullable Beginning beginning) {
    if (beginning == null) {
      beginnings.remove(block);
    } else {
      beginnings.put(block, beginning);
    }
  }

  private void transfer(TransferPlan plan) {
    if (plan.mode() == TransferMode.ORDERED) {
      move(plan);
      return;
    }
    List<Use> uses = new ArrayList<>();
    int request = requests.get(plan.sequences().get(0));
    for (int i = 0; i < plan.blocks(); i++) {
      uses.add(new Use(new Block(plan.from(), plan.sourceBlocks().get(i)), request, false));
      uses.add(new Use(new Block(plan.to(), plan.targetBlocks().get(i)), request, true));
    }
    begin(uses);
    transfers.put(plan.transfer(), plan);
    transferUses.put(plan.transfer(), uses);
  }

  private void move(TransferPlan plan) {
    Map<Block, Block> moved = new HashMap<>();
    for (int i = 0; i < plan.blocks(); i++) {
      moved.put(
          new Block(plan.from(), plan.sourceBlocks().get(i)),
          new Block(plan.to(), plan.targetBlocks().get(i)));
      writers.put(new Block(plan.to(), plan.targetBlocks().get(i)), plan.sequences().get(0));
      note(
          new Block(plan.to(), plan.targetBlocks().get(i)),
          beginnings.get(new Block(plan.from(), plan.sourceBlocks().get(i))));
    }
    for (int i = 0; i < plan.sequences().size(); i++) {
      tables.get(plan.sequences().get(i)).replaceAll(block -> moved.getOrDefault(block, block));
    }
  }

  private void begin(List<Use> uses) {
    for (Use use : uses) {
      Map<Integer, Integer> users = inUse.computeIfAbsent(use.block(), block -> new HashMap<>());
      users.merge(use.request(), 1, Integer::sum);
      inWriting.merge(use.block(), use.writes() ? 1 : 0, Integer::sum);
      if (!sharing || inWriting.get(use.block()) > 0) {
        assertThat(users.keySet()).as("requests that use %s", use.block()).hasSize(1);
      }
    }
  }

  private void end(List<Use> uses) {
    for (Use use : uses) {
      inWriting.merge(use.block(), use.writes() ? -1 : 0, Integer::sum);
      Map<Integer, Integer> users = inUse.get(use.block());
      if (users.merge(use.request(), -1, Integer::sum) == 0) {
        users.remove(use.request());
      }
    }
  }

  /// Samples come to life with the prompt's last step, and the table of the one that they fork
  /// from.
  private void fork(StepPlan plan) {
    for (int i = 0; i < plan.size(); i++) {
      int parent = plan.sequences().get(i);
      RequestArrived request = forks.get(parent);
      int computed = plan.computedTokens().get(i) + plan.newTokens().get(i);
      if (request != null && computed == request.promptTokens() && !lost.contains(parent)) {
        forks.remove(parent);
        for (int sample = 1; sample < request.samples(); sample++) {
          tables.put(parent + sample, new ArrayList<>(tables.get(parent)));
        }
      }
    }
  }
}
