package io.fusespill.replay.whatif;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.InputException;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Invariants;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.Verifier;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.DiskSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.SeededRandom;
import io.fusespill.traces.TraceRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Branches off runs under pressure: what they share with the run, and that what follows is what
/// whoever took over decides.
class BranchTest {

  private static final int POSITIONS = 10;
  private static final int REQUESTS = 60;

  /// Tokens of a prompt that have one id.
  private static final int PART = 16;

  /// A run to branch off.
  private record Run(ResolvedScenario scenario, List<EngineEvent> events, List<Arrival> arrivals) {}

  static Stream<String> bases() {
    return Stream.of(
        "vllm-0.2.7 swap",
        "vllm-0.2.7 least-loaded",
        "continuous",
        "continuous least-loaded",
        "continuous prefix-caching",
        "fusespill",
        "fusespill-artifact");
  }

  @ParameterizedTest
  @MethodSource("bases")
  void samePolicy_goesOnAsTheRunDidBesideTheRecordOfTheChange(String base) {
    Run run = run(base);
    for (long position : positions(run)) {
      List<EngineEvent> branch = branch(run, position, run.scenario().config());
      int at = changeIn(branch);
      List<EngineEvent> rest = new ArrayList<>(branch);
      rest.remove(at);
      assertThat(rest).as("%s from %d", base, position).isEqualTo(run.events());
    }
  }

  @ParameterizedTest
  @MethodSource("bases")
  void everyPolicy_sharesThePrefixIsVerifiedAndServesAll(String base) {
    Run run = run(base);
    boolean takenBack = false;
    for (long position : positions(run)) {
      for (String other : bases().toList()) {
        String name = "%s from %d under %s".formatted(base, position, other);
        List<EngineEvent> branch = branch(run, position, changed(run, other));
        int at = changeIn(branch);
        assertThat((long) at).as(name).isGreaterThan(position);
        assertThat(bytes(branch.subList(0, at)))
            .as(name)
            .isEqualTo(bytes(run.events().subList(0, at)));
        assertSound(branch, name);
        takenBack |=
            branch.stream()
                .anyMatch(event ->
                    event instanceof SequencePreempted preempted
                        && preempted.reason() == PreemptionReason.POLICY_CHANGED);
      }
    }
    boolean swaps = List.of("vllm-0.2.7 swap", "fusespill", "fusespill-artifact").contains(base);
    assertThat(takenBack || !swaps).as("nothing was taken over").isTrue();
  }

  @Test
  void prefixCaching_switchedInTheMiddleOfARun_findsBlocksWhileItIsOn() {
    for (boolean on : new boolean[] {true, false}) {
      Run run = run(on ? "continuous" : "continuous prefix-caching");
      long middle = run.events().size() / 2;
      List<EngineEvent> branch =
          branch(run, middle, changed(run, on ? "continuous prefix-caching" : "continuous"));
      int at = changeIn(branch);
      assertThat(keptBlocks(branch.subList(0, at)) > 0).as("before").isEqualTo(!on);
      assertThat(keptBlocks(branch.subList(at, branch.size())) > 0).as("after").isEqualTo(on);
    }
  }

  private static int keptBlocks(List<EngineEvent> events) {
    return events.stream()
        .mapToInt(event -> event instanceof SequenceAdmitted admitted ? admitted.keptBlocks() : 0)
        .sum();
  }

  /// The prefix ends at an input: what was decided then is decided anew.
  @Test
  void branchOffAnInput_leavesNothingOfThatInstantsDecisions() {
    Run run = run("fusespill");
    int position = firstAfter(run.events(), run.events().size() / 2, StepCompleted.class);
    List<EngineEvent> branch = branch(run, position, changed(run, "continuous"));
    Prefix prefix = prefixOf(run, position);
    assertThat(prefix.endsWithDecisions()).isFalse();
    assertThat(branch.get((int) prefix.last() + 1)).isInstanceOf(ConfigurationChanged.class);
    assertThat(branch.subList((int) prefix.last() + 1, branch.size()))
        .noneMatch(TransferPlanned.class::isInstance);
  }

