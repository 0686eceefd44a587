package io.fusespill.engine.state;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;

/// The hash of a state: everything that future behaviour depends on, in defined order.
final class StateFingerprint {

  /// Stands before what a prompt begins with.
  private static final long PREFIX = -2;

  private StateFingerprint() {}

  static long of(EngineState state) {
    StateHash hash = new StateHash();
    hash.add(state.nowNanos());
    hash.add(state.nextRequest());
    hash.add(state.nextSequence());
    hash.add(state.nextTransfer());
    addQueue(hash, state.waiting());
    if (!state.started()) {
      return hash.value();
    }
    hash.add(state.lengths().fingerprint());
    if (state.prefixes().next() > PrefixTree.FIRST) {
      hash.add(state.prefixes().next());
    }
    for (Place place : state.config().topology().places()) {
      addPlace(hash, state, place.id());
    }
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null) {
        addSequence(hash, sequence);
        if (state.config().policy().cachesPrefixes()) {
          hash.add(sequence.request().promptHash());
        }
      }
    }
    for (int id = state.firstTransfer(); id < state.nextTransfer(); id++) {
      TransferPlan plan = state.transferInFlight(id);
      if (plan != null) {
        addTransfer(hash, plan);
      }
    }
    return hash.value();
  }

  private static void addPlace(StateHash hash, EngineState state, int place) {
    state.pool(place).hash(hash);
    hash.add(state.nextStep(place));
    int steps = state.stepsInFlight(place);
    if (steps == 0) {
      hash.add(-1);
    }
    for (int i = 0; i < steps; i++) {
      addStep(hash, state.stepInFlight(place, i));
    }
    state.orderedPlanned(place).forEach(plan -> addTransfer(hash, plan));
    for (int i = 0; i < steps; i++) {
      state.orderedInFlight(place, i).forEach(plan -> addTransfer(hash, plan));
    }
    addQueue(hash, state.residents(place));
    hash.add(state.sharePpm(place));
    hash.add(state.shareNanos(place));
    if (!state.waiting(place).isEmpty()) {
      addQueue(hash, state.waiting(place));
    }
  }

  private static void addQueue(StateHash hash, SequenceQueue queue) {
    hash.add(queue.size());
    for (int i = 0; i < queue.size(); i++) {
      hash.add(queue.get(i).id());
    }
  }

  private static void addStep(StateHash hash, StepPlan step) {
    hash.add(step.step());
    hash.add(step.batchedTokens());
    addInts(hash, step.sequences());
    addInts(hash, step.newTokens());
    for (BlockCopy copy : step.copies()) {
      hash.add(copy.source());
    }
    if (step.remoteEntries() > 0) {
      hash.add(step.remotePlace());
      hash.add(step.remoteEntries());
    }
  }

  private static void addTransfer(StateHash hash, TransferPlan plan) {
    hash.add(plan.transfer());
    hash.add(plan.from());
    hash.add(plan.to());
    addInts(hash, plan.sequences());
    addInts(hash, plan.sourceBlocks());
    addInts(hash, plan.targetBlocks());
  }

  private static void addInts(StateHash hash, Ints values) {
    hash.add(values.size());
    for (int i = 0; i < values.size(); i++) {
      hash.add(values.get(i));
    }
  }

  private static void addSequence(StateHash hash, Sequence sequence) {
    hash.add(sequence.id());
    hash.add(sequence.status.ordinal());
    hash.add(sequence.place);
    if (sequence.home != Sequence.NOWHERE) {
      hash.add(sequence.home);
    }
    hash.add(sequence.totalTokens);
    hash.add(sequence.computedTokens);
    hash.add(sequence.unforked);
    hash.add(sequence.pins);
    hash.add(sequence.preemptions);
    hash.add(sequence.failures);
    hash.add(sequence.movedNanos);
    hash.add(sequence.lost ? 1 : 0);
    hash.add(sequence.stepper);
    hash.add(sequence.intent == null ? -1 : sequence.intent.ordinal());
    hash.add(sequence.intentPlace);
    hash.add(sequence.ending == null ? 0 : 1 + sequence.ending.ordinal());
    hash.add(sequence.request().id());
    hash.add(sequence.request().samples());
    hash.add(sequence.request().promptTokens());
    hash.add(sequence.request().maxOutputTokens());
    hash.add(sequence.request().hintTokens());
    hash.add(sequence.request().cancelled ? 1 : 0);
    PrefixTree.Node last = sequence.request().beginning.used();
    if (last != null) {
      hash.add(PREFIX);
      hash.add(last.serial());
    }
    for (int b = 0; b < sequence.table.size(); b++) {
      hash.add(sequence.table.get(b));
    }
    if (sequence.former.size() > 0) {
      hash.add(sequence.formerPlace);
      for (int b = 0; b < sequence.former.size(); b++) {
        hash.add(sequence.former.get(b));
      }
    }
  }
}
