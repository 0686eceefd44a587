package io.fusespill.replay.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.whatif.RecordedRequests;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.World;
import io.fusespill.sim.calibrate.StepFit;
import io.fusespill.sim.calibrate.StepSample;
import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FitErrors;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepCost;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.traces.SeededRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/// Runs in a world of known times with noise: what their logs tell, and how near a simulation with
/// the fitted times comes to other runs in that world.
class CalibrationTest {

  private static final SubmitLatency SUBMIT = new SubmitLatency(400_000, 5_000);
  private static final FeatureRange RANGE = new FeatureRange(1, 1 << 30);
  private static final FitErrors ERRORS = new FitErrors(10, 0, 0, 0, 0);

  /// The device of a machine whose steps take what `nanos` says, give or take.
  private record Noisy(double fixed, double perToken, double perContext, SeededRandom random)
      implements StepTimeModel {

    @Override
    public long nanos(StepShape shape) {
      double exact =
          Math.max(fixed, perToken * shape.computedTokens())
              + perContext * shape.decodeContextTokens()
              + 0.3 * shape.prefillContextPairs();
      return Math.max(1, (long) (exact * (1 + 0.02 * random.nextNormal())));
    }

    @Override
    public StepCost breakdown(StepShape shape) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void fit_onePlace_foretellsARunOfOtherRequestsPoolAndPolicy() {
    Measurements measurements = new Measurements();
    run(scenario("fusespill", 600, 0, 1), arrivals(1, 250, 3), measurements::accept);

    FittedProfile profile = fit(measurements);

    assertThat(profile.places().getFirst().errors().meanPercent()).isLessThan(3);
    for (String policy : List.of("continuous", "fusespill", "vllm-0.2.7")) {
      ResolvedScenario other = scenario(policy, 450, 0);
      List<EngineEvent> events = new ArrayList<>();
      RunReport live = run(other, arrivals(2, 400, 2.5), events::add);
      Resimulation simulated = resimulate(profile, events);

      assertThat(simulated.extrapolatedSteps()).isLessThan(simulated.steps() / 10);
      for (String figure :
          List.of(
              "output_throughput", "mean_ttft_ms", "mean_tpot_ms", "mean_e2el_ms", "p90_e2el_ms")) {
        assertThat(number(simulated.report(), figure))
            .as("%s under %s", figure, policy)
            .isCloseTo(number(live, figure), Percentage.withPercentage(3));
      }
    }
  }

  /// Each place has times of its own. Which request goes to which is up to nanoseconds, so figures
  /// of two such runs differ by more than their times do.
  @Test
  void fit_twoPlaces_tellsThemApart() {
    Measurements measurements = new Measurements();
    run(scenario("fusespill", 500, 300, 1), arrivals(1, 250, 4), measurements::accept);

    FittedProfile profile = fit(measurements);

    assertThat(profile.places()).hasSize(2);
    StepShape shape = new StepShape(12, 4_000, 0, 0, 0, 12, 12);
    for (int place = 0; place < 2; place++) {
      assertThat((double) new FittedModel(profile.places().get(place)).nanos(shape))
          .isCloseTo(
              place == 0 ? 22e6 + 4_000 * 1_000 : 45e6 + 4_000 * 2_200,
              Percentage.withPercentage(1));
    }
    assertThat((double) profile.submitLatency().of(12))
        .isCloseTo(SUBMIT.of(12), Percentage.withPercentage(1));
  }

  @Test
  void fit_transfersBetweenPlaces_findsTheirRates() {
    Measurements measurements = new Measurements();
    ResolvedScenario scenario = scenario("fusespill", 400, 250);
    run(scenario, arrivals(1, 250, 5), measurements::accept);

    FittedProfile profile = fit(measurements);

    assertThat(profile.links()).isNotEmpty();
    for (FittedLink link : profile.links()) {
      // What a link of the scenario's kind takes for a GiB.
      double expected = (1L << 30) / 25e9 * 1e9;
      assertThat((double) link.nanos(1L << 30, 64))
          .as(link.from() + " to " + link.to())
          .isCloseTo(expected, Percentage.withPercentage(10));
    }
  }

  @Test
  void fit_hardlyAnyTransfers_namesTheLinksThatItLeavesOut() {
    Measurements measurements = new Measurements();
    int[] transfers = {0};
    run(
        scenario("fusespill", 400, 0),
        arrivals(1, 250, 5),
        event -> {
          if (transfers[0] < 7) {
            measurements.accept(event);
          }
          transfers[0] += event instanceof TransferCompleted ? 1 : 0;
        });

    assertThat(fit(measurements).links()).isEmpty();
    assertThat(measurements.linksLeftOut()).containsKey("a10 > host");
    assertThat(measurements.linksLeftOut().values().stream().mapToInt(each -> each).sum())
        .isEqualTo(7);
  }

  @Test
  void fit_hardlyAnyStepsOfOnePlace_namesIt() {
    Measurements measurements = new Measurements();
    int[] steps = {0};
    run(
        scenario("fusespill", 500, 300, 1),
        arrivals(1, 250, 4),
        event -> {
          if (steps[0] < 25) {
            measurements.accept(event);
          }
          steps[0] += event instanceof StepCompleted done && done.device() == 1 ? 1 : 0;
        });

    assertThat(fit(measurements).places()).extracting(FittedPlace::place).containsExactly("a10");
    assertThat(measurements.placesLeftOut()).containsExactly(entry("aux-a10", 25));
  }

  /// Copies that found their link idle took longer, by what passes before it begins, than those
  /// that waited behind another.
  @Test
  void fit_transfersThatQueueAndOthers_findsWhatPassesBeforeALinkBegins() {
    Measurements measurements = new Measurements();
    List<FittedLink> links =
        List.of(
            new FittedLink("a10", "host", 3e6, 0.05, RANGE, ERRORS),
            new FittedLink("host", "a10", 5e6, 0.04, RANGE, ERRORS));
    run(scenario("fusespill", 300, 0), arrivals(1, 250, 5), links, measurements::accept);

    FittedProfile profile = fit(measurements);

    assertThat(profile.links()).hasSize(2);
    for (int i = 0; i < 2; i++) {
      FittedLink link = profile.links().get(i);
      assertThat(link.latencyNanos())
          .isCloseTo(links.get(i).latencyNanos(), Percentage.withPercentage(5));
      assertThat(link.nanosPerByte())
          .isCloseTo(links.get(i).nanosPerByte(), Percentage.withPercentage(2));
    }
  }

  /// Where no device tells how long it worked, the time since the step before is taken.
  @Test
  void fit_devicesThatDoNotTell_comesToTheSameTimes() {
    Measurements telling = new Measurements();
    Measurements silent = new Measurements();
    run(
        scenario("continuous", 500, 300),
        arrivals(1, 200, 4),
        event -> {
          telling.accept(event);
          silent.accept(
              event instanceof StepCompleted done
                  ? new StepCompleted(
                      done.atNanos(),
                      done.device(),
                      done.step(),
                      done.ended(),
                      done.sampledTokens())
                  : event);
        });
    FittedProfile told = fit(telling);
    FittedProfile spanned = fit(silent);

    assertThat(spanned.submitLatency().isNone()).isTrue();
    StepShape shape = new StepShape(20, 8_000, 0, 0, 0, 20, 20);
    assertThat((double) new FittedModel(spanned.places().getFirst()).nanos(shape))
        .isCloseTo(
            new FittedModel(told.places().getFirst()).nanos(shape) + SUBMIT.of(20),
            Percentage.withPercentage(1));
  }

  @Test
  void fit_hardlyAnySteps_saysHowManyAreNeeded() {
    Measurements measurements = new Measurements();
    run(
        scenario("continuous", 500, 300),
        List.of(new Arrival(0, 10, 1, Arrival.NO_MAXIMUM, 0, 5, Arrival.NEVER)),
        measurements::accept);

    assertThatThrownBy(() -> fit(measurements))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("5 measured steps, must be at least 40 on one place");
  }

  /// The run has few sequences and the base is 10 % too fast: many sequences come out as the base's
  /// shape at the run's level. Under one step at a time nothing waits in a queue, and no copy is
  /// made.
  @Test
  void fit_overABase_takesItsShapeAtTheRunsLevel() {
    Measurements many = new Measurements();
    run(scenario("fusespill", 900, 0), arrivals(1, 300, 4), many::accept);
    FittedProfile known = fit(many);
    FittedLink link = new FittedLink("a10", "host", 10_000, 0.02, RANGE, ERRORS);
    FittedProfile fast =
        new FittedProfile(
            "fast",
            known.model(),
            known.blockTokens(),
            known.blockBytes(),
            "a test",
            SubmitLatency.ofNanos(SUBMIT.nanos() / 4),
            7_000,
            known.places().stream().map(place -> place.stretched(0.9)).toList(),
            List.of(link));
    Measurements few = new Measurements();
    run(scenario("continuous", 90, 0, 1), arrivals(2, 150, 1), few::accept);
    List<StepShape> shapes = new ArrayList<>();
    for (int decodes = 1; decodes <= 30; decodes++) {
      for (int context = 100; context <= 600; context += 100) {
        shapes.add(new StepShape(decodes, (long) decodes * context, 0, 0, 0, decodes, decodes));
      }
    }

    FittedProfile refined =
        few.fit("refined", "vicuna-7b", "a test", true, place -> "a10", new Base(fast, shapes));

    FittedModel model = new FittedModel(refined.places().getFirst());
    for (int decodes : new int[] {2, 12, 25}) {
      StepShape shape = new StepShape(decodes, decodes * 300L, 0, 0, 0, decodes, decodes);
      assertThat((double) model.nanos(shape))
          .as("%d decodes", decodes)
          .isCloseTo(22e6 + decodes * 300_000, Percentage.withPercentage(2));
    }
    assertThat(refined.queuedNanos()).isEqualTo(7_000);
    assertThat((double) refined.submitLatency().of(12))
        .isCloseTo(SUBMIT.of(12), Percentage.withPercentage(3));
    assertThat(refined.links())
        .singleElement()
        .satisfies(each ->
            assertThat(each.latencyNanos())
                .isCloseTo(
                    10_000 + SUBMIT.of(32) - SUBMIT.nanos() / 4.0, Percentage.withPercentage(4)));
  }

  /// The run has decodes and large prompts beside them, which take three quarters of what the base
  /// says: small ones beside decodes, of which it has none, are as the base says.
  @Test
  void refined_stepsOfOneKind_leaveOthersAlone() {
    List<StepSample> grid = new ArrayList<>();
    List<StepSample> measured = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      int decodes = 1 + i % 40;
      grid.add(sample(decodes, 0, 1));
      grid.add(sample(decodes, 16 + 16 * (i % 30), 1));
      grid.add(sample(decodes, 520 + 40 * (i % 37), 1));
      measured.add(sample(decodes, 0, 1));
      if (i % 5 == 0) {
        measured.add(sample(decodes, 520 + 40 * (i % 37), 0.75));
      }
    }
    FittedProfile known =
        new FittedProfile(
            "known",
            "vicuna-7b",
            16,
            0,
            "a test",
            SubmitLatency.NONE,
            0,
            List.of(StepFit.of("gpu", "h200", false, grid)),
            List.of());
    Base base = new Base(known, grid.stream().map(StepSample::shape).toList());

    FittedModel refined =
        new FittedModel(base.refined("gpu", "h200", "vicuna-7b", 16, false, measured));

    assertThat((double) refined.nanos(sample(20, 0, 1).shape()))
        .isCloseTo(sample(20, 0, 1).nanos(), Percentage.withPercentage(2));
    assertThat((double) refined.nanos(sample(20, 64, 1).shape()))
        .isCloseTo(sample(20, 64, 1).nanos(), Percentage.withPercentage(3));
    assertThat((double) refined.nanos(sample(20, 1_000, 1).shape()))
        .isCloseTo(sample(20, 1_000, 0.75).nanos(), Percentage.withPercentage(5));
  }