  @Test
  void branchOffADecision_keepsTheOthersOfThatInstant() {
    Run run = run("fusespill");
    int position = firstAfter(run.events(), run.events().size() / 2, TransferPlanned.class);
    Prefix prefix = prefixOf(run, position);
    assertThat(prefix.endsWithDecisions()).isTrue();
    EngineEvent next = run.events().get((int) prefix.last() + 1);
    assertThat(next.atNanos()).isGreaterThan(run.events().get(position).atNanos());
    assertThat(prefix.beforeDecisions()).isLessThan(position);
  }

  @Test
  void forgedChange_isFoundByVerify() {
    Run run = run("fusespill");
    List<EngineEvent> branch = branch(run, 500, changed(run, "continuous"));
    int at = changeIn(branch);
    ConfigurationChanged honest = (ConfigurationChanged) branch.get(at);
    branch.set(
        at,
        new ConfigurationChanged(honest.atNanos(), honest.configDigest(), run.scenario().config()));
    assertThat(verify(branch).divergence()).isPresent();
  }

  @Test
  void branchOffABranch_sharesBoth() {
    Run run = run("vllm-0.2.7 swap");
    List<EngineEvent> first = branch(run, 400, changed(run, "fusespill"));
    Run again = new Run(run.scenario(), first, run.arrivals());
    List<EngineEvent> second = branch(again, 900, changed(run, "continuous"));
    assertThat(second.stream().filter(ConfigurationChanged.class::isInstance)).hasSize(2);
    assertThat(second.subList(0, 900)).isEqualTo(first.subList(0, 900));
    assertSound(second, "a branch of a branch");
  }

  @Test
  void changeThatCannotBe_isRefused() {
    Run run = run("continuous");
    EngineConfig config = run.scenario().config();
    EngineLimits limits = config.limits();
    EngineLimits longer =
        new EngineLimits(limits.maxNumSeqs(), limits.maxNumBatchedTokens(), 1_000, 10, 0, 1);
    EngineLimits fewer =
        new EngineLimits(1, limits.maxNumBatchedTokens(), limits.maxModelTokens(), 10, 0, 1);
    for (EngineLimits other : List.of(longer, fewer)) {
      EngineConfig changed =
          new EngineConfig(
              config.kv(), other, config.topology(), config.policy(), config.costs(), "none");
      assertThatThrownBy(() -> branch(run, 700, changed)).isInstanceOf(InputException.class);
    }
    EngineConfig oracle =
        new EngineConfig(
            config.kv(), limits, config.topology(), config.policy(), config.costs(), "oracle");
    assertThatThrownBy(() -> branch(run, 700, oracle))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("true lengths");
  }

  // -------------------------------------------------------------- fixture

  private static List<Long> positions(Run run) {
    SeededRandom random = new SeededRandom(7, "positions");
    List<Long> positions = new ArrayList<>(List.of(0L));
    for (int i = 1; i < POSITIONS; i++) {
      positions.add((long) random.nextInt(1, run.events().size() - 2));
    }
    return positions;
  }

  private static Prefix prefixOf(Run run, long position) {
    Prefix prefix = new Prefix(position);
    for (int at = 0; at < run.events().size(); at++) {
      if (!prefix.shares(at, run.events().get(at))) {
        break;
      }
    }
    return prefix;
  }

