package io.fusespill.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.state.BlockPool;
import io.fusespill.engine.state.EngineState;
import io.fusespill.replay.BlockMap.Use;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.DiskSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.Simulation;
import io.fusespill.traces.TraceRequest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Maps of pools, held against what the pools count themselves.
class BlockMapTest {

  /// At every position of a run with samples, copies, failures, a host and a disk.
  @ParameterizedTest
  @CsvSource({
    "vllm-0.2.7,preemption,swap,2",
    "continuous,reserve-prompt,true,3",
    "fusespill,handling,cost,1",
    "fusespill,handling,swap,2"
  })
  void map_countsWhatThePoolCounts(String policy, String option, String value, int samples) {
    EngineState state = new EngineState();
    Set<Use> seen = EnumSet.noneOf(Use.class);
    for (EngineEvent event : run(PolicySpec.of(policy).with(option, value), samples)) {
      state.apply(event);
      for (Place place : state.config().topology().places()) {
        BlockPool pool = state.pool(place.id());
        BlockMap map = BlockMap.of(state, place.id());
        String at = "%s at position %d".formatted(place.name(), state.events() - 1);
        assertThat(map.size()).as(at).isEqualTo(pool.total());
        assertThat(map.count(Use.FREE)).as(at).isEqualTo(pool.free());
        assertThat(map.count(Use.LEAVING)).as(at).isEqualTo(pool.leaving());
        assertThat(map.count(Use.HELD) + map.count(Use.ARRIVING))
            .as(at)
            .isEqualTo(pool.allocated());
        int blocks = 0;
        for (BlockMap.Run run : map.runs()) {
          assertThat(run.first()).as(at).isEqualTo(blocks);
          assertThat(run.sequences().isEmpty()).as(at).isEqualTo(run.use() == Use.FREE);
          blocks += run.count();
          seen.add(run.use());
        }
        assertThat(blocks).as(at).isEqualTo(pool.total());
      }
    }
    assertThat(seen).contains(Use.FREE, Use.HELD);
    assertThat(seen.contains(Use.ARRIVING)).isEqualTo(policy.equals("fusespill"));
    assertThat(seen.contains(Use.LEAVING)).isEqualTo(!policy.equals("continuous"));
  }

  @ParameterizedTest
  @CsvSource({"vllm-0.2.7,preemption,swap,1", "fusespill,handling,cost,1"})
  void inspection_saysWhenWhatIsInFlightWasPlanned(
      String policy, String option, String value, int samples) {
    Inspection inspection = new Inspection();
    List<EngineEvent> events = run(PolicySpec.of(policy).with(option, value), samples);
    int inFlight = 0;
    for (EngineEvent event : events) {
      inspection.accept(event);
      if (inspection.state().events() % 50 != 0) {
        continue;
      }
      JsonNode json = inspection.toJson();
      List<JsonNode> planned = new ArrayList<>();
      json.get("places").forEach(place -> place.path("steps_in_flight").forEach(planned::add));
      json.get("transfers").forEach(planned::add);
      for (JsonNode each : planned) {
        inFlight++;
        EngineEvent plan = events.get(each.get("planned_position").asInt());
        assertThat(plan.atNanos()).isEqualTo(each.get("planned_nanos").asLong());
        assertThat(plan.getClass().getSimpleName())
            .isEqualTo(each.has("step") ? "StepPlanned" : "TransferPlanned");
      }
    }
    assertThat(inFlight).isPositive();
  }

  private static List<EngineEvent> run(PolicySpec policy, int samples) {
    ResolvedScenario scenario =
        new Scenario(
                "vicuna-7b",
                new Machine(
                        List.of(DeviceSpec.parse("a10:blocks=40")),
                        List.of(),
                        "pcie4",
                        0.3,
                        null,
                        DiskSpec.parse("1"),
                        null)
                    .topology(),
                policy,
                new Scenario.Limits(0, 0, 0, 0, 0),
                Scenario.Serving.DEFAULT,
                "roofline",
                new Faults(5_000, 20_000, 50_000, 1_000_000_000L),
                samples,
                1,
                JsonNodeFactory.instance.objectNode())
            .resolve();
    List<TraceRequest> requests = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      requests.add(new TraceRequest(i * 9_000_000L, 20 + 37 * i % 150, 10 + 23 * i % 90));
    }
    List<EngineEvent> events = new ArrayList<>();
    new Simulation(
            scenario.setup(),
            requests.iterator(),
            event -> {
              events.add(event);
              return events.size() - 1;
            },
            (arrived, live, now) -> {})
        .run();
    return events;
  }
}
