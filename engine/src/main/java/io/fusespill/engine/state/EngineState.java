package io.fusespill.engine.state;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.PlaceRestored;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.SequenceFailed;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All mutable state of a run. It changes in [#apply] and nowhere else, live, in simulation and in
/// replay alike.
///
/// Not thread-safe: the engine, or whoever replays, owns it.
public final class EngineState implements EngineView {

  /*
   * Who holds a block. A sequence's table holds each of its blocks once. An asynchronous transfer holds its target
   * blocks until it completes; its sources stay held by the tables, marked as leaving. An ordered transfer moves the
   * tables at once: the blocks that it gives up on its own device are free for the very step that it precedes, because
   * the device's stream orders copies before compute; those given up elsewhere are leaving until that step is done.
   */

  private static final String NOT_STARTED =
      "the run has not started: RunStarted must be the first event";

  private @Nullable EngineConfig config;
  private KvLayout kv = new KvLayout(1, 1, 1);
  private Residence[] places = {};
  private final SequenceDeque waiting = new SequenceDeque();
  private final Window<Request> requests = new Window<>();
  private final Window<Sequence> sequences = new Window<>();
  private final Window<TransferPlan> transfers = new Window<>();
  private final PrefixTree prefixes = new PrefixTree();
  private KeptBlocks keptBlocks = new KeptBlocks(prefixes, 1);
  private final List<Sequence> affected = new ArrayList<>();
  private LengthPredictor lengths = PredictorKind.NONE.create(1);
  private int nextSequence;
  private int maxModelTokens;
  private long nowNanos;
  private long events;
  private int[] targetOf = {};

  // ------------------------------------------------------------------ view

  @Override
  public EngineConfig config() {
    if (config == null) {
      throw new IllegalStateException(NOT_STARTED);
    }
    return config;
  }

  public boolean started() {
    return config != null;
  }

  @Override
  public long nowNanos() {
    return nowNanos;
  }

  /// Events applied so far, which is the position of the next one.
  public long events() {
    return events;
  }

  @Override
  public SequenceQueue waiting() {
    return waiting;
  }

  @Override
  public SequenceQueue waiting(int device) {
    return places[device].waiting;
  }

  /// Sequences without KV, whether bound to a device or not.
  public int waitingSequences() {
    int waiting = this.waiting.size();
    for (Residence place : places) {
      waiting += place.waiting.size();
    }
    return waiting;
  }

  @Override
  public long boundTokens(int device) {
    return places[device].boundTokens;
  }

  @Override
  public SequenceQueue residents(int place) {
    return places[place].residents;
  }

  @Override
  public BlockPool pool(int place) {
    return places[place].pool;
  }

  @Override
  public boolean failed(int place) {
    return places[place].pool.closed();
  }

  @Override
  public @Nullable Sequence sequence(int id) {
    return sequences.get(id);
  }

  @Override
  public @Nullable Request request(int id) {
    return requests.get(id);
  }

  @Override
  public @Nullable StepPlan stepInFlight(int place) {
    return places[place].stepInFlight();
  }

  @Override
  public int stepsInFlight(int place) {
    return places[place].stepsInFlight();
  }

  @Override
  public StepPlan stepInFlight(int place, int index) {
    return places[place].flight(index).requirePlan();
  }

  @Override
  public int transfersInFlight() {
    return transfers.live();
  }

  @Override
  public int seatsInto(int place) {
    int seats = 0;
    for (int id = transfers.base(); transfers.live() > 0 && id < transfers.next(); id++) {
      TransferPlan plan = transfers.get(id);
      if (plan != null && plan.to() == place) {
        for (int i = 0; i < plan.sequences().size(); i++) {
          seats += require(plan.sequences().get(i)).seats();
        }
      }
    }
    return seats;
  }

  @Override
  public int seats(int place) {
    int seats = seatsInto(place);
    SequenceQueue running = places[place].residents;
    for (int i = 0; i < running.size(); i++) {
      seats += running.get(i).seats();
    }
    return seats;
  }

  @Override
  public LengthPredictor lengths() {
    return lengths;
  }

  @Override
  public int blocksInTransit(int from, int to) {
    int blocks = 0;
    for (int id = transfers.base(); id < transfers.next(); id++) {
      TransferPlan plan = transfers.get(id);
      if (plan != null && plan.from() == from && plan.to() == to) {
        blocks += plan.blocks();
      }
    }
    return blocks;
  }

  @Override
  public int sharePpm(int place) {
    return places[place].sharePpm;
  }

  @Override
  public long shareNanos(int place) {
    return places[place].shareNanos;
  }

  /// The asynchronous transfer under way with this number, or null.
  public @Nullable TransferPlan transferInFlight(int transfer) {
    return transfers.get(transfer);
  }

  /// Numbers of the asynchronous transfers under way lie in `[first, next)`.
  public int firstTransfer() {
    return transfers.base();
  }

  @Override
  public List<TransferPlan> orderedPlanned(int place) {
    return places[place].orderedPlanned;
  }

  /// Ordered transfers that the `index`-th step in flight on `place` took along.
  public List<TransferPlan> orderedInFlight(int place, int index) {
    return places[place].flight(index).ordered;
  }

  /// Limits that were in force when the `index`-th step in flight on `place` was planned.
  EngineLimits limitsInFlight(int place, int index) {
    return places[place].flight(index).limits;
  }

  /// Number of tokens that the oldest step in flight on `device` samples, those that count for
  /// nothing included.
  public int samples(int device) {
    Flight flight = places[device].flight(0);
    int samples = 0;
    for (int i = 0; i < flight.requirePlan().size(); i++) {
      samples += flight.sampling[i] ? 1 + flight.batch[i].unforked : 0;
    }
    return samples;
  }

  @Override
  public boolean samples(int device, int index, int i) {
    return places[device].flight(index).sampling[i];
  }

  /// Whether what entry `i` of the oldest step in flight on `device` samples counts: the step did
  /// not run ahead of the end or the loss of its sequence.
  public boolean counts(int device, int i) {
    Sequence sequence = places[device].flight(0).batch[i];
    return sequence.ending == null && !sequence.lost;
  }

  public int nextRequest() {
    return requests.next();
  }

  public int nextSequence() {
    return nextSequence;
  }

  public int nextTransfer() {
    return transfers.next();
  }

  public long nextStep(int place) {
    return places[place].nextStep;
  }

  /// First number that a live request may have.
  public int firstRequest() {
    return requests.base();
  }

  /// First number that a live sequence may have.
  public int firstSequence() {
    return sequences.base();
  }

  public int liveRequests() {
    return requests.live();
  }

  /// Sequences that the newest input ended, failed or left for the engine to deal with, in order.
  public List<Sequence> affected() {
    return affected;
  }

  // ----------------------------------------------------------------- apply

  /// Makes the event's change.
  ///
  /// @throws IllegalStateException if the event does not follow from the state; the state is then
  ///   of no further use
  public void apply(EngineEvent event) {
    if (event.atNanos() < nowNanos) {
      throw new IllegalStateException(
          "time goes back from %d to %d ns at position %d"
              .formatted(nowNanos, event.atNanos(), events));
    }
    nowNanos = event.atNanos();
    switch (event) {
      case StepPlanned planned -> startStep(planned.plan());
      case StepCompleted completed -> completeStep(completed);
      case SequenceFinished finished -> finish(require(finished.sequence()), finished.reason());
      case SequenceAdmitted admitted -> admit(admitted);
      case RequestArrived arrived -> arrive(arrived);
      case SequenceRouted routed -> route(require(routed.sequence()), routed.device());
      case SequencePreempted preempted -> preempt(preempted);
      case TransferPlanned planned -> startTransfer(planned.plan());
      case TransferCompleted completed -> completeTransfer(takeTransfer(completed.transfer()));
      case TransferFailed failed -> failTransfer(takeTransfer(failed.transfer()));
      case StepFailed failed -> failStep(failed.device());
      case SequenceFailed failed -> failSequence(require(failed.sequence()));
      case PlaceFailed failed -> failPlace(failed.place());
      case PlaceRestored restored -> restorePlace(restored.place());
      case RequestRejected rejected -> reject(requireRequest(rejected.request()));
      case RequestCancelled cancelled -> cancel(cancelled.request());
      case ResidentsSorted sorted -> places[sorted.place()].residents.sortOldestFirst();
      case RunStarted started -> start(started);
      case ConfigurationChanged changed -> reconfigure(changed.config());
      case Checkpointed checkpointed -> {}
      case HandlingChosen chosen -> intend(chosen);
      case ShareChosen chosen -> {
        places[chosen.device()].sharePpm = chosen.sharePpm();
        places[chosen.device()].shareNanos = chosen.atNanos();
      }
    }
    events++;
  }

  private void start(RunStarted started) {
    if (config != null) {
      throw new IllegalStateException("the run has already started");
    }
    config = started.config();
    kv = started.config().kv();
    keptBlocks = new KeptBlocks(prefixes, kv.blockTokens());
    keptBlocks.follow(started.config().policy());
    maxModelTokens = started.config().limits().maxModelTokens();
    lengths = PredictorKind.named(config.predictor()).create(maxModelTokens);
    List<Place> all = started.config().topology().places();
    places = new Residence[all.size()];
    int most = 0;
    for (Place place : all) {
      places[place.id()] =
          new Residence(place.blocks(), prefixes, started.config().limits().maxStepsInFlight());
      places[place.id()].pool.keep(started.config().policy().keepsBlocks());
      most = Math.max(most, place.blocks());
    }
    targetOf = new int[most];
    Arrays.fill(targetOf, -1);
  }

  private void reconfigure(EngineConfig changed) {
    EngineConfig present = config();
    String problem = problemOfChange(changed);
    if (problem != null) {
      throw new IllegalStateException(problem);
    }
    if (!changed.predictor().equals(present.predictor())) {
      lengths = PredictorKind.named(changed.predictor()).create(maxModelTokens);
    }
    if (!changed.policy().equals(present.policy())) {
      unbind();
    }
    for (Residence place : places) {
      place.hold(changed.limits().maxStepsInFlight());
      place.pool.keep(changed.policy().keepsBlocks());
    }
    keptBlocks.follow(changed.policy());
    affected.clear();
    config = changed;
  }

  /// Why the run cannot go on under `changed`, or null where it can.
  public @Nullable String problemOfChange(EngineConfig changed) {
    EngineConfig present = config();
    if (!changed.topology().equals(present.topology()) || !changed.kv().equals(present.kv())) {
      return "another topology or KV layout: what lies in memory cannot change in the middle of a run";
    }
    if (changed.limits().maxModelTokens() != present.limits().maxModelTokens()) {
      return "a longest sequence of %d tokens instead of %d: it cannot change in the middle of a run"
          .formatted(changed.limits().maxModelTokens(), present.limits().maxModelTokens());
    }
    int seatsMax = changed.limits().maxNumSeqs();
    for (Place place : changed.topology().places()) {
      int seats = place.computes() ? seats(place.id()) : 0;
      if (seats > seatsMax) {
        return "max-num-seqs is %d, must be at least the %d sequences that run on %s"
            .formatted(seatsMax, seats, place.name());
      }
    }
    for (int id = requests.base(); id < requests.next(); id++) {
      Request request = requests.get(id);
      if (request != null && request.samples() > seatsMax) {
        return "max-num-seqs is %d, must be at least the %d samples of request %d"
            .formatted(seatsMax, request.samples(), id);
      }
      if (request != null
          && request.hintTokens() == 0
          && PredictorKind.named(changed.predictor()).oracle()) {
        return "the oracle needs true lengths as hints, and request %d came with none: choose another predictor"
            .formatted(id);
      }
    }
    return null;
  }

  /// Whoever takes over binds anew: all that is bound to a device is free, and what waits does so
  /// in one queue, in order of arrival.
  private void unbind() {
    for (Residence place : places) {
      while (!place.waiting.isEmpty()) {
        Sequence sequence = place.waiting.get(0);
        place.waiting.remove(sequence);
        waiting.addLast(sequence);
      }
      place.boundTokens = 0;
    }
    boolean bound = false;
    for (int id = sequences.base(); id < nextSequence; id++) {
      Sequence sequence = sequences.get(id);
      if (sequence != null) {
        bound |= sequence.home != Sequence.NOWHERE;
        sequence.home = Sequence.NOWHERE;
      }
    }
    if (bound) {
      waiting.sortOldestFirst();
    }
  }

  private void arrive(RequestArrived arrived) {
    if (arrived.request() != requests.next() || arrived.firstSequence() != nextSequence) {
      throw new IllegalStateException(
          "request %d with first sequence %d arrives where %d and %d were due"
              .formatted(
                  arrived.request(), arrived.firstSequence(), requests.next(), nextSequence));
    }
    Request request =
        new Request(
            arrived.request(),
            arrived.firstSequence(),
            arrived.samples(),
            arrived.promptTokens(),
            arrived.maxOutputTokens(),
            arrived.hintTokens(),
            maxModelTokens,
            arrived.prompt(),
            arrived.atNanos());
    Sequence sequence = new Sequence(arrived.firstSequence(), request);
    sequence.unforked = arrived.samples() - 1;
    request.liveSequences = 1;
    requests.add(request);
    sequences.put(sequence.id(), sequence);
    nextSequence += arrived.samples();
    waiting.addLast(sequence);
  }

  private void route(Sequence sequence, int device) {
    waiting.remove(sequence);
    sequence.home = device;
    places[device].waiting.addLast(sequence);
    places[device].boundTokens += sequence.totalTokens;
  }

  private SequenceDeque queueOf(Sequence sequence) {
    return sequence.home == Sequence.NOWHERE ? waiting : places[sequence.home].waiting;
  }

  private void admit(SequenceAdmitted admitted) {
    Sequence sequence = require(admitted.sequence());
    int device = admitted.device();
    if (admitted.keptBlocks() > keptBlocks(sequence, device, 0)) {
      throw new IllegalStateException(
          "sequence %d is admitted with %d kept blocks, %d are there in place %d"
              .formatted(
                  sequence.id(), admitted.keptBlocks(), keptBlocks(sequence, device, 0), device));
    }
    queueOf(sequence).remove(sequence);
    keptBlocks.adopt(sequence, places[device].pool, device, admitted.keptBlocks());
    sequence.computedTokens = admitted.keptBlocks() * kv.blockTokens();
    sequence.status = SequenceStatus.RUNNING;
    sequence.place = device;
    places[device].residents.addLast(sequence);
  }

  private void startStep(StepPlan plan) {
    Residence place = places[plan.device()];
    if (plan.step() != place.nextStep) {
      throw new IllegalStateException(
          "step %d starts on place %d where step %d is due"
              .formatted(plan.step(), plan.device(), place.nextStep));
    }
    Flight flight = place.addFlight();
    flight.begin(plan, place.orderedPlanned, config().limits());
    place.orderedPlanned.clear();
    place.nextStep++;
    List<BlockCopy> copies = plan.copies();
    int copied = 0;
    int grown = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = require(plan.sequences().get(i));
      BlockPool pool = places[sequence.place].pool;
      sequence.pins++;
      flight.batch[i] = sequence;
      if (copied < copies.size() && copies.get(copied).sequence() == sequence.id()) {
        copyLastBlock(pool, sequence, copies.get(copied++));
      }
      sequence.inFlightTokens += plan.newTokens().get(i);
      sequence.stepper = plan.device();
      int blocks = kv.blocks(sequence.plannedComputedTokens());
      while (sequence.table.size() < blocks) {
        int block = plan.newBlocks().get(grown++);
        pool.take(block);
        sequence.table.append(block);
      }
      flight.sampling[i] = sequence.plannedComputedTokens() == sequence.plannedTotalTokens();
      if (flight.sampling[i]) {
        sequence.placeholders++;
      }
    }
  }

  /// The step itself holds the source from now on, until it is done: somebody else's copy into that
  /// block must not overtake it.
  private static void copyLastBlock(BlockPool pool, Sequence sequence, BlockCopy copy) {
    pool.take(copy.target());
    sequence.table.set(sequence.table.size() - 1, copy.target());
  }

  private void completeStep(StepCompleted completed) {
    Residence place = places[completed.device()];
    Flight flight = endFlight(place);
    StepPlan plan = flight.requirePlan();
    affected.clear();
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = flight.batch[i];
      int tokens = plan.newTokens().get(i);
      land(sequence, tokens, flight.sampling[i]);
      if (sequence.ending != null || sequence.lost) {
        noteWasted(sequence);
        continue;
      }
      int before = sequence.computedTokens;
      sequence.computedTokens += tokens;
      keptBlocks.fill(sequence, places[sequence.place].pool, before);
      sequence.failures = 0;
      if (flight.sampling[i]) {
        sample(place, sequence);
      } else if (sequence.request().cancelled) {
        affected.add(sequence);
      }
    }
    for (int i = 0; i < completed.ended().size(); i++) {
      Sequence sequence = sequences.get(completed.ended().get(i));
      if (sequence != null && sequence.ending == null && !sequence.lost) {
        sequence.ending = FinishReason.STOP;
        if (!sequence.request().cancelled) {
          affected.add(sequence);
        }
      }
    }
    for (TransferPlan transfer : flight.ordered) {
      noteCancelled(transfer);
    }
  }

  /// What a step did for the sequence is no longer in flight.
  private static void land(Sequence sequence, int tokens, boolean sampling) {
    sequence.inFlightTokens -= tokens;
    if (sampling) {
      sequence.placeholders--;
    }
  }

  /// A step ran ahead of the end or the loss of a sequence: its result counts for nothing.
  private void noteWasted(Sequence sequence) {
    if (!sequence.pinned()) {
      undoGrowth(sequence);
      affected.add(sequence);
    }
  }

  /// A request cancelled while a step moved its sequences can end now.
  private void noteCancelled(TransferPlan transfer) {
    for (int i = 0; i < transfer.sequences().size(); i++) {
      Sequence sequence = sequences.get(transfer.sequences().get(i));
      if (sequence != null && sequence.request().cancelled && !affected.contains(sequence)) {
        affected.add(sequence);
      }
    }
  }

  private void sample(Residence place, Sequence sequence) {
    sequence.totalTokens++;
    noteBound(sequence, 1);
    noteEnding(sequence);
    if (sequence.unforked > 0) {
      fork(place, sequence);
    }
  }

  /// Samples beyond the first come to life with the prompt's last step, each with a token of its
  /// own.
  private void fork(Residence place, Sequence parent) {
    int at = place.residents.indexOf(parent);
    Request request = parent.request();
    for (int i = 1; i <= parent.unforked; i++) {
      Sequence child = new Sequence(parent.id() + i, request);
      child.status = SequenceStatus.RUNNING;
      child.place = parent.place;
      child.computedTokens = parent.computedTokens;
      child.totalTokens = parent.totalTokens;
      child.home = parent.home;
      noteBound(child, child.totalTokens);
      for (int b = 0; b < parent.table.size(); b++) {
        place.pool.retain(parent.table.get(b));
        child.table.append(parent.table.get(b));
      }
      sequences.put(child.id(), child);
      place.residents.insert(at + i, child);
      request.liveSequences++;
      noteEnding(child);
    }
    parent.unforked = 0;
  }

  private void noteBound(Sequence sequence, int tokens) {
    if (sequence.home != Sequence.NOWHERE) {
      places[sequence.home].boundTokens += tokens;
    }
  }

  private void noteEnding(Sequence sequence) {
    if (sequence.totalTokens > maxModelTokens
        || sequence.outputTokens() >= sequence.request().maxOutputTokens()) {
      sequence.ending = FinishReason.LENGTH;
      affected.add(sequence);
    } else if (sequence.request().cancelled) {
      affected.add(sequence);
    }
  }

  /// It ends with the step that it is in.
  private void failSequence(Sequence sequence) {
    affected.clear();
    if (sequence.ending == null && !sequence.lost) {
      sequence.ending = FinishReason.FAILED;
    }
  }

  private void failStep(int device) {
    Residence place = places[device];
    boolean counts = !place.pool.closed();
    Flight flight = endFlight(place);
    StepPlan plan = flight.requirePlan();
    affected.clear();
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = flight.batch[i];
      land(sequence, plan.newTokens().get(i), flight.sampling[i]);
      if (sequence.ending != null || sequence.lost) {
        noteWasted(sequence);
      } else {
        lose(sequence, counts);
      }
    }
    for (TransferPlan transfer : flight.ordered) {
      for (int i = 0; i < transfer.sequences().size(); i++) {
        Sequence sequence = sequences.get(transfer.sequences().get(i));
        if (sequence != null && !sequence.lost) {
          lose(sequence, counts);
        }
      }
    }
    KeptBlocks.forgetLost(place.pool, place.residents);
  }

  /// Nothing of what lay in the place is there any more. What is in flight there is still to fail,
  /// and pins what it uses until then.
  private void failPlace(int id) {
    Residence place = places[id];
    affected.clear();
    place.pool.close();
    place.pool.forget();
    for (int i = 0; i < place.residents.size(); i++) {
      Sequence sequence = place.residents.get(i);
      if (!sequence.lost) {
        lose(sequence, false);
      }
    }
    for (int sequence = sequences.base(); sequence < nextSequence; sequence++) {
      Sequence bound = sequences.get(sequence);
      if (bound != null) {
        forget(bound, id);
      }
    }
    boolean waited = !place.waiting.isEmpty();
    while (!place.waiting.isEmpty()) {
      Sequence sequence = place.waiting.get(0);
      place.waiting.remove(sequence);
      waiting.addLast(sequence);
    }
    if (waited) {
      waiting.sortOldestFirst();
    }
    place.boundTokens = 0;
  }

  /// Whatever was meant to happen to the sequence in a place that is gone will not.
  private static void forget(Sequence sequence, int place) {
    if (sequence.home == place) {
      sequence.home = Sequence.NOWHERE;
    }
    if (sequence.intent != null && sequence.intentPlace == place) {
      sequence.intent = null;
    }
  }

  private void restorePlace(int id) {
    affected.clear();
    places[id].pool.open();
  }

  /// The sequence's KV is gone. While later steps are in flight they still use its blocks.
  ///
  /// @param counts whether it is an attempt of its own that failed, and not its place
  private void lose(Sequence sequence, boolean counts) {
    sequence.lost = true;
    sequence.failures += counts ? 1 : 0;
    if (!sequence.pinned()) {
      undoGrowth(sequence);
      affected.add(sequence);
    }
  }

  private void undoGrowth(Sequence sequence) {
    while (sequence.table.size() > kv.blocks(sequence.computedTokens)) {
      places[sequence.place].pool.release(sequence.table.removeLast());
    }
  }

  private void noteFailure(Sequence sequence, boolean counts) {
    sequence.failures += counts ? 1 : 0;
    affected.add(sequence);
  }

  /// Takes the oldest step out of flight and unpins what it and its ordered transfers used.
  private Flight endFlight(Residence place) {
    Flight flight = place.removeOldest();
    StepPlan plan = flight.requirePlan();
    for (int i = 0; i < plan.size(); i++) {
      flight.batch[i].pins--;
    }
    for (BlockCopy copy : plan.copies()) {
      place.pool.release(copy.source());
    }
    for (TransferPlan transfer : flight.ordered) {
      if (transfer.from() != plan.device()) {
        BlockPool source = places[transfer.from()].pool;
        for (int i = 0; i < transfer.blocks(); i++) {
          source.releaseLeaver(transfer.sourceBlocks().get(i));
        }
      }
      for (int i = 0; i < transfer.sequences().size(); i++) {
        require(transfer.sequences().get(i)).pins--;
      }
    }
    return flight;
  }

  private void intend(HandlingChosen chosen) {
    Sequence sequence = require(chosen.sequence());
    Handling handling = chosen.choice().handling();
    sequence.intent = handling == Handling.STAY ? null : handling;
    sequence.intentPlace = chosen.choice().place();
  }

  private void preempt(SequencePreempted preempted) {
    Sequence sequence = require(preempted.sequence());
    sequence.preemptions++;
    if (preempted.kind() != PreemptionKind.RECOMPUTE) {
      return;
    }
    if (sequence.place != Sequence.NOWHERE) {
      keptBlocks.leaveBehind(sequence, places[sequence.place].pool);
    }
    leave(sequence);
    sequence.intent = null;
    sequence.computedTokens = 0;
    sequence.lost = false;
    sequence.status = SequenceStatus.WAITING;
    queueOf(sequence).addFirst(sequence);
  }

  @Override
  public int keptBlocks(Sequence sequence, int device, int reserved) {
    return keptBlocks.count(sequence, places[device].pool, device, reserved);
  }

  @Override
  public int heldBlocks(Sequence sequence, int device, int kept, int reserved) {
    return keptBlocks.held(sequence, places[device].pool, device, kept, reserved);
  }

  private void startTransfer(TransferPlan plan) {
    if (plan.transfer() != transfers.next()) {
      throw new IllegalStateException(
          "transfer %d starts where %d was due".formatted(plan.transfer(), transfers.next()));
    }
    Residence source = places[plan.from()];
    Residence target = places[plan.to()];
    for (int i = 0; i < plan.blocks(); i++) {
      target.pool.take(plan.targetBlocks().get(i));
    }
    transfers.add(plan);
    for (int i = 0; i < plan.sequences().size(); i++) {
      Sequence sequence = require(plan.sequences().get(i));
      sequence.pins++;
      if (sequence.intent != Handling.OFFLOAD_DECODE || placeOf(plan.to()).computes()) {
        sequence.intent = null;
      }
      source.residents.remove(sequence);
      sequence.status = SequenceStatus.TRANSFERRING;
    }
    if (plan.mode() == TransferMode.ASYNC) {
      for (int i = 0; i < plan.sequences().size(); i++) {
        BlockTable table = require(plan.sequences().get(i)).table;
        for (int b = 0; b < table.size(); b++) {
          source.pool.leave(table.get(b));
        }
      }
    } else {
      moveOrdered(plan);
    }
  }

  private void moveOrdered(TransferPlan plan) {
    transfers.remove(plan.transfer());
    boolean deviceIsSource = placeOf(plan.from()).computes();
    Residence device = places[deviceIsSource ? plan.from() : plan.to()];
    BlockPool source = places[plan.from()].pool;
    if (!deviceIsSource) {
      for (int i = 0; i < plan.blocks(); i++) {
        source.retain(plan.sourceBlocks().get(i));
        source.leave(plan.sourceBlocks().get(i));
      }
    }
    relocate(plan, false);
    for (int i = 0; i < plan.sequences().size(); i++) {
      require(plan.sequences().get(i)).stepper = deviceIsSource ? plan.from() : plan.to();
    }
    device.orderedPlanned.add(plan);
  }

  private void completeTransfer(TransferPlan plan) {
    affected.clear();
    relocate(plan, true);
    for (int i = 0; i < plan.sequences().size(); i++) {
      Sequence sequence = require(plan.sequences().get(i));
      sequence.pins--;
      sequence.failures = 0;
      if (sequence.request().cancelled) {
        affected.add(sequence);
      }
    }
  }

  /// Gives each moved sequence a table of target blocks in the place of its source blocks.
  private void relocate(TransferPlan plan, boolean leavers) {
    BlockPool source = places[plan.from()].pool;
    Residence target = places[plan.to()];
    Ints from = plan.sourceBlocks();
    for (int i = 0; i < from.size(); i++) {
      targetOf[from.get(i)] = plan.targetBlocks().get(i);
    }
    for (int i = 0; i < plan.sequences().size(); i++) {
      Sequence sequence = require(plan.sequences().get(i));
      for (int b = 0; b < sequence.table.size(); b++) {
        int old = sequence.table.get(b);
        target.pool.retain(targetOf[old]);
        sequence.table.set(b, targetOf[old]);
        if (leavers) {
          source.releaseLeaver(old);
        } else {
          source.release(old);
        }
      }
      settle(sequence, plan.to());
    }
    for (int i = 0; i < from.size(); i++) {
      targetOf[from.get(i)] = -1;
      target.pool.release(plan.targetBlocks().get(i));
    }
  }

  private void failTransfer(TransferPlan plan) {
    affected.clear();
    boolean counts = !places[plan.to()].pool.closed();
    for (int i = 0; i < plan.blocks(); i++) {
      places[plan.to()].pool.release(plan.targetBlocks().get(i));
    }
    BlockPool source = places[plan.from()].pool;
    for (int i = 0; i < plan.sequences().size(); i++) {
      Sequence sequence = require(plan.sequences().get(i));
      for (int b = 0; b < sequence.table.size(); b++) {
        source.stay(sequence.table.get(b));
      }
      sequence.pins--;
      settle(sequence, plan.from());
      if (source.closed()) {
        lose(sequence, false);
      } else {
        noteFailure(sequence, counts);
      }
    }
  }

  private void settle(Sequence sequence, int place) {
    sequence.place = place;
    sequence.movedNanos = nowNanos;
    sequence.status = placeOf(place).computes() ? SequenceStatus.RUNNING : SequenceStatus.SWAPPED;
    places[place].residents.addLast(sequence);
  }

  private void reject(Request request) {
    for (int i = 0; i < request.samples(); i++) {
      Sequence sequence = sequences.get(request.firstSequence() + i);
      if (sequence != null) {
        end(sequence);
      }
    }
  }

  private void cancel(int id) {
    affected.clear();
    Request request = requests.get(id);
    if (request == null) {
      return;
    }
    request.cancelled = true;
    for (int i = 0; i < request.samples(); i++) {
      Sequence sequence = sequences.get(request.firstSequence() + i);
      if (sequence != null && !sequence.pinned()) {
        affected.add(sequence);
      }
    }
  }

  private void finish(Sequence sequence, FinishReason reason) {
    lengths.observe(
        sequence.request().promptTokens(), sequence.outputTokens(), reason != FinishReason.STOP);
    end(sequence);
  }

  private void end(Sequence sequence) {
    if (sequence.status == SequenceStatus.WAITING) {
      queueOf(sequence).remove(sequence);
    } else {
      leave(sequence);
    }
    sequence.status = SequenceStatus.FINISHED;
    noteBound(sequence, -sequence.totalTokens);
    sequences.remove(sequence.id());
    Request request = sequence.request();
    if (--request.liveSequences == 0) {
      requests.remove(request.id());
      keptBlocks.release(request);
    }
  }

  /// Gives up the sequence's blocks and its place.
  private void leave(Sequence sequence) {
    if (sequence.pinned() || sequence.place == Sequence.NOWHERE) {
      throw new IllegalStateException(
          "sequence %d cannot leave place %d: %d steps or transfers use its blocks"
              .formatted(sequence.id(), sequence.place, sequence.pins));
    }
    Residence place = places[sequence.place];
    place.residents.remove(sequence);
    for (int b = sequence.table.size() - 1; b >= 0; b--) {
      place.pool.release(sequence.table.get(b));
    }
    sequence.table.clear();
    sequence.place = Sequence.NOWHERE;
  }

  private Place placeOf(int id) {
    return config().topology().place(id);
  }

  private TransferPlan takeTransfer(int transfer) {
    TransferPlan plan = transfers.get(transfer);
    if (plan == null) {
      throw new IllegalStateException("transfer %d is not under way".formatted(transfer));
    }
    transfers.remove(transfer);
    return plan;
  }

  private Sequence require(int id) {
    Sequence sequence = sequences.get(id);
    if (sequence == null) {
      throw new IllegalStateException("sequence %d is not live".formatted(id));
    }
    return sequence;
  }

  private Request requireRequest(int id) {
    Request request = requests.get(id);
    if (request == null) {
      throw new IllegalStateException("request %d is not live".formatted(id));
    }
    return request;
  }

  PrefixTree prefixes() {
    return prefixes;
  }

  // ------------------------------------------------------------------ hash

  /// A 64-bit hash of everything that future behaviour depends on, in defined order.
  public long hash() {
    return StateFingerprint.of(this);
  }
}
