package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// From a run to a profile, and from that to another run.
class CalibrateCommandTest {

  @TempDir Path folder;

  private Path run;
  private Path other;

  @BeforeEach
  void simulateTwoRuns() {
    run = simulate("run", "1", "fusespill", "900");
    other = simulate("other", "2", "continuous", "800");
  }

  private Path simulate(String name, String seed, String policy, String blocks) {
    Path trace = folder.resolve(name + ".csv");
    Path out = folder.resolve(name);
    assertThat(
            Cli.run(
                    "trace",
                    "generate",
                    "--lengths",
                    "sharegpt",
                    "--max-total",
                    "1500",
                    "-n",
                    "150",
                    "--rate",
                    "4",
                    "--seed",
                    seed,
                    "-o",
                    trace)
                .exitCode())
        .isZero();
    Cli cli =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=" + blocks,
            "--policy",
            policy,
            "--submit-latency",
            "300",
            "--out",
            out);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return out;
  }

  @Test
  void underscores_areHyphens() {
    Path profile = folder.resolve("p.json");
    Cli calibrated = Cli.run("calibrate", run, "-o", profile, "--block_size", "16", "--quiet");
    assertThat(calibrated.exitCode()).as(calibrated.err()).isZero();
    Cli compared = Cli.run("compare", run, "--own_speed", "--quiet");
    assertThat(compared.exitCode()).as(compared.err()).isZero();
  }

  @Test
  void calibrate_run_foretellsAnother() {
    Path profile = folder.resolve("p.json");

    Cli calibrated = Cli.run("calibrate", run, "-o", profile);

    assertThat(calibrated.exitCode()).as(calibrated.err()).isZero();
    assertThat(calibrated.out())
        .contains("held-out steps", "9 to 32 decodes", "bias %", "wrote " + profile, "a10 > host");
    FittedPlace place = FittedProfile.read(profile).places().getFirst();
    assertThat(place.errors().meanPercent()).isLessThan(2);
    assertThat(place.padded()).as("of simulated devices").isTrue();

    JsonNode compared =
        Cli.run(
                "compare",
                other,
                "--profile",
                profile,
                "--json",
                "--within",
                "throughput=1,latency=3")
            .json();

    assertThat(compared.path("beyond")).as(compared.toString()).isEmpty();
    assertThat(compared.path("figures").path("output_throughput").path("live").asDouble())
        .isPositive();
    assertThat(compared.path("times").asText()).contains("p.json", "steps");
  }

  @Test
  void calibrate_aRunOfFewCopies_namesTheLinksThatItLeavesOut() {
    Path few = simulate("few", "1", "fusespill", "2200");

    Cli calibrated = Cli.run("calibrate", few, "-o", folder.resolve("p.json"));

    assertThat(calibrated.exitCode()).as(calibrated.err()).isZero();
    assertThat(calibrated.errorLines())
        .singleElement()
        .asString()
        .contains("a10 > host (4), host > a10 (4)", "must be at least 10 a link");
  }

  @Test
  void calibrate_aLiveProfileBySimulatedRuns_isRefused() throws IOException {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);
    Path live = folder.resolve("live.json");
    Files.writeString(
        live,
        Files.readString(profile)
            .replace("\"hardware\" : \"a10\",", "\"hardware\" : \"a10\", \"padded\" : false,"));

    Cli cli = Cli.run("calibrate", other, "--base", live, "-o", folder.resolve("q.json"));

    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err())
        .contains("live.json is of a model that ran and the runs are of simulated devices");
    Cli simulated = Cli.run("calibrate", other, "--base", profile, "-o", folder.resolve("q.json"));
    assertThat(simulated.exitCode()).as(simulated.err()).isZero();
  }

  /// What a profile was fitted to, `simulate` takes as its step times.
  @Test
  void simulate_withTheProfile_comesNearTheRun() {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);

    JsonNode again =
        Cli.run(
                "simulate",
                "--trace",
                folder.resolve("run.csv"),
                "--model",
                "vicuna-7b",
                "--device",
                "a10:blocks=900",
                "--policy",
                "fusespill",
                "--time-model",
                profile,
                "--journal",
                "none",
                "--json")
            .json();

    JsonNode live = RunDirectory.summaryOf(run);
    assertThat(
            again.path("output_throughput").asDouble() / live.path("output_throughput").asDouble())
        .isBetween(0.99, 1.01);
  }

  @Test
  void compare_withoutAProfile_saysThatTheFitIsOfTheRunItself() {
    Cli cli = Cli.run("compare", run);

    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .contains("fitted to this very run", "error %", "p99 E2E, ms", "swapped-out blocks");
  }

  @Test
  void compare_beyondTheBound_endsWith1AndNamesTheFigure() throws IOException {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);
    Path slow = folder.resolve("slow.json");
    Files.writeString(
        slow,
        Files.readString(profile).replaceFirst("\"interceptNanos\" : ", "\"interceptNanos\" : 9"));

    Cli cli = Cli.run("compare", other, "--profile", slow, "--within", "latency=5");

    assertThat(cli.exitCode()).isEqualTo(1);
    assertThat(cli.out()).contains("mean TPOT, ms is off by ", "must be within 5.0 %");
  }

  @Test
  void compare_withASpread_tellsBetweenWhichFiguresSimulationsLie() {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);

    JsonNode end =
        Cli.run("compare", other, "--profile", profile, "--json", "--spread", 3)
            .json()
            .path("figures")
            .path("mean_e2el_ms");
    Cli printed = Cli.run("compare", other, "--profile", profile, "--spread", 2);

    double least = end.path("spread").path("least").asDouble();
    double median = end.path("spread").path("median").asDouble();
    double greatest = end.path("spread").path("greatest").asDouble();
    // The middle one of three has the profile's own times.
    assertThat(end.path("simulated").asDouble()).isIn(least, median, greatest);
    assertThat(least).isPositive().isLessThan(greatest);
    assertThat(median).isBetween(least, greatest);
    assertThat(printed.out())
        .containsPattern("error % +least +median +greatest")
        .contains("of 2 more simulations, with steps from 0.5 % shorter to as much longer");
  }

  @Test
  void compare_ofARunOnASlowerMachine_tellsItsStepsApartFromItsSchedule() throws IOException {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);
    FittedProfile fitted = FittedProfile.read(profile);
    Path fast = folder.resolve("fast.json");
    Files.writeString(
        fast,
        new FittedProfile(
                fitted.name(),
                fitted.model(),
                fitted.blockTokens(),
                fitted.blockBytes(),
                fitted.source(),
                fitted.submitLatency(),
                fitted.queuedNanos(),
                fitted.places().stream().map(each -> each.stretched(0.8)).toList(),
                fitted.links())
            .toJson());

    JsonNode compared =
        Cli.run("compare", other, "--profile", fast, "--json", "--own-speed").json();
    Cli printed = Cli.run("compare", other, "--profile", fast, "--own-speed");

    JsonNode steps = compared.path("steps").path(0);
    assertThat(steps.path("error_percent").asDouble()).isBetween(-21.0, -19.0);
    assertThat(steps.path("error_percent_by_part"))
        .hasSize(10)
        .allSatisfy(part -> assertThat(part.asDouble()).isBetween(-23.0, -17.0));
    assertThat(steps.path("foretold_seconds").asDouble())
        .isLessThan(steps.path("live_seconds").asDouble());
    assertThat(steps.path("kinds"))
        .extracting(kind -> kind.path("kind").asText())
        .contains("1 decode", "2 to 8 decodes", "9 to 32 decodes");
    assertThat(steps.path("kinds"))
        .extracting(kind -> kind.path("error_percent").asDouble())
        .allSatisfy(percent -> assertThat(percent).isBetween(-25.0, -15.0));
    for (String sum : List.of("steps", "live_seconds", "foretold_seconds")) {
      assertThat(
              steps.findPath("kinds").findValues(sum).stream()
                  .mapToDouble(JsonNode::asDouble)
                  .sum())
          .isCloseTo(steps.path(sum).asDouble(), within(1e-6));
    }
    JsonNode throughput = compared.path("figures").path("output_throughput");
    assertThat(throughput.path("error_percent").asDouble()).isGreaterThan(10);
    assertThat(throughput.path("error_percent_at_own_speed").asDouble()).isBetween(-1.0, 1.0);
    assertThat(printed.out())
        .containsPattern("error % +at own speed %")
        .contains("the run's own steps, each foretold by itself")
        .containsPattern("a10 +[\\d,]+ +[\\d.]+ +[\\d.]+ +-(19|20)")
        .containsPattern("  9 to 32 decodes +[\\d,]+ +[\\d.]+ +[\\d.]+ +-[\\d.]+\n");
  }

  @Test
  void wrongInput_isOneLineAnd2() throws IOException {
    Path profile = folder.resolve("p.json");
    Cli.run("calibrate", run, "-o", profile);
    String text = Files.readString(profile);
    Path foreign =
        Files.writeString(folder.resolve("foreign.json"), text.replace("vicuna-7b", "llama-2-7b"));

    assertFails("no journal", "calibrate", folder.resolve("none"), "-o", folder.resolve("q.json"));
    assertFails("exists: choose another file", "calibrate", run, "-o", profile);
    assertFails(
        "is a file of the run", "calibrate", run, "--force", "-o", run.resolve("config.json"));
    Path nowhere = folder.resolve("no/p.json");
    assertFails("there is no folder " + nowhere.getParent(), "calibrate", run, "-o", nowhere);
    assertFails(
        "was fitted to a10, llama-2-7b, blocks of 16, but this run is a10, vicuna-7b",
        "compare",
        other,
        "--profile",
        foreign);
    Path none = folder.resolve("none.json");
    assertFails(
        "no file %s; a profile of step times is what calibrate or profile-device writes"
            .formatted(none),
        "compare",
        other,
        "--profile",
        none);
    Path table = folder.resolve("run.csv");
    assertFails("run.csv: not JSON: ", "compare", other, "--profile", table);
    assertFails("what calibrate or profile-device writes", "compare", other, "--profile", table);
    assertFails(
        "--within has no kind 'ttft', must be throughput or latency",
        "compare",
        other,
        "--within",
        "ttft=3");
    assertFails("must be per cent of at least 0", "compare", other, "--within", "latency=-1");
    assertFails("--spread is 1, must be 2 to 1,000 simulations", "compare", other, "--spread", 1);
  }

  private static void assertFails(String message, Object... arguments) {
    Cli cli = Cli.run(arguments);
    assertThat(cli.exitCode()).as(cli.out()).isEqualTo(2);
    assertThat(cli.errorLines()).hasSize(1);
    assertThat(cli.err()).contains(message);
  }
}
