package io.fusespill.engine.state;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Counts the state again from scratch and says what does not hold. The numbers are those of
/// `docs/invariants.md`.
public final class Invariants {

  private final EngineState state;
  private final EngineConfig config;
  private final List<String> violations = new ArrayList<>();

  private Invariants(EngineState state) {
    this.state = state;
    this.config = state.config();
  }

  /// All violations, empty where the state is sound. Takes time in proportion to the live sequences
  /// and all blocks.
  public static List<String> violations(EngineState state) {
    Invariants invariants = new Invariants(state);
    for (Place place : state.config().topology().places()) {
      invariants.checkPool(place);
      invariants.checkResidents(place);
      invariants.checkBound(place);
    }
    invariants.checkSequences();
    invariants.checkRequests();
    invariants.checkPrefixes();
    return invariants.violations;
  }

  /// Does nothing where the state is sound.
  ///
  /// @throws IllegalStateException naming every violation and the position
  public static void check(EngineState state) {
    List<String> violations = violations(state);
    if (!violations.isEmpty()) {
      throw new IllegalStateException("after %d events: %s".formatted(state.events(), violations));
    }
  }

  private void checkPool(Place place) {
    BlockPool pool = state.pool(place.id());
    int[] holders = new int[pool.total()];
    int[] leavers = new int[pool.total()];
    countTables(place.id(), holders, leavers);
    countTransfers(place.id(), holders, leavers);
    int free = 0;
    int leaving = 0;
    for (int block = 0; block < holders.length; block++) {
      require(
          holders[block] == pool.holders(block) && leavers[block] == pool.leavers(block),
          "I3: block %d of %s has %d holders and %d leavers, but %d and %d hold it",
          block,
          place.name(),
          pool.holders(block),
          pool.leavers(block),
          holders[block],
          leavers[block]);
      free += holders[block] == 0 ? 1 : 0;
      leaving += holders[block] > 0 && holders[block] == leavers[block] ? 1 : 0;
    }
    require(
        free == (pool.closed() ? free : pool.free()) && leaving == pool.leaving(),
        "I2: %s counts %d free and %d leaving blocks of %d, but %d and %d are",
        place.name(),
        pool.free(),
        pool.leaving(),
        pool.total(),
        free,
        leaving);
    String fault = pool.fault();
    require(fault == null, "I33: in %s %s", place.name(), fault);
    for (int i = 0; fault == null && i < pool.free(); i++) {
      require(
          holders[pool.upcoming(i)] == 0,
          "I2: free block %d of %s is held",
          pool.upcoming(i),
          place.name());
    }
  }

