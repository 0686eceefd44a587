package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

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
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.TransferFailed;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.state.BlockTable;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Invariants;
import io.fusespill.engine.state.Sequence;
import io.fusespill.replay.explain.HandlingSummary;
import io.fusespill.replay.explain.Stories;
import io.fusespill.replay.explain.Story;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.World;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.traces.TraceRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Whole runs from a seed: random topology, limits, policy, workload and faults.
///
/// Safety: every invariant holds after every event, and every event survives its own bytes.
/// Liveness: every request ends and every block comes back. Determinism: the log re-decides byte
/// for byte, and folds to the live state.
///
/// More seeds: `./mvnw -pl replay -am test -Dtest=SimulationFuzzTest
/// -Dsurefire.failIfNoSpecifiedTests=false -Dfuzz.seeds=20000`. One policy alone:
/// `-Dfuzz.policy=continuous`.
class SimulationFuzzTest {

  private static final int SEEDS =
      Integer.getInteger("fuzz.seeds", System.getProperty("fuzz.seed") == null ? 400 : 1);
  private static final long FIRST_SEED = Long.getLong("fuzz.seed", 0);
  private static final @Nullable String POLICY = System.getProperty("fuzz.policy");
  private static final long SECOND = 1_000_000_000L;

  /// Moves of one sequence that policy fusespill may choose, whatever its length, and for each
  /// thousand steps that it takes part in.
  private static final int MOVES_FREE = 4;

  private static final int MOVES_PER_THOUSAND_STEPS = 100;

  @Test
  void everySeed_isSafeLiveAndDeterministic() {
    long events =
        LongStream.range(FIRST_SEED, FIRST_SEED + SEEDS).map(seed -> new Case(seed).run()).sum();
    assertThat(events).isGreaterThan(100L * SEEDS);
    System.out.printf(
        "%d seeds from %d on, %d events, no invariant broken%n", SEEDS, FIRST_SEED, events);
  }

  /// One seed's run.
  private static final class Case {

    private final long seed;
    private final Dice dice;
    private final EngineConfig config;
    private final Function<EngineConfig, SchedulingPolicy> policies;
    private final List<TraceRequest> workload;
    private final Faults faults;
    private final int samples;
    private final int hashTokens;
    private final List<EngineEvent> events = new ArrayList<>();
    private long eventsMax;

    Case(long seed) {
      this.seed = seed;
      dice = new Dice(seed, "fuzz");
      boolean chaos = dice.below(2) == 0 && POLICY == null;
      PolicyKind drawn = PolicyKind.values()[dice.below(PolicyKind.values().length)];
      config = config(chaos ? null : POLICY == null ? drawn : PolicyKind.named(POLICY));
      policies = chaos ? c -> new ChaosPolicy(seed, SECOND * (1 + seed % 3)) : PolicyKind::create;
      hashTokens = 1 + dice.below(24);
      workload = workload();
      samples = dice.below(3) == 0 ? 1 + dice.below(3) : 1;
      int often = dice.below(3) * 20_000;
      faults = new Faults(often, 2 * often, often, SECOND);
    }

    /// @param kind null for chaos
    private EngineConfig config(@Nullable PolicyKind kind) {
      boolean chaos = kind == null;
      int blockTokens = 1 << dice.below(5);
      int seats = 1 + dice.below(12);
      int batched = seats + dice.below(200);
      int modelTokens = 10 + dice.below(200);
      EngineLimits limits =
          new EngineLimits(
              seats,
              batched,
              modelTokens,
              1 + dice.below(5),
              dice.below(2) * 50,
              kind == PolicyKind.VLLM_0_2_7 ? 1 : 1 + dice.below(8));
      boolean spills = chaos || kind == PolicyKind.FUSESPILL;
      Topology topology =
          kind == PolicyKind.FUSESPILL_ARTIFACT ? pair(blockTokens) : topology(spills, blockTokens);
      return new EngineConfig(
          new KvLayout(blockTokens, 1 + dice.below(1_000_000), 1 + dice.below(64)),
          limits,
          topology,
          chaos
              ? PolicySpec.of("chaos").with("prefix-caching", anyOf("true", "false"))
              : policy(kind, topology),
          costs(topology),
          PredictorKind.values()[dice.below(PredictorKind.values().length)].label());
    }

