package io.fusespill.replay.whatif;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.sim.Arrival;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Simulation;
import io.fusespill.sim.World;
import io.fusespill.sim.cost.RooflineModel;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Requests taken from a log: what it tells of them, and what has to be taken instead.
class RecordedRequestsTest {

  private static final long SECOND = 1_000_000_000L;
  private static final long NEVER = Arrival.NEVER;

  /// On a device of 20 blocks, 64 tokens a sequence at most: a request that ends, two samples of
  /// one that ends at its first token, one given up at once, one cut by its client and one by the
  /// model, one whose prompt is too long.
  private static final List<Arrival> ARRIVALS =
      List.of(
          new Arrival(0, 20, 1, Arrival.NO_MAXIMUM, 7, 12, NEVER),
          new Arrival(5, 10, 2, Arrival.NO_MAXIMUM, 0, 1, NEVER),
          new Arrival(5, 30, 1, Arrival.NO_MAXIMUM, 0, 9, 1),
          new Arrival(SECOND, 10, 1, 6, 0, 50, NEVER),
          new Arrival(2 * SECOND, 20, 1, Arrival.NO_MAXIMUM, 0, 500, NEVER),
          new Arrival(2 * SECOND, 90, 1, Arrival.NO_MAXIMUM, 3, 5, NEVER));

  @Test
  void log_tellsArrivalsLimitsHintsAndPatience() {
    List<Arrival> recorded = recorded(record(ARRIVALS)).arrivals(Map.of());
    assertThat(recorded).hasSameSizeAs(ARRIVALS);
    for (int i = 0; i < ARRIVALS.size(); i++) {
      Arrival original = ARRIVALS.get(i);
      Arrival again = recorded.get(i);
      assertThat(again)
          .isEqualTo(
              new Arrival(
                  original.atNanos(),
                  original.promptTokens(),
                  original.samples(),
                  original.maxOutputTokens(),
                  original.declaredOutputTokens(),
                  again.outputTokens(),
                  original.cancelledAfterNanos()));
    }
  }

  @Test
  void length_isKnownWhereItsEndWasSeenAndAssumedElsewhere() {
    RecordedRequests requests = recorded(record(ARRIVALS));
    List<Integer> lengths =
        requests.arrivals(Map.of()).stream().map(Arrival::outputTokens).toList();
    int endless = RecordedRequests.ENDLESS;
    assertThat(lengths).containsExactly(12, 1, endless, endless, endless, 12);
    assertThat(requests.assumed()).isEqualTo(4);
    assertThat(requests.typicalTokens()).isEqualTo(12);
  }

  @Test
  void lengthsBesideTheLog_takeThePlaceOfWhatWouldBeAssumed() {
    Map<Integer, LengthsCsv.Lengths> known = new TreeMap<>();
    for (int i = 0; i < ARRIVALS.size(); i++) {
      known.put(
          i,
          new LengthsCsv.Lengths(
              ARRIVALS.get(i).outputTokens(), ARRIVALS.get(i).declaredOutputTokens()));
    }
    RecordedRequests requests = recorded(record(ARRIVALS));
    assertThat(requests.arrivals(known)).isEqualTo(ARRIVALS);
    assertThat(requests.assumed()).isZero();
  }

  @Test
  void arrivalsOfTheLogAlone_makeTheSameLogAgain() {
    List<EngineEvent> events = record(ARRIVALS);
    assertThat(record(recorded(events).arrivals(Map.of()))).isEqualTo(events);
  }

  /// An executor that runs models knows a sequence's end by its tokens, and a step that was queued
  /// before that was known computes one more.
  @Test
  void stepQueuedBehindTheLastOne_addsNoTokenToItsSequences() {
    List<EngineEvent> events = record(ARRIVALS, 3);
    Map<Long, StepPlan> plans = new TreeMap<>();
    BitSet ended = new BitSet();
    List<EngineEvent> again = new ArrayList<>();
    int wasted = 0;
    for (EngineEvent event : events) {
      if (event instanceof StepPlanned planned) {
        plans.put(planned.plan().step(), planned.plan());
      }
      if (event instanceof StepCompleted done) {
        int[] once = done.ended().toArray();
        int[] more =
            Arrays.stream(plans.get(done.step()).sequences().toArray())
                .filter(ended::get)
                .toArray();
        int[] told = IntStream.concat(Arrays.stream(once), Arrays.stream(more)).toArray();
        Arrays.stream(once).forEach(ended::set);
        wasted += more.length;
        again.add(
            new StepCompleted(
                done.atNanos(), done.device(), done.step(), Ints.of(told), done.sampledTokens()));
      } else {
        again.add(event);
      }
    }
    assertThat(wasted).isGreaterThan(1);
    assertThat(recorded(again).arrivals(Map.of())).isEqualTo(recorded(events).arrivals(Map.of()));
  }

  private static RecordedRequests recorded(List<EngineEvent> events) {
    RecordedRequests requests = new RecordedRequests();
    events.forEach(requests::accept);
    return requests;
  }

  private static List<EngineEvent> record(List<Arrival> arrivals) {
    return record(arrivals, 1);
  }

  private static List<EngineEvent> record(List<Arrival> arrivals, int stepsInFlight) {
    EngineConfig config =
        new EngineConfig(
            new KvLayout(16, 8 << 20, 1),
            new EngineLimits(16, 64, 64, 3, 0, stepsInFlight),
            new Topology(List.of(Place.device(0, "gpu", 20)), List.of()),
            PolicySpec.of("continuous"));
    RooflineModel model =
        new RooflineModel(HardwareProfiles.named("a10"), ModelProfiles.named("vicuna-7b"), 16);
    List<EngineEvent> events = new ArrayList<>();
    Simulation.ofArrivals(
            new Simulation.Setup(
                new RunStarted(0, "test", "", 5, config),
                new World(List.of(model), Faults.NONE),
                1),
            arrivals.iterator(),
            event -> {
              events.add(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {})
        .run();
    return events;
  }
}