  private void countTables(int place, int[] holders, int[] leavers) {
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null && sequence.place() == place) {
        for (int b = 0; b < sequence.table().size(); b++) {
          holders[sequence.table().get(b)]++;
          if (sequence.status() == SequenceStatus.TRANSFERRING) {
            leavers[sequence.table().get(b)]++;
          }
        }
      }
    }
  }

  private void countTransfers(int place, int[] holders, int[] leavers) {
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      if (plan != null && plan.to() == place) {
        for (int i = 0; i < plan.blocks(); i++) {
          holders[plan.targetBlocks().get(i)]++;
        }
      }
    }
    for (int i = 0; i < state.stepsInFlight(place); i++) {
      state.stepInFlight(place, i).copies().forEach(copy -> holders[copy.source()]++);
    }
    for (Place device : config.topology().places()) {
      int id = device.id();
      countOrdered(state.orderedPlanned(id), id, place, holders, leavers);
      for (int i = 0; i < state.stepsInFlight(id); i++) {
        countOrdered(state.orderedInFlight(id, i), id, place, holders, leavers);
      }
    }
  }

  private static void countOrdered(
      List<TransferPlan> plans, int device, int place, int[] holders, int[] leavers) {
    for (TransferPlan plan : plans) {
      if (plan.from() == place && plan.from() != device) {
        for (int i = 0; i < plan.blocks(); i++) {
          holders[plan.sourceBlocks().get(i)]++;
          leavers[plan.sourceBlocks().get(i)]++;
        }
      }
    }
  }

  private void requireWaiting(SequenceQueue queue, int home) {
    for (int i = 0; i < queue.size(); i++) {
      Sequence sequence = queue.get(i);
      require(
          sequence.status() == SequenceStatus.WAITING && sequence.home() == home,
          "I7: sequence %d is %s and bound to %d, but waits in the queue of %d",
          sequence.id(),
          sequence.status(),
          sequence.home(),
          home);
    }
  }

  private void checkBound(Place place) {
    requireWaiting(state.waiting(place.id()), place.id());
    long tokens = 0;
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      tokens += sequence != null && sequence.home() == place.id() ? sequence.totalTokens() : 0;
    }
    require(
        tokens == state.boundTokens(place.id()),
        "I27: %s counts %d tokens bound to it, but %d are",
        place.name(),
        state.boundTokens(place.id()),
        tokens);
  }

  private void checkResidents(Place place) {
    SequenceQueue residents = state.residents(place.id());
    SequenceStatus status = place.computes() ? SequenceStatus.RUNNING : SequenceStatus.SWAPPED;
    for (int i = 0; i < residents.size(); i++) {
      Sequence sequence = residents.get(i);
      require(
          sequence.place() == place.id()
              && sequence.status() == status
              && state.sequence(sequence.id()) == sequence,
          "I7: sequence %d is %s in place %d but queued in %s",
          sequence.id(),
          sequence.status(),
          sequence.place(),
          place.name());
      for (int j = 0; j < i; j++) {
        require(
            residents.get(j) != sequence,
            "I7: sequence %d is queued twice in %s",
            sequence.id(),
            place.name());
      }
    }
    for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
      StepPlan step = state.stepInFlight(place.id(), i);
      EngineLimits limits = state.limitsInFlight(place.id(), i);
      require(
          step.size() <= limits.maxNumSeqs()
              && step.batchedTokens() <= limits.maxNumBatchedTokens(),
          "I8: a step in flight on %s is over its limits: %s",
          place.name(),
          step);
    }
  }

  private void checkSequences() {
    int waiting = 0;
    int resident = 0;
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null) {
        checkSequence(sequence);
        waiting += sequence.status() == SequenceStatus.WAITING ? 1 : 0;
        resident +=
            sequence.status() == SequenceStatus.RUNNING
                    || sequence.status() == SequenceStatus.SWAPPED
                ? 1
                : 0;
      }
    }
    require(
        waiting == state.waitingSequences(),
        "I7: %d sequences wait but %d are queued",
        waiting,
        state.waitingSequences());
    requireWaiting(state.waiting(), Sequence.NOWHERE);
    int queued = 0;
    for (Place place : config.topology().places()) {
      queued += state.residents(place.id()).size();
    }
    require(
        resident == queued, "I7: %d sequences are resident but %d are queued", resident, queued);
  }

  private void checkSequence(Sequence sequence) {
    checkContent(sequence);
    require(
        sequence.computedTokens() <= sequence.totalTokens(),
        "I4: sequence %d has computed %d of %d tokens",
        sequence.id(),
        sequence.computedTokens(),
        sequence.totalTokens());
    int end = checkSteps(sequence);
    require(
        sequence.table().size() == config.kv().blocks(end),
        "I5: sequence %d has %d blocks for %d tokens",
        sequence.id(),
        sequence.table().size(),
        end);
    require(
        sequence.pins == expectedPins(sequence),
        "I6: sequence %d is pinned %d times, %d steps and transfers use it",
        sequence.id(),
        sequence.pins,
        expectedPins(sequence));
    require(
        sequence.status() != SequenceStatus.WAITING || sequence.place() == Sequence.NOWHERE,
        "I7: sequence %d waits but lies in place %d",
        sequence.id(),
        sequence.place());
  }

  /// Walks the steps in flight that compute the sequence, which must be of one device and follow on
  /// from one another, and returns the tokens that its table has to cover.
  private int checkSteps(Sequence sequence) {
    int end = sequence.computedTokens();
    int placeholders = 0;
    for (Place device : config.topology().places()) {
      for (int s = 0; s < state.stepsInFlight(device.id()); s++) {
        StepPlan step = state.stepInFlight(device.id(), s);
        for (int i = 0; i < step.size(); i++) {
          if (step.sequences().get(i) == sequence.id()) {
            int start = step.computedTokens().get(i);
            require(
                step.home(i) == sequence.place(),
                "I26: a step on %s computes sequence %d in place %d, but it lies in place %d",
                device.name(),
                sequence.id(),
                step.home(i),
                sequence.place());
            boolean wasted = sequence.ending() != null || sequence.lost();
            int known = sequence.totalTokens() + placeholders;
            require(
                wasted || (start == end && start + step.newTokens().get(i) <= known),
                "I25: a step in flight takes sequence %d from %d by %d, it has %d of %d",
                sequence.id(),
                start,
                step.newTokens().get(i),
                end,
                known);
            end += step.newTokens().get(i);
            placeholders += end == known ? 1 : 0;
          }
        }
      }
    }
    require(
        end == sequence.plannedComputedTokens(),
        "I25: sequence %d plans to compute %d tokens, its steps in flight come to %d",
        sequence.id(),
        sequence.plannedComputedTokens(),
        end);
    boolean wasted = sequence.ending() != null || sequence.lost();
    return wasted ? Math.max(end, config.kv().blockTokens() * sequence.table().size()) : end;
  }

  private int expectedPins(Sequence sequence) {
    int pins = 0;
    for (Place place : config.topology().places()) {
      pins += uses(state.orderedPlanned(place.id()), sequence);
      for (int i = 0; i < state.stepsInFlight(place.id()); i++) {
        pins += state.stepInFlight(place.id(), i).sequences().contains(sequence.id()) ? 1 : 0;
        pins += uses(state.orderedInFlight(place.id(), i), sequence);
      }
    }
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      pins +=
          plan != null
                  && plan.mode() == TransferMode.ASYNC
                  && plan.sequences().contains(sequence.id())
              ? 1
              : 0;
    }
    return pins;
  }

  private static int uses(List<TransferPlan> plans, Sequence sequence) {
    int uses = 0;
    for (TransferPlan plan : plans) {
      uses += plan.sequences().contains(sequence.id()) ? 1 : 0;
    }
    return uses;
  }

  private void checkRequests() {
    for (int id = state.firstRequest(); id < state.nextRequest(); id++) {
      Request request = state.request(id);
      if (request != null) {
        int live = 0;
        for (int i = 0; i < request.samples(); i++) {
          live += state.sequence(request.firstSequence() + i) == null ? 0 : 1;
        }
        require(
            live == request.liveSequences() && live > 0,
            "I1: request %d counts %d live sequences, %d are",
            id,
            request.liveSequences(),
            live);
      }
    }
  }

  /// Counts anew who uses what prompts begin with, and looks for it in the tables.
  private void checkPrefixes() {
    Map<PrefixTree.Node, Integer> uses = new LinkedHashMap<>();
    for (int id = state.firstRequest(); id < state.nextRequest(); id++) {
      Request request = state.request(id);
      PrefixTree.Node last = request == null ? null : request.beginning.used();
      if (last != null) {
        uses.merge(last, 1, Integer::sum);
      }
    }
    for (Place place : config.topology().places()) {
      BlockPool pool = state.pool(place.id());
      for (int block = 0; block < pool.total(); block++) {
        PrefixTree.Node node = pool.content(block);
        if (node != null) {
          require(pool.keeping(), "I29: %s remembers block %d", place.name(), block);
          uses.merge(node, 1, Integer::sum);
        }
      }
    }
    for (PrefixTree.Node node : state.prefixes().nodes()) {
      PrefixTree.Node parent = node.parent();
      if (parent != null && parent != state.prefixes().root()) {
        uses.merge(parent, 1, Integer::sum);
      }
    }
    for (PrefixTree.Node node : state.prefixes().nodes()) {
      require(
          node.uses() > 0 && node.uses() == uses.getOrDefault(node, 0),
          "I29: beginning %d counts %d uses, but has %d",
          node.serial(),
          node.uses(),
          uses.getOrDefault(node, 0));
      uses.remove(node);
    }
    require(uses.isEmpty(), "I29: %d beginnings in use are forgotten", uses.size());
  }

  /// A block in a table that is known by what it holds holds that part of the sequence's prompt.
  private void checkContent(Sequence sequence) {
    PrefixTree.Beginning prefix = sequence.request().beginning;
    for (int b = 0; sequence.place() != Sequence.NOWHERE && b < sequence.table().size(); b++) {
      PrefixTree.Node node = state.pool(sequence.place()).content(sequence.table().get(b));
      require(
          node == null
              || (prefix.kept()
                  && b < prefix.size()
                  && prefix.get(b) == node
                  && sequence.computedTokens() >= (b + 1) * config.kv().blockTokens()),
          "I30: block %d of sequence %d holds another prompt's beginning",
          b,
          sequence.id());
    }
  }

  private void require(boolean holds, String message, @Nullable Object... values) {
    if (!holds) {
      violations.add(message.formatted(values));
    }
  }
}