    private Topology topology(boolean chaos, int blockTokens) {
      List<Place> places = new ArrayList<>();
      int devices = 1 + dice.below(3);
      for (int id = 0; id < devices; id++) {
        places.add(Place.device(id, "gpu" + id, 1 + dice.below(400 / blockTokens)));
      }
      if (dice.below(3) > 0) {
        int blocks = dice.below(400 / blockTokens);
        places.add(
            chaos && dice.below(2) == 0
                ? Place.attendingHost(places.size(), "host", blocks)
                : Place.host(places.size(), "host", blocks));
      }
      if (chaos && dice.below(2) == 0) {
        places.add(Place.disk(places.size(), "disk", dice.below(400)));
      }
      List<Link> links = new ArrayList<>();
      Dice shared = new Dice(seed, "channels");
      int channels = shared.below(2) * shared.below(4);
      int used = 0;
      for (Place from : places) {
        for (Place to : places) {
          if (from != to && (!chaos || dice.below(4) > 0)) {
            int channel = Math.min(used, shared.below(channels + 1) - 1);
            used = Math.max(used, channel + 1);
            links.add(
                new Link(
                    from.id(),
                    to.id(),
                    1 + dice.below(1_000_000_000),
                    dice.below(10_000),
                    channel));
          }
        }
      }
      return new Topology(places, links);
    }

    /// A main device, perhaps with an auxiliary one, which it reaches through the host or directly.
    private Topology pair(int blockTokens) {
      List<Place> places = new ArrayList<>();
      List<Link> links = new ArrayList<>();
      int devices = 1 + dice.below(4) / 2;
      boolean direct = devices == 2 && dice.below(3) == 0;
      for (int id = 0; id < devices; id++) {
        places.add(Place.device(id, "gpu" + id, 1 + dice.below(400 / blockTokens)));
      }
      if (!direct || dice.below(2) == 0) {
        places.add(Place.host(devices, "host", dice.below(800 / blockTokens)));
      }
      for (Place from : places) {
        for (Place to : places) {
          boolean peers = from.computes() && to.computes();
          if (from != to && (direct || !peers)) {
            links.add(
                new Link(from.id(), to.id(), 1 + dice.below(1_000_000_000), dice.below(10_000)));
          }
        }
      }
      return new Topology(places, links);
    }

    private List<StepCosts> costs(Topology topology) {
      return topology.places().stream()
          .map(place ->
              new StepCosts(
                  dice.below(1_000_000),
                  dice.below(2_000_000),
                  dice.below(50_000_000),
                  dice.below(100_000),
                  dice.below(1_000_000),
                  dice.below(5_000_000),
                  dice.below(5_000_000),
                  dice.below(10_000),
                  dice.below(1_000_000)))
          .toList();
    }

    private String anyOf(String... values) {
      return values[dice.below(values.length)];
    }

    private PolicySpec policy(PolicyKind kind, Topology topology) {
      PolicySpec spec = PolicySpec.of(kind.label());
      return switch (kind) {
        case VLLM_0_2_7 -> {
          String last = topology.swapHost(0) >= 0 && allSwap(topology) ? "swap" : "auto";
          yield spec.with("preemption", List.of("auto", "recompute", last).get(dice.below(3)))
              .with("watermark", List.of("0", "0.01", "0.2").get(dice.below(3)))
              .with("max-paddings", String.valueOf(dice.below(300)))
              .with("routing", anyOf("shared", "least-loaded"));
        }
        case CONTINUOUS -> {
          boolean chunked = dice.below(4) > 0;
          int threshold = chunked && dice.below(2) == 0 ? 8 + dice.below(40) : 0;
          yield spec.with("chunked-prefill", String.valueOf(chunked))
              .with("reserve-prompt", String.valueOf(dice.below(2) == 0))
              .with("long-prefill-threshold", String.valueOf(threshold))
              .with("prefix-caching", anyOf("true", "true", "false"))
              .with("routing", anyOf("shared", "least-loaded"));
        }
        case FUSESPILL ->
            spec.with(
                    "victims",
                    anyOf(
                        "cost",
                        "newest",
                        "oldest_last",
                        "least_computed",
                        "most_remaining",
                        "least_remaining",
                        "remaining_per_token"))
                .with("handling", anyOf("cost", "cost", "recompute", "swap"))
                .with("attention", anyOf("true", "true", "false"))
                .with("offload", anyOf("true", "false"))
                .with("proactive", anyOf("true", "true", "false"))
                .with("admission", anyOf("greedy", "watermark", "predicted"))
                .with("prefix-caching", anyOf("true", "false"))
                .with("prefill-budget", anyOf("0", "0", "7", "100"))
                .with("horizon", anyOf("1", "8", "64"))
                .with("hysteresis", anyOf("0", "50", "1000"));
        case FUSESPILL_ARTIFACT ->
            spec.with("spill-share", anyOf("0", "0.2", "0.45"))
                .with("offload-share", anyOf("0", "0.28", "0.5"))
                .with("auxiliary-watermarks", anyOf("0", "1", "6"))
                .with("watermark", anyOf("0", "0.01", "0.1"))
                .with("max-paddings", String.valueOf(dice.below(300)));
      };
    }

