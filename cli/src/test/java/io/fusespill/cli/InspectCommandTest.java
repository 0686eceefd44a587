package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Time travel: the state behind a position or at a time, block by block.
class InspectCommandTest {

  private static final int SPILLING = 12;

  @TempDir private Path folder;

  private Path run = Path.of("");

  /// Two requests of 40 and 20 prompt tokens, 3 and 2 blocks, on a device of 70 blocks.
  @BeforeEach
  void simulate() throws IOException {
    run = folder.resolve("run");
    Path trace = folder.resolve("t.csv");
    Files.writeString(trace, "prompt_len,output_len,arrived_at\n40,30,0\n20,30,0.1\n");
    Cli cli =
        Cli.run(
            "simulate",
            "--trace",
            trace,
            "--model",
            "vicuna-7b",
            "--device",
            "a10:blocks=70",
            "--policy",
            "vllm-0.2.7",
            "--out",
            run);
    assertThat(cli.exitCode()).as(cli.err()).isZero();
  }

  /// The first request is prefilled: it has blocks 0 to 2 of 70, and its step is in flight.
  @Test
  void picture_showsWhoHoldsWhichBlock() {
    Cli cli = Cli.run("inspect", run, "--at", "3");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out())
        .contains("after 4 events, the last StepPlanned, at 0.000000 s under vllm-0.2.7")
        .contains(
            "step 0 on a10  0 decodes, 1 prefill, 40 tokens  planned at 0.000000 s, position 3")
        .contains("a10: 70 blocks, 3 held, 3 pinned, 0 leaving, 0 arriving, 67 free\n")
        .contains("\n   0  aaa" + ".".repeat(61) + "\n  64  ......\n    a 0 (3)*\n")
        .contains("host: 512 blocks, 0 held, 0 pinned, 0 leaving, 0 arriving, 512 free\n");
  }

  /// The step that has some of them is planned behind one that has none.
  @Test
  void step_countsRemoteDecodesAmongItsDecodes() throws IOException {
    Path spilled = folder.resolve("spilled");
    Path trace = folder.resolve("many.csv");
    Files.writeString(trace, "prompt_len,output_len,arrived_at\n" + "100,400,0\n".repeat(SPILLING));
    Cli.run(
        "simulate",
        "--trace",
        trace,
        "--model",
        "vicuna-7b",
        "--device",
        "a10:blocks=200",
        "--host",
        "xeon-8358p",
        "--policy",
        "fusespill",
        "--out",
        spilled);
    JsonNode planned =
        Cli.run("dump", spilled, "--kind", "StepPlanned")
            .out()
            .lines()
            .map(InspectCommandTest::json)
            .filter(step -> step.toString().matches(".*\"remoteEntries\":[1-9].*"))
            .findFirst()
            .orElseThrow();
    long position = planned.get("position").asLong();
    JsonNode step =
        Cli.run("inspect", spilled, "--at", position, "--json")
            .json()
            .at("/places/0/steps_in_flight/1");
    assertThat(Cli.run("inspect", spilled, "--at", position).out())
        .contains(
            "%d decodes (%d by host attention), "
                .formatted(step.get("decodes").asInt(), step.get("remote_entries").asInt()));
  }

  private static JsonNode json(String line) {
    try {
      return new ObjectMapper().readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void json_hasTheSameMapAsRuns() {
    JsonNode device = Cli.run("inspect", run, "--at", "3", "--json").json().get("places").get(0);
    JsonNode map = device.get("block_map");
    assertThat(map).hasSize(2);
    assertThat(map.get(0).toString())
        .isEqualTo("{\"first\":0,\"count\":3,\"use\":\"held\",\"sequences\":[0],\"pinned\":true}");
    assertThat(map.get(1).get("first").asInt()).isEqualTo(3);
    assertThat(map.get(1).get("count").asInt()).isEqualTo(67);
    assertThat(map.get(1).get("use").asText()).isEqualTo("free");
    assertThat(device.get("steps_in_flight").get(0).get("sequences")).hasSize(1);
  }

  /// The second request arrives at 0.1 s.
  @ParameterizedTest
  @CsvSource({"99.999ms,1", "100ms,2", "0.1s,2", "100000us,2", "100000000ns,2", "0s,1"})
  void time_isTheLastEventThatIsNotLater(String time, int arrived) {
    JsonNode state = Cli.run("inspect", run, "--at", time, "--json").json();
    assertThat(state.get("arrived").asInt()).isEqualTo(arrived);
    int position = state.get("events").asInt() - 1;
    assertThat(Cli.run("inspect", run, "--at", position, "--json").json()).isEqualTo(state);
    Matcher next =
        Pattern.compile("\"atNanos\":([0-9]+)")
            .matcher(Cli.run("dump", run, "--range", position + 1).out());
    assertThat(next.find()).isTrue();
    assertThat(Long.parseLong(next.group(1))).isGreaterThan(state.get("at_nanos").asLong());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "-3", "12x", "s", "1e9", "0.0000000001s", "99999999999999999999"})
  void place_thatIsNone_isNamed(String place) {
    Cli cli = Cli.run("inspect", run, "--at", place);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.errorLines()).hasSize(1);
    assertThat(cli.err()).contains("'" + place + "' must be a position");
  }

  @Test
  void place_beyondTheEnd_isNamedWithTheEnd() {
    for (String place : List.of("100000", "1h")) {
      Cli cli = Cli.run("inspect", run, "--at", place);
      assertThat(cli.exitCode()).isEqualTo(2);
      assertThat(cli.errorLines()).hasSize(1);
      assertThat(cli.err()).contains("--at is " + place + ", the journal");
    }
  }
}
