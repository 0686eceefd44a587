package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.sim.cost.FeatureRange;
import io.fusespill.sim.cost.FitErrors;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.FittedSegment;
import io.fusespill.sim.cost.FittedTerm;
import io.fusespill.sim.cost.StepFeature;
import io.fusespill.sim.cost.StepKind;
import io.fusespill.sim.cost.StepShape;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.ProfileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Scenarios on what a fitted profile of a live run was measured on.
class CalibratedMachineTest {

  private static final FitErrors ERRORS = new FitErrors(40, 1, 1, 1, 0);
  private static final long BLOCK_BYTES = 8L << 20;

  @TempDir private Path folder;
  private String profile = "";

  @BeforeEach
  void writeProfile() throws IOException {
    FeatureRange bytes = new FeatureRange(1, 1L << 40);
    FittedProfile fitted =
        new FittedProfile(
            "live",
            "Vicuna-7B",
            16,
            BLOCK_BYTES,
            "a test",
            SubmitLatency.NONE,
            0,
            List.of(place("host", "host:threads=4", 5e6), place("cuda-0", "NVIDIA H200", 2e6)),
            List.of(
                new FittedLink("host", "memory", 0, 1, bytes, ERRORS),
                new FittedLink("memory", "host", 0, 2, bytes, ERRORS),
                new FittedLink("cuda-0", "memory", 0, 3, bytes, ERRORS),
                new FittedLink("memory", "cuda-0", 0, 4, bytes, ERRORS)));
    profile = Files.writeString(folder.resolve("live.json"), fitted.toJson()).toString();
  }

  private static FittedPlace place(String name, String hardware, double nanos) {
    FittedTerm term =
        new FittedTerm(
            "layers",
            StepKind.ALL,
            StepFeature.COMPUTED_TOKENS,
            List.of(new FittedSegment(Long.MAX_VALUE, nanos, Map.of())));
    return new FittedPlace(
        name,
        hardware,
        false,
        Map.of(StepFeature.COMPUTED_TOKENS, new FeatureRange(1, 2048)),
        List.of(term),
        null,
        ERRORS,
        List.of());
  }

  private static ResolvedScenario scenario(String device, String timeModel) {
    return new Scenario(
            "vicuna-7b",
            List.of(DeviceSpec.parse(device)),
            "pcie4",
            4,
            new PolicySpec("fusespill", new TreeMap<>()),
            new Scenario.Limits(0, 0, 0, 0, 0),
            timeModel,
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }

  private static long stepNanos(ResolvedScenario scenario) {
    return scenario.world().models().getFirst().nanos(new StepShape(1, 16, 0, 0, 0, 1, 1));
  }

  @Test
  void coresOfAHost_haveTheNamesTimesAndBlocksOfALiveRun() {
    ResolvedScenario scenario = scenario("host:threads=4,blocks=60", profile);

    assertThat(scenario.config().topology().places())
        .extracting(Place::name, Place::blocks)
        .containsExactly(tuple("host", 60), tuple("memory", 512));
    assertThat(scenario.config().kv().blockBytes()).isEqualTo(BLOCK_BYTES);
    assertThat(scenario.description().path("places").path(0).path("hardware").asText())
        .isEqualTo("host:threads=4");
    assertThat(stepNanos(scenario)).isEqualTo(5_000_000);
    assertThat(scenario.world().transfers())
        .extracting(FittedLink::from, FittedLink::to, FittedLink::nanosPerByte)
        .containsExactly(tuple("host", "memory", 1.0), tuple("memory", "host", 2.0));
  }

  /// The card's memory comes from its profile, its times from the live run, whatever that called
  /// it.
  @Test
  void card_hasTheTimesOfItsDriversName() {
    ResolvedScenario scenario = scenario("h200", profile);

    assertThat(scenario.config().topology().place(0).name()).isEqualTo("h200");
    assertThat(stepNanos(scenario)).isEqualTo(2_000_000);
    assertThat(scenario.world().transfers())
        .extracting(FittedLink::from, FittedLink::to, FittedLink::nanosPerByte)
        .containsExactlyInAnyOrder(tuple("h200", "host", 3.0), tuple("host", "h200", 4.0));
    assertThat(stepNanos(scenario("NVIDIA H200:blocks=9", profile))).isEqualTo(2_000_000);
  }

  @Test
  void whatNobodyKnows_isAskedFor() {
    assertThatThrownBy(() -> scenario("host:threads=4", profile))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("give its KV blocks, for example host:threads=4,blocks=500");
    assertThatThrownBy(() -> scenario("host:threads=4,blocks=60", "roofline"))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("with --time-model");
    assertThatThrownBy(() -> scenario("host:threads=2,blocks=60", profile))
        .hasMessageContaining("fitted to host:threads=4 and NVIDIA H200, Vicuna-7B")
        .hasMessageContaining("this run is host:threads=2");
    assertThatThrownBy(() -> scenario("h2000:blocks=9", "roofline"))
        .hasMessageContaining("unknown hardware \"h2000\"; did you mean h200");
  }
}