  /// The run's decodes are 3 % faster than the profile says, which errs by as much: that tells
  /// nothing of prompts. Were they 30 % faster, it would.
  @Test
  void refined_levelWithinTheProfilesError_leavesOtherKindsAlone() {
    SeededRandom random = new SeededRandom(5, "grid");
    List<StepSample> grid = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      int tokens = i % 2 == 0 ? 0 : 80 + 16 * (i % 10);
      grid.add(sample(1 + i % 40, tokens, 1 + 0.04 * random.nextNormal()));
    }
    FittedProfile known =
        new FittedProfile(
            "known",
            "vicuna-7b",
            16,
            0,
            "a test",
            SubmitLatency.NONE,
            0,
            List.of(StepFit.of("gpu", "h200", false, grid)),
            List.of());
    Base base = new Base(known, grid.stream().map(StepSample::shape).toList());
    double error = known.places().getFirst().errors().meanPercent();
    assertThat(error).isBetween(3.0, 5.0);
    StepSample prompt = sample(20, 160, 1);

    for (double level : new double[] {0.97, 0.7}) {
      List<StepSample> decodes = new ArrayList<>();
      for (int i = 0; i < 4_000; i++) {
        decodes.add(sample(1 + i % 40, 0, level));
      }
      FittedModel refined =
          new FittedModel(base.refined("gpu", "h200", "vicuna-7b", 16, false, decodes));
      assertThat((double) refined.nanos(prompt.shape()) / prompt.nanos())
          .as("decodes at %s", level)
          .isCloseTo(level < 0.9 ? level : 1, within(0.014));
    }
  }

  /// Weights are read in 4 ms, which hides the arithmetic of 200 tokens.
  private static StepSample sample(int decodes, int prompt, double level) {
    long context = 300L * decodes;
    int tokens = decodes + prompt;
    StepShape shape =
        new StepShape(
            decodes,
            context,
            prompt > 0 ? 1 : 0,
            prompt,
            StepShape.pairs(0, prompt),
            tokens,
            decodes);
    double nanos = Math.max(4e6, 20e3 * tokens) + 120 * context + 2e3 * prompt;
    return new StepSample(shape, Math.round(level * nanos));
  }

  private static FittedProfile fit(Measurements measurements) {
    return measurements.fit("test", "vicuna-7b", "a test", true, place -> "a10");
  }

  private static double number(RunReport report, String figure) {
    return ((Number) report.figures().get(figure)).doubleValue();
  }

  private static Resimulation resimulate(FittedProfile profile, List<EngineEvent> events) {
    RecordedRequests requests = new RecordedRequests();
    events.forEach(requests::accept);
    RunStarted start = (RunStarted) events.getFirst();
    List<FittedModel> models = new ArrayList<>();
    start
        .config()
        .topology()
        .places()
        .forEach(place ->
            models.add(
                place.computes()
                    ? new FittedModel(profile.place(place.name(), "a10", "vicuna-7b", 16))
                    : models.getFirst()));
    return Resimulation.of(
        start,
        models,
        profile.links(),
        profile.submitLatency(),
        requests.arrivals(Map.of()),
        (arrived, live, now) -> {});
  }

  /// @param auxiliaryBlocks 0 for no second device
  private static ResolvedScenario scenario(String policy, int blocks, int auxiliaryBlocks) {
    return scenario(policy, blocks, auxiliaryBlocks, 0);
  }

  /// @param depth steps queued at most, 0 for the policy's own; only at 1 does every step answer
  private static ResolvedScenario scenario(
      String policy, int blocks, int auxiliaryBlocks, int depth) {
    return new Scenario(
            "vicuna-7b",
            new Machine(
                    List.of(DeviceSpec.parse("a10:blocks=" + blocks)),
                    auxiliaryBlocks == 0
                        ? List.of()
                        : List.of(DeviceSpec.parse("a10:blocks=" + auxiliaryBlocks)),
                    "pcie4",
                    8,
                    null,
                    null,
                    null)
                .topology(),
            new PolicySpec(policy, new TreeMap<>()),
            new Scenario.Limits(16, 0, 0, 2_048, 0),
            new Scenario.Serving("", depth, SUBMIT.nanos()),
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }

  private static List<Arrival> arrivals(long seed, int requests, double rate) {
    SeededRandom random = new SeededRandom(seed, "arrivals");
    List<Arrival> arrivals = new ArrayList<>();
    double seconds = 0;
    for (int i = 0; i < requests; i++) {
      seconds += -StrictMath.log(1 - random.nextDouble()) / rate;
      arrivals.add(
          new Arrival(
              Math.round(seconds * 1e9),
              random.nextInt(10, 700),
              1,
              Arrival.NO_MAXIMUM,
              0,
              random.nextInt(1, 300),
              Arrival.NEVER));
    }
    return arrivals;
  }

  private static RunReport run(
      ResolvedScenario scenario, List<Arrival> arrivals, Consumer<EngineEvent> listener) {
    return run(scenario, arrivals, List.of(), listener);
  }

  private static RunReport run(
      ResolvedScenario scenario,
      List<Arrival> arrivals,
      List<FittedLink> links,
      Consumer<EngineEvent> listener) {
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    int places = scenario.config().topology().places().size();
    List<StepTimeModel> models = new ArrayList<>();
    for (int place = 0; place < places; place++) {
      models.add(
          new Noisy(
              place == 0 ? 22e6 : 45e6,
              place == 0 ? 180e3 : 400e3,
              place == 0 ? 1_000 : 2_200,
              new SeededRandom(place, "noise")));
    }
    World world =
        new World(
            models,
            Collections.nCopies(places, null),
            links,
            SUBMIT,
            Faults.NONE,
            scenario.world().policies());
    long[] position = {0};
    Simulation.ofArrivals(
            new Simulation.Setup(scenario.setup().start(), world, 1),
            arrivals.iterator(),
            event -> {
              metrics.accept(event);
              listener.accept(event);
              return position[0]++;
            },
            (arrived, live, now) -> {})
        .run();
    return new RunReport(metrics, latencies);
  }
}