  private static List<EngineEvent> branch(Run run, long position, EngineConfig config) {
    List<EngineEvent> events = new ArrayList<>();
    Simulation simulation =
        Simulation.ofArrivals(
            run.scenario().setup(),
            run.arrivals().iterator(),
            event -> {
              events.add(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {});
    Prefix prefix = new Prefix(position);
    for (int at = 0; at < run.events().size(); at++) {
      if (!prefix.shares(at, run.events().get(at))) {
        break;
      }
      simulation.replay(run.events().get(at));
    }
    simulation.branch(new ConfigurationChanged(prefix.lastNanos(), "changed", config));
    return events;
  }

  private static int changeIn(List<EngineEvent> branch) {
    for (int at = 0; at < branch.size(); at++) {
      if (branch.get(at) instanceof ConfigurationChanged) {
        return at;
      }
    }
    throw new AssertionError("no change is recorded");
  }

  private static int firstAfter(
      List<EngineEvent> events, int from, Class<? extends EngineEvent> type) {
    for (int at = from; at < events.size(); at++) {
      if (type.isInstance(events.get(at))) {
        return at;
      }
    }
    throw new AssertionError("no " + type.getSimpleName() + " behind " + from);
  }

  /// Whatever takes over, with the limits that it wants, in the memory and machine of the run.
  private static EngineConfig changed(Run run, String name) {
    EngineConfig config = run.scenario().config();
    EngineConfig other = scenario(name).config();
    String predictor = other.predictor().equals("oracle") ? "kaplan-meier" : other.predictor();
    return new EngineConfig(
        config.kv(), other.limits(), config.topology(), other.policy(), other.costs(), predictor);
  }

  private static void assertSound(List<EngineEvent> events, String name) {
    Verifier verifier = verify(events);
    assertThat(verifier.divergence()).as(name).isEmpty();
    assertThat(verifier.cutOff()).as(name).isFalse();
    EngineState state = new EngineState();
    RunMetrics metrics = new RunMetrics(new Latencies(outcome -> {}));
    for (EngineEvent event : events) {
      state.apply(event);
      metrics.accept(event);
      if (state.events() % 97 == 0 || event instanceof ConfigurationChanged) {
        Invariants.check(state);
      }
    }
    Invariants.check(state);
    assertThat(metrics.completed() + metrics.cancelled() + metrics.rejected() + metrics.failed())
        .as(name)
        .isEqualTo(REQUESTS);
    state
        .config()
        .topology()
        .places()
        .forEach(
            place -> assertThat(state.pool(place.id()).free()).as(name).isEqualTo(place.blocks()));
  }

  private static Verifier verify(List<EngineEvent> events) {
    Verifier verifier = new Verifier();
    EventEncoder encoder = new EventEncoder();
    for (int position = 0; position < events.size(); position++) {
      int length = encoder.encode(position, events.get(position));
      if (!verifier.accept(position, events.get(position), encoder.bytes(), length)) {
        break;
      }
    }
    return verifier;
  }

  private static List<String> bytes(List<EngineEvent> events) {
    EventEncoder encoder = new EventEncoder();
    List<String> records = new ArrayList<>();
    for (int position = 0; position < events.size(); position++) {
      int length = encoder.encode(position, events.get(position));
      records.add(new String(encoder.bytes(), 0, length, StandardCharsets.ISO_8859_1));
    }
    return records;
  }

  private static Run run(String name) {
    ResolvedScenario scenario = scenario(name);
    SeededRandom random = new SeededRandom(3, "requests");
    List<TraceRequest> requests = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      int prompt = random.nextInt(10, 300);
      requests.add(
          new TraceRequest(
              i * 20_000_000L, prompt, random.nextInt(5, 150), 0, PART, parts(prompt, i)));
    }
    List<EngineEvent> events = new ArrayList<>();
    RecordedRequests recorded = new RecordedRequests();
    new Simulation(
            scenario.setup(),
            requests.iterator(),
            event -> {
              events.add(event);
              recorded.accept(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {})
        .run();
    return new Run(scenario, events, recorded.arrivals(Map.of()));
  }

  /// Four conversations in turn, each of which goes on where it begins.
  private static long[] parts(int prompt, int request) {
    return LongStream.range(0, (prompt + PART - 1) / PART)
        .map(part -> 100 * (request % 4) + part)
        .toArray();
  }

  /// Two small devices before a smaller host and a disk; some steps and copies fail, some requests
  /// are given up.
  private static ResolvedScenario scenario(String name) {
    String[] words = name.split(" ");
    PolicySpec policy = PolicySpec.of(words[0]);
    for (int i = 1; i < words.length; i++) {
      policy =
          switch (words[i]) {
            case "swap" -> policy.with("preemption", "swap");
            case "prefix-caching" -> policy.with("prefix-caching", "true");
            default -> policy.with("routing", words[i]);
          };
    }
    boolean artifact = words[0].equals(PolicyKind.FUSESPILL_ARTIFACT.label());
    return new Scenario(
            "vicuna-7b",
            new Machine(
                    List.of(DeviceSpec.parse("a10:blocks=60")),
                    List.of(DeviceSpec.parse("a10:blocks=50")),
                    "pcie4",
                    0.5,
                    artifact ? null : "xeon-8358p",
                    DiskSpec.parse("2"),
                    null)
                .topology(),
            policy,
            new Scenario.Limits(0, 0, 0, 0, 100),
            Scenario.Serving.DEFAULT,
            "roofline",
            new Faults(5_000, 20_000, 100_000, 2_000_000_000L),
            words[0].equals("fusespill") ? 2 : 1,
            11,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }
}