    private static boolean allSwap(Topology topology) {
      return topology.places().stream()
          .filter(Place::computes)
          .allMatch(place -> topology.swapHost(place.id()) >= 0);
    }

    private List<TraceRequest> workload() {
      List<TraceRequest> requests = new ArrayList<>();
      long arrival = 0;
      for (int i = 1 + dice.below(40); i > 0; i--) {
        arrival += dice.below(3) == 0 ? 0 : dice.below(200_000_000);
        requests.add(beginning(new TraceRequest(arrival, 1 + dice.below(100), 1 + dice.below(60))));
      }
      return requests;
    }

    /// The request with a prompt that begins as some others do, as far as chance says.
    private TraceRequest beginning(TraceRequest request) {
      int each = hashTokens;
      long[] hashes = new long[Math.ceilDiv(request.promptTokens(), each)];
      long family = dice.below(3);
      int common = dice.below(3) == 0 ? hashes.length : dice.below(hashes.length + 1);
      for (int i = 0; i < hashes.length; i++) {
        hashes[i] = i < common ? 1_000 * family + i : 1_000_000 + dice.below(1_000_000);
      }
      return new TraceRequest(
          request.arrivalNanos(), request.promptTokens(), request.outputTokens(), 0, each, hashes);
    }

    /// Returns the number of events.
    long run() {
      try {
        simulate();
        verify();
        return events.size();
      } catch (RuntimeException | AssertionError e) {
        if (Boolean.getBoolean("fuzz.dump")) {
          events.forEach(System.out::println);
        }
        throw new AssertionError(
            """
            seed %d failed after %d events: %s
            %s
            reproduce: ./mvnw -pl replay -am test -Dtest=SimulationFuzzTest -Dsurefire.failIfNoSpecifiedTests=false -Dfuzz.seed=%d%s\
            """
                .formatted(
                    seed,
                    events.size(),
                    e.getMessage(),
                    this,
                    seed,
                    POLICY == null ? "" : " -Dfuzz.policy=" + POLICY),
            e);
      }
    }

    private void simulate() {
      List<StepTimeModel> models =
          Collections.nCopies(config.topology().places().size(), new UnevenTime());
      RunStarted start = new RunStarted(0, "fuzz", "", seed, config);
      Checker checker = new Checker();
      SubmitLatency submits =
          dice.below(2) == 0
              ? SubmitLatency.NONE
              : new SubmitLatency(300_000, dice.below(2) * 7_000);
      Simulation simulation =
          new Simulation(
              new Simulation.Setup(
                  start, new World(models, attention(), submits, faults, policies), samples),
              workload.iterator(),
              checker::append,
              (arrived, live, now) -> {});
      checker.state = simulation.state();
      eventsMax = 3_000L * workload.size() * samples + 10_000;
      simulation.run();
      Invariants.check(simulation.state());
      if (config.policy().name().equals(PolicyKind.FUSESPILL.label())) {
        movesAreBounded();
      }
      everythingEnded(simulation.state());
    }

    private List<@Nullable HostAttentionModel> attention() {
      HostAttentionModel model =
          new HostAttentionModel(
              HardwareProfiles.named("xeon-8358p"),
              LinkProfiles.named("pcie4"),
              1,
              ModelProfiles.named("qwen3-0.6b"));
      List<@Nullable HostAttentionModel> attention = new ArrayList<>();
      config.topology().places().forEach(place -> attention.add(place.attends() ? model : null));
      return attention;
    }

    /// No policy keeps moving a sequence to and fro: transfers that came to their end and
    /// recomputes that it chose, not what a fault undid or made necessary.
    private void movesAreBounded() {
      Map<Integer, Integer> moves = new TreeMap<>();
      Map<Integer, Integer> steps = new TreeMap<>();
      Set<Integer> failed = new TreeSet<>();
      for (EngineEvent event : events) {
        if (event instanceof TransferFailed transfer) {
          failed.add(transfer.transfer());
        }
      }
      for (EngineEvent event : events) {
        if (event instanceof TransferPlanned transfer) {
          if (!failed.contains(transfer.plan().transfer())) {
            count(moves, transfer.plan().sequences());
          }
        } else if (event instanceof StepPlanned step) {
          count(steps, step.plan().sequences());
        } else if (event instanceof SequencePreempted preempted
            && preempted.kind() == PreemptionKind.RECOMPUTE
            && preempted.reason() != PreemptionReason.STEP_FAILED) {
          count(moves, Ints.of(preempted.sequence()));
        }
      }
      moves.forEach((sequence, count) ->
          assertThat(count)
              .as("moves of sequence %d", sequence)
              .isLessThanOrEqualTo(
                  MOVES_FREE + MOVES_PER_THOUSAND_STEPS * steps.getOrDefault(sequence, 0) / 1_000));
    }

