package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.StepFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// From a device to a profile, and from that to runs.
@Timeout(180)
class ProfileDeviceCommandTest {

  private static final int SEQUENCES = 8;
  private static final int TOKENS = 96;

  @TempDir private Path folder;

  private static Cli profile(Path out, Object... more) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                "profile-device",
                "--device",
                "host:threads=1",
                "--model",
                TinyModel.LLAMA_2,
                "--max-num-seqs",
                SEQUENCES,
                "--max-num-batched-tokens",
                "128",
                "--max-model-len",
                TOKENS,
                "--swap-space",
                "0.01",
                "--quick",
                "-o",
                out));
    arguments.addAll(List.of(more));
    return Cli.run(arguments.toArray());
  }

  private Path run(String name) {
    Path out = folder.resolve(name);
    Cli cli =
        Cli.run(
            "bench",
            "throughput",
            "--model",
            TinyModel.LLAMA_2,
            "--device",
            "host:blocks=20,threads=1",
            "--swap-space",
            "0.01",
            "--policy",
            "fusespill",
            "--max-num-seqs",
            SEQUENCES,
            "--max-model-len",
            TOKENS,
            "--num-prompts",
            "24",
            "--input-len",
            "24",
            "--output-len",
            "32",
            "-o",
            out);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return out;
  }

  @Test
  void profile_holdsStepsAndCopies_underTheNamesOfRuns() {
    Path out = folder.resolve("p.json");

    Cli cli = profile(out);

    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .contains("held-out steps", "1 decode", "host > memory", "memory > host", "wrote " + out);
    FittedProfile profile = FittedProfile.read(out);
    assertThat(profile.places())
        .singleElement()
        .satisfies(place -> {
          assertThat(place.place()).isEqualTo("host");
          assertThat(place.hardware()).isEqualTo("host:threads=1");
          assertThat(place.padded()).isFalse();
          assertThat(place.ranges().get(StepFeature.DECODES).max()).isEqualTo(SEQUENCES);
          assertThat(place.ranges().get(StepFeature.PREFILL_TOKENS).max()).isBetween(64L, 128L);
        });
    assertThat(profile.links())
        .extracting(FittedLink::from, FittedLink::to)
        .containsExactlyInAnyOrder(tuple("host", "memory"), tuple("memory", "host"));
    assertThat(profile.links())
        .allSatisfy(link -> {
          long times = link.bytes().max() / link.bytes().min();
          assertThat(times).as("blocks").isGreaterThan(1);
          assertThat(link.errors().samples())
              .as("five of each size, and none of those that fill a link")
              .isEqualTo(5L * (1 + Long.numberOfTrailingZeros(times)));
        });
    assertThat(profile.source()).startsWith("profile-device --quick, ");
  }

  @Test
  void compare_takesTheProfile_andOneThatARunRefined() throws IOException {
    Path base = folder.resolve("base.json");
    assertThat(profile(base).exitCode()).isZero();
    Path run = run("run");
    Path refined = folder.resolve("refined.json");

    Cli calibrated = Cli.run("calibrate", run, "--base", base, "-o", refined);

    assertThat(calibrated.exitCode()).as(calibrated.err()).isZero();
    FittedProfile profile = FittedProfile.read(refined);
    assertThat(profile.source()).contains(" of run, over profile-device");
    assertThat(profile.links()).hasSize(2);
    assertThat(profile.places().getFirst().padded()).isFalse();
    for (Path each : List.of(base, refined)) {
      Cli compared = Cli.run("compare", run, "--profile", each, "--json");
      assertThat(compared.exitCode()).as(compared.err()).isZero();
      JsonNode figures = compared.json().get("figures");
      assertThat(figures.get("completed").get("simulated").asInt()).isEqualTo(24);
    }
    assertThat(Files.readString(refined)).contains("queuedNanos");
  }

  @Test
  void json_isTheProfileAndWhatCopiesAndStepsDoToEachOther() {
    Cli cli = profile(folder.resolve("p.json"), "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.json().get("profile").get("model").asText()).isEqualTo("llama2-mha");
    assertThat(cli.json().get("overlaps"))
        .hasSize(2)
        .allSatisfy(overlap -> {
          assertThat(overlap.get("blocks").asInt()).isPositive();
          assertThat(overlap.get("step_nanos").asLong()).isPositive();
          assertThat(overlap.get("copy_beside_nanos").asLong()).isPositive();
        });
  }

  @Test
  void withoutSwapSpace_noCopiesAreMeasured() {
    Path out = folder.resolve("p.json");
    Cli cli =
        Cli.run(
            "profile-device",
            "--device",
            "host:threads=1",
            "--model",
            TinyModel.LLAMA_2,
            "--max-num-seqs",
            "2",
            "--max-num-batched-tokens",
            "64",
            "--max-model-len",
            TOKENS,
            "--swap-space",
            "0",
            "-o",
            out);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(FittedProfile.read(out).links()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --dtype            | f16  | --dtype f16 is for GPUs, and none is among the devices
          --max-num-seqs     | 0    | --max-num-seqs is 0, must be at least 1
          --max-model-len    | 9999 | max-model-len is 9999, must be at most the 512 positions that the model was made for
          --max-num-seqs     | 512  | max-num-batched-tokens is 128, must be at least max-num-seqs (512)
          """)
  void badValues_areNamed(String option, String value, String message) {
    Cli cli =
        Cli.run(
            "profile-device",
            "--device",
            "host:threads=1",
            "--model",
            TinyModel.LLAMA_2,
            "--max-num-batched-tokens",
            "128",
            option,
            value,
            "-o",
            folder.resolve("p.json"));
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err()).contains(message);
  }

  @Test
  void existingFile_isKept() throws IOException {
    Path out = Files.writeString(folder.resolve("p.json"), "mine");
    Cli cli = profile(out);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err()).contains("p.json exists", "--force");
    assertThat(out).hasContent("mine");
  }

  @Test
  void base_goesWithRunsAlone() {
    Cli cli =
        Cli.run(
            "calibrate",
            folder,
            "--tables",
            "llmservingsim",
            "--model",
            "llama-3.1-8b",
            "--device",
            "rtx-4090",
            "--base",
            folder.resolve("p.json"),
            "-o",
            folder.resolve("q.json"));
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err()).contains("--base goes with runs");
  }
}
