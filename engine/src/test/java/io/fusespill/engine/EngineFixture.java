package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.codec.EventDecoder;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
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
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.policy.Decisions;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.policy.StepDraft;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Invariants;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Engines under test: [#given] describes one, [Run] drives it with inputs and compares its
/// decisions.
///
/// Registered as an extension, it checks every engine that a test has used: every invariant after
/// every event; in the end that the log folds to the live state, that each event survives its
/// bytes, and that a policy of ours decides the same again.
public final class EngineFixture implements AfterEachCallback {

  private final List<Run> runs = new ArrayList<>();

  public Given given() {
    return new Given();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    runs.forEach(Run::verify);
  }

  /// A topology with limits and a policy: one small device and roomy limits, unless a test says
  /// otherwise. All places are linked with each other until [#link] names the links.
  public final class Given {

    private final List<Place> places = new ArrayList<>();
    private final List<Link> links = new ArrayList<>();
    private int blockTokens = 4;
    private int maxNumSeqs = 8;
    private int maxNumBatchedTokens = 64;
    private int maxModelTokens = 64;
    private int maxAttempts = 3;
    private int checkpointEvents;
    private int maxStepsInFlight = 1;
    private String predictor = EngineConfig.NO_PREDICTOR;
    private List<StepCosts> costs = List.of();
    private PolicySpec spec = PolicySpec.of("continuous");
    private SchedulingPolicy policy;

    public Given blockTokens(int tokens) {
      blockTokens = tokens;
      return this;
    }

    public Given maxNumSeqs(int sequences) {
      maxNumSeqs = sequences;
      return this;
    }

    public Given maxNumBatchedTokens(int tokens) {
      maxNumBatchedTokens = tokens;
      return this;
    }

    public Given maxModelTokens(int tokens) {
      maxModelTokens = tokens;
      return this;
    }

    public Given maxAttempts(int attempts) {
      maxAttempts = attempts;
      return this;
    }

    public Given checkpointEvents(int events) {
      checkpointEvents = events;
      return this;
    }

    public Given maxStepsInFlight(int steps) {
      maxStepsInFlight = steps;
      return this;
    }

    public Given predictor(String name) {
      predictor = name;
      return this;
    }

    /// What steps are believed to cost, one a place.
    public Given costs(StepCosts... each) {
      costs = List.of(each);
      return this;
    }

    public Given device(int blocks) {
      places.add(Place.device(places.size(), "gpu" + places.size(), blocks));
      return this;
    }

    public Given host(int blocks) {
      places.add(Place.host(places.size(), "host" + places.size(), blocks));
      return this;
    }

    public Given attendingHost(int blocks) {
      places.add(Place.attendingHost(places.size(), "host" + places.size(), blocks));
      return this;
    }

    public Given disk(int blocks) {
      places.add(Place.disk(places.size(), "disk" + places.size(), blocks));
      return this;
    }

    public Given link(int from, int to) {
      return link(from, to, Link.OWN_CHANNEL);
    }

    public Given link(int from, int to, int channel) {
      links.add(new Link(from, to, 1_000_000, 0, channel));
      return this;
    }

    /// @param options name, value, name, value, …
    public Given policy(String name, String... options) {
      spec = PolicySpec.of(name);
      for (int i = 0; i < options.length; i += 2) {
        spec = spec.with(options[i], options[i + 1]);
      }
      return this;
    }

    public Given policy(SchedulingPolicy handWritten) {
      spec = PolicySpec.of("hand-written");
      policy = handWritten;
      return this;
    }

    /// No policy decides: the test does, with [Run#decides].
    public Given byHand() {
      return policy(new Hand());
    }

    public EngineConfig config() {
      if (places.isEmpty()) {
        device(16);
      }
      return new EngineConfig(
          new KvLayout(blockTokens, 1_024, 1),
          new EngineLimits(
              maxNumSeqs,
              maxNumBatchedTokens,
              maxModelTokens,
              maxAttempts,
              checkpointEvents,
              maxStepsInFlight),
          new Topology(places, links.isEmpty() ? allLinks() : links),
          spec,
          costs,
          predictor);
    }

    private List<Link> allLinks() {
      List<Link> all = new ArrayList<>();
      for (Place from : places) {
        for (Place to : places) {
          if (from != to) {
            all.add(new Link(from.id(), to.id(), 1_000_000, 0));
          }
        }
      }
      return all;
    }

    /// The engine, its run started at 0 ns.
    public Run start() {
      Run run = unstarted();
      run.accept(new RunStarted(0, "test", "digest", 0, run.config)).schedule();
      return run;
    }

    /// The engine before its first event.
    public Run unstarted() {
      EngineConfig config = config();
      Run run = new Run(config, policy);
      runs.add(run);
      return run;
    }
  }

  /// Does what the test gave it to do, once, and nothing else.
  private static final class Hand implements SchedulingPolicy {

    private BiConsumer<EngineView, Decisions> next = (view, decisions) -> {};

    @Override
    public Round schedule(EngineView view, int device, Decisions decisions) {
      BiConsumer<EngineView, Decisions> now = next;
      next = (v, d) -> {};
      now.accept(view, decisions);
      return Round.SETTLED;
    }
  }

  /// One engine at work: what arrives, ends or fails at an instant, [#then] what is decided at it.
  /// Time then moves on.
  public static final class Run {

    private static final long TICK_NANOS = 1_000;

    private final EngineConfig config;
    private final SchedulingPolicy handWritten;
    private final Engine engine;
    private final List<EngineEvent> log = new ArrayList<>();

    /// Inputs in order, and null where policies were asked.
    private final List<InputEvent> inputs = new ArrayList<>();

    /// Whether the test has decided something itself.
    private boolean byHand;

    private int seen;
    private long nowNanos;

    private Run(EngineConfig config, SchedulingPolicy handWritten) {
      this.config = config;
      this.handWritten = handWritten;
      this.engine =
          handWritten == null
              ? new Engine(config, this::append)
              : new Engine(config, handWritten, this::append);
    }

    private long append(EngineEvent event) {
      checkInvariants();
      log.add(event);
      return log.size() - 1;
    }

    private void checkInvariants() {
      if (state().started()) {
        List<String> violations = Invariants.violations(state());
        if (!violations.isEmpty()) {
          throw new AssertionError("after %d events: %s".formatted(log.size(), violations));
        }
      }
    }

    // ----------------------------------------------------------------- when

    /// The next inputs come at this time.
    public Run at(long nanos) {
      nowNanos = nanos;
      return this;
    }

    public Run arrives(int promptTokens, int maxOutputTokens) {
      return arrives(promptTokens, maxOutputTokens, 1);
    }

    public Run arrives(int promptTokens, int maxOutputTokens, int samples) {
      return arrives(promptTokens, maxOutputTokens, samples, 0);
    }

    /// A request of one sample whose output length somebody foretold.
    public Run arrivesForetold(int promptTokens, int outputTokens) {
      return arrives(promptTokens, outputTokens, 1, outputTokens);
    }

    /// A request of one sample whose prompt is these tokens.
    public Run arrivesWith(int maxOutputTokens, int... prompt) {
      return accept(
          new RequestArrived(
              nowNanos,
              state().nextRequest(),
              state().nextSequence(),
              1,
              prompt.length,
              maxOutputTokens,
              0,
              new Prompt(Ints.of(prompt), "")));
    }

    private Run arrives(int promptTokens, int maxOutputTokens, int samples, int hintTokens) {
      return accept(
          new RequestArrived(
              nowNanos,
              state().nextRequest(),
              state().nextSequence(),
              samples,
              promptTokens,
              maxOutputTokens,
              hintTokens));
    }

    public Run cancels(int request) {
      return accept(new RequestCancelled(nowNanos, request));
    }

    /// The oldest step in flight on `device` is done, and its newest token ended the sequences
    /// `ended`.
    public Run completes(int device, int... ended) {
      return accept(
          new StepCompleted(nowNanos, device, inFlight(device).step(), Ints.of(ended), Ints.EMPTY));
    }

    /// The oldest step in flight on `device` can sample no token for the sequence.
    public Run sequenceFails(int device, int sequence) {
      return accept(
          new SequenceFailed(nowNanos, device, inFlight(device).step(), sequence, "test"));
    }

    public Run fails(int device) {
      return accept(new StepFailed(nowNanos, device, inFlight(device).step(), "test"));
    }

    public Run transferCompletes(int transfer) {
      return accept(new TransferCompleted(nowNanos, transfer));
    }

    public Run transferFails(int transfer) {
      return accept(new TransferFailed(nowNanos, transfer, "test"));
    }

    /// The place is gone, and with it what is in flight there.
    public Run placeFails(int place) {
      accept(new PlaceFailed(nowNanos, place, "test"));
      while (state().stepsInFlight(place) > 0) {
        fails(place);
      }
      for (int id = state().firstTransfer(); id < state().nextTransfer(); id++) {
        TransferPlan plan = state().transferInFlight(id);
        if (plan != null && (plan.from() == place || plan.to() == place)) {
          transferFails(id);
        }
      }
      return this;
    }

    public Run placeRestored(int place) {
      return accept(new PlaceRestored(nowNanos, place));
    }

    public Run accept(InputEvent input) {
      engine.accept(input);
      checkInvariants();
      inputs.add(input);
      return this;
    }

    /// Decides by hand, in the place of the policy of device 0.
    public Run decides(BiConsumer<EngineView, Decisions> decision) {
      byHand = true;
      ((Hand) handWritten).next = decision;
      engine.round(0);
      checkInvariants();
      return this;
    }

    public Run admits(int... sequences) {
      return admitsOn(0, sequences);
    }

    public Run admitsOn(int device, int... sequences) {
      return decides((view, decisions) -> {
        for (int sequence : sequences) {
          decisions.admit(view.sequence(sequence), device);
        }
      });
    }

    public Run preempts(int sequence, PreemptionKind kind) {
      return decides((view, decisions) ->
          decisions.preempt(view.sequence(sequence), kind, PreemptionReason.OUT_OF_BLOCKS));
    }

    public Run transfers(int from, int to, TransferMode mode, int... sequences) {
      return decides((view, decisions) ->
          assertThat(decisions.transfer(from, to, mode, Ints.of(sequences))).isTrue());
    }

    /// @param entries sequence, new tokens, sequence, new tokens, …
    public Run steps(int device, int... entries) {
      return decides((view, decisions) -> step(view, decisions, device, entries));
    }

    /// Starts a step, for use inside [#decides].
    public static void step(EngineView view, Decisions decisions, int device, int... entries) {
      StepDraft draft = decisions.draft(device);
      for (int i = 0; i < entries.length; i += 2) {
        draft.add(view.sequence(entries[i]), entries[i + 1]);
      }
      decisions.start(draft, draft.tokens());
    }

    /// A step of `device` that decodes `sequences`, for which a host attends.
    public Run decodesRemotely(int device, int... sequences) {
      return decides((view, decisions) -> remoteStep(view, decisions, device, sequences));
    }

    /// Starts a step of remote entries alone, for use inside [#decides].
    public static void remoteStep(
        EngineView view, Decisions decisions, int device, int... sequences) {
      StepDraft draft = decisions.draft(device);
      for (int sequence : sequences) {
        draft.addRemote(view.sequence(sequence));
      }
      decisions.start(draft, draft.tokens());
    }

    /// Logs a checkpoint and returns its hash.
    public long checkpoints() {
      byHand = true;
      return engine.checkpoint();
    }

    /// Runs one step after the other on device 0 until nothing is in flight.
    public Run drains() {
      schedule();
      while (view().stepInFlight(0) != null) {
        nowNanos += TICK_NANOS;
        completes(0);
        schedule();
      }
      nowNanos += TICK_NANOS;
      seen = log.size();
      return this;
    }

    // ----------------------------------------------------------------- then

    /// Asks the policies and compares all decisions since the last comparison with `lines`, see
    /// [EventLines].
    public Run then(String... lines) {
      schedule();
      nowNanos += TICK_NANOS;
      assertThat(lines(log.subList(seen, log.size()))).containsExactly(lines);
      seen = log.size();
      return this;
    }

    /// Asks the policies; what they decide is not compared.
    public Run thenWhatever() {
      schedule();
      nowNanos += TICK_NANOS;
      seen = log.size();
      return this;
    }

    private void schedule() {
      inputs.add(null);
      engine.schedule();
      checkInvariants();
    }

    private static List<String> lines(List<EngineEvent> events) {
      List<String> lines = new ArrayList<>();
      for (EngineEvent event : events) {
        if (event instanceof DecisionEvent decision) {
          lines.add(EventLines.line(decision));
        }
      }
      return lines;
    }

    /// The input is refused with a message that contains `fragments`, and nothing has changed.
    public Run refuses(InputEvent input, String... fragments) {
      long hash = state().hash();
      int events = log.size();
      assertThatThrownBy(() -> engine.accept(input))
          .isExactlyInstanceOf(InputException.class)
          .hasMessageContainingAll(fragments);
      assertUnchanged(hash, events);
      return this;
    }

    /// The decision is refused with a message that contains `fragment`, and nothing has changed.
    public Run refusesDecision(String fragment, BiConsumer<EngineView, Decisions> decision) {
      long hash = state().hash();
      int events = log.size();
      assertThatThrownBy(() -> decides(decision))
          .isExactlyInstanceOf(IllegalStateException.class)
          .hasMessageContaining(fragment);
      assertUnchanged(hash, events);
      return this;
    }

    private void assertUnchanged(long hash, int events) {
      assertThat(log).as("the log").hasSize(events);
      assertThat(state().events()).as("events applied").isEqualTo(events);
      assertThat(state().hash()).as("the state's hash").isEqualTo(hash);
    }

    // ------------------------------------------------------------------ look

    public Engine engine() {
      return engine;
    }

    public EngineView view() {
      return engine.view();
    }

    public EngineState state() {
      return engine.state();
    }

    public List<EngineEvent> log() {
      return log;
    }

    /// All decisions so far, as lines.
    public List<String> lines() {
      return lines(log);
    }

    public Sequence sequence(int id) {
      return view().sequence(id);
    }

    public List<Integer> table(int sequence) {
      List<Integer> blocks = new ArrayList<>();
      for (int i = 0; i < sequence(sequence).table().size(); i++) {
        blocks.add(sequence(sequence).table().get(i));
      }
      return blocks;
    }

    public List<Integer> waiting() {
      return ids(view().waiting());
    }

    public List<Integer> residents(int place) {
      return ids(view().residents(place));
    }

    public int free(int place) {
      return view().pool(place).free();
    }

    private static List<Integer> ids(SequenceQueue queue) {
      List<Integer> ids = new ArrayList<>();
      for (int i = 0; i < queue.size(); i++) {
        ids.add(queue.get(i).id());
      }
      return ids;
    }

    private StepPlan inFlight(int device) {
      StepPlan plan = view().stepInFlight(device);
      assertThat(plan).as("step in flight on device %d", device).isNotNull();
      return plan;
    }

    // ---------------------------------------------------------------- verify

    void verify() {
      checkInvariants();
      logFoldsToState();
      logSurvivesItsBytes();
      if (handWritten == null && !byHand) {
        sameInputsLeadToTheSameDecisions();
      }
    }

    private void logFoldsToState() {
      EngineState folded = new EngineState();
      log.forEach(folded::apply);
      assertThat(folded.hash()).as("hash of the folded log").isEqualTo(state().hash());
      assertThat(folded.events()).isEqualTo(state().events());
    }

    private void logSurvivesItsBytes() {
      EventEncoder encoder = new EventEncoder();
      EventDecoder decoder = new EventDecoder();
      List<EngineEvent> decoded = new ArrayList<>();
      for (int position = 0; position < log.size(); position++) {
        int length = encoder.encode(position, log.get(position));
        decoded.add(decoder.decode(position, encoder.bytes(), length));
      }
      assertThat(decoded).isEqualTo(log);
    }

    private void sameInputsLeadToTheSameDecisions() {
      List<EngineEvent> again = new ArrayList<>();
      Engine twin =
          new Engine(
              config,
              PolicyKind.create(config),
              event -> {
                again.add(event);
                return again.size() - 1;
              });
      for (InputEvent input : inputs) {
        if (input == null) {
          twin.schedule();
        } else {
          twin.accept(input);
        }
      }
      assertThat(again).isEqualTo(log);
    }
  }
}