    private static void count(Map<Integer, Integer> counts, Ints sequences) {
      for (int sequence : sequences.toArray()) {
        counts.merge(sequence, 1, Integer::sum);
      }
    }

    private void everythingEnded(EngineState state) {
      assertThat(state.liveRequests()).isZero();
      for (Place place : config.topology().places()) {
        assertThat(state.pool(place.id()).free())
            .as("free blocks of " + place)
            .isEqualTo(place.blocks());
      }
      List<RequestOutcome> outcomes = new ArrayList<>();
      RunMetrics metrics = new RunMetrics(new Latencies(outcomes::add));
      events.forEach(metrics::accept);
      assertThat(metrics.arrived()).isEqualTo(workload.size());
      assertThat(metrics.completed() + metrics.rejected() + metrics.cancelled() + metrics.failed())
          .isEqualTo(metrics.arrived());
      explain(metrics, outcomes.get(outcomes.size() / 2));
    }

    private void explain(RunMetrics metrics, RequestOutcome outcome) {
      HandlingSummary summary = new HandlingSummary(3);
      Stories stories = Stories.ofRequest(outcome.request());
      for (int position = 0; position < events.size(); position++) {
        summary.accept(position, events.get(position));
        stories.accept(position, events.get(position));
      }
      assertThat(summary.choices())
          .isEqualTo(Arrays.stream(Handling.values()).mapToLong(metrics::handlings).sum());
      assertThat(stories.stories()).hasSize(outcome.samples()).allMatch(Story::ended);
      assertThat(stories.stories().stream().mapToInt(Story::outputTokens).sum())
          .isEqualTo(outcome.outputTokens());
      ToLongFunction<Story> span =
          outcome.ending() == RequestOutcome.Ending.COMPLETED ? Story::e2eNanos : Story::totalNanos;
      assertThat(stories.stories().stream().mapToLong(span).max())
          .hasValue(outcome.endNanos() - outcome.arrivalNanos());
    }

    private void verify() {
      Verifier verifier = new Verifier(policies);
      EventEncoder encoder = new EventEncoder();
      for (int position = 0; position < events.size(); position++) {
        int length = encoder.encode(position, events.get(position));
        assertThat(verifier.accept(position, events.get(position), encoder.bytes(), length))
            .as("re-decided at %d: %s", position, verifier.divergence())
            .isTrue();
      }
      EngineState folded = new EngineState();
      events.forEach(folded::apply);
      assertThat(verifier.stateHash()).isEqualTo(folded.hash());
      assertThat(verifier.cutOff()).isFalse();
    }

    @Override
    public String toString() {
      return "%s %s, %d requests, %d samples".formatted(config, faults, workload.size(), samples);
    }

    /// The log: before it takes an event it checks the state that the event before led to.
    private final class Checker {

      private final EventEncoder encoder = new EventEncoder();
      private final EventDecoder decoder = new EventDecoder();
      private EngineState state = new EngineState();
      private final BlockUseChecker blocks =
          new BlockUseChecker(
              config.kv().blockTokens(), config.policy().cachesPrefixes(), this::table, this::lost);

      private boolean lost(int sequence) {
        Sequence live = state.sequence(sequence);
        return live != null && live.lost();
      }

      private BlockTable table(int sequence) {
        return state.sequence(sequence).table();
      }

      long append(EngineEvent event) {
        if (state.started()) {
          Invariants.check(state);
        }
        int length = encoder.encode(events.size(), event);
        assertThat(decoder.decode(events.size(), encoder.bytes(), length)).isEqualTo(event);
        events.add(event);
        blocks.accept(event);
        assertThat((long) events.size()).as("events: a livelock?").isLessThan(eventsMax);
        return events.size() - 1;
      }
    }
  }

  /// Step times that make steps of different devices end in every order.
  private static final class UnevenTime implements StepTimeModel {

    @Override
    public long nanos(StepShape shape) {
      return 1_000_000 + 37_000L * shape.computedTokens() + 1_300L * shape.decodeContextTokens();
    }

    @Override
    public StepCost breakdown(StepShape shape) {
      long kv = 1_300L * shape.decodeContextTokens();
      return new StepCost(0, kv, 0, 0, 0, 0, 0, 0, nanos(shape) - kv, false);
    }
  }
}
