package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.SampleTrace;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.TraceWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs held against each other: where they part, who fared how, and what cannot be compared.
class DiffCommandTest {

  @TempDir private Path folder;

  @Test
  void sameRunTwice_isIdentical() {
    simulate("a", "--policy", "fusespill");
    simulate("b", "--policy", "fusespill");
    JsonNode json = diff("a", "b");
    assertThat(json.get("identical").asBoolean()).isTrue();
    assertThat(json.get("first_diverging_decision").isNull()).isTrue();
    assertThat(json.get("configuration")).isEmpty();
    assertThat(json.get("requests").get("better").asInt()).isZero();
    Cli text = Cli.run("diff", folder.resolve("a"), folder.resolve("b"));
    assertThat(text.out()).contains("identical: the same ");
  }

  /// An option that matters only once blocks run out: both runs begin alike.
  @Test
  void otherOption_partsAtTheFirstDecisionThatDiffers() {
    simulate("a", "--policy", "vllm-0.2.7", "--policy-option", "preemption=recompute");
    simulate("b", "--policy", "vllm-0.2.7", "--policy-option", "preemption=swap");
    JsonNode json = diff("a", "b");
    JsonNode decision = json.get("first_diverging_decision");
    assertThat(decision).isEqualTo(json.get("first_difference"));
    JsonNode recompute = decision.get("a").get("event");
    JsonNode swap = decision.get("b").get("event");
    assertThat(recompute.get("event").asText()).isEqualTo("SequencePreempted");
    assertThat(recompute.get("kind").asText()).isEqualTo("RECOMPUTE");
    assertThat(swap.get("kind").asText()).isEqualTo("SWAP");
    assertThat(recompute.get("sequence")).isEqualTo(swap.get("sequence"));
    int position = decision.get("a").get("position").asInt();
    assertThat(decision.get("b").get("position").asInt()).isEqualTo(position);
    assertThat(json.get("shared_events").asInt()).isEqualTo(position - 1);
    for (String side : List.of("a", "b")) {
      JsonNode state = Cli.run("inspect", folder.resolve(side), "--at", position, "--json").json();
      assertThat(decision.get(side).get("state_hash")).isEqualTo(state.get("state_hash"));
      assertThat(decision.get(side).get("at_nanos")).isEqualTo(state.get("at_nanos"));
    }
    assertThat(json.get("configuration").fieldNames())
        .toIterable()
        .containsExactly("policy.options.preemption");
    JsonNode requests = json.get("requests");
    assertThat(requests.get("compared").asInt()).isEqualTo(150);
    assertThat(requests.get("better").asInt() + requests.get("worse").asInt()).isBetween(1, 150);
    assertThat(requests.get("worst").get(0).get("later_nanos").asLong()).isPositive();
    assertThat(json.get("transfers").get("swap_out").get("a").asInt()).isZero();
    assertThat(json.get("transfers").get("swap_out").get("bytes_b").asLong()).isPositive();
  }

  @Test
  void branch_partsBehindItsPrefix() {
    simulate("a", "--policy", "continuous");
    Cli branch =
        Cli.run(
            "whatif",
            folder.resolve("a"),
            "--from",
            "2000",
            "--policy",
            "fusespill",
            "--out",
            folder.resolve("b"),
            "--json");
    int behind = branch.json().get("branch").get("behind_position").asInt();
    JsonNode json = diff("a", "b");
    assertThat(json.get("first_difference").get("a").get("position").asInt()).isGreaterThan(behind);
    assertThat(json.get("b").get("configuration_changes").asInt()).isEqualTo(1);
    Cli text = Cli.run("diff", folder.resolve("a"), folder.resolve("b"));
    assertThat(text.exitCode()).isZero();
    assertThat(text.out())
        .contains("first diverging decision", "fared best in B", "spilled requests: ")
        .containsPattern("p99 TTFT, ms +[0-9.,]+ +[0-9.,]+ +[+-]");
  }

  /// Slower cards, the same blocks: what is decided first is the same, and takes longer.
  @Test
  void otherDevice_hasTheSameFirstDecisionsAtOtherTimes() {
    simulate("a", "--policy", "continuous");
    Cli.run(
        "whatif", folder.resolve("a"), "--device", "l4:blocks=400", "--out", folder.resolve("b"));
    JsonNode json = diff("a", "b");
    JsonNode first = json.get("first_difference").get("a");
    JsonNode decision = json.get("first_diverging_decision").get("a");
    assertThat(first.get("event").get("event").asText()).isEqualTo("StepCompleted");
    assertThat(decision.get("position").asInt()).isGreaterThan(first.get("position").asInt());
    assertThat(json.get("differences").get("duration").get("absolute").asDouble()).isPositive();
  }

  @Test
  void unreadableRuns_areNamed() {
    simulate("a", "--policy", "continuous");
    assertOneLine(Cli.run("diff", folder.resolve("a"), folder.resolve("nowhere")), "nowhere");
    assertOneLine(Cli.run("diff", folder.resolve("nowhere"), folder.resolve("a")), "nowhere");
    assertOneLine(Cli.run("diff", folder.resolve("a")), "'B'");
    assertOneLine(Cli.run("diff", folder.resolve("a"), folder.resolve("a"), "--top", "-1"), "-1");
    assertOneLine(Cli.run("diff", folder.resolve("a"), folder.resolve("a"), "--tp", "1"), "--tp");
  }

  private JsonNode diff(String a, String b) {
    Cli cli = Cli.run("diff", folder.resolve(a), folder.resolve(b), "--json");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    return cli.json();
  }

  private void simulate(String name, String... options) {
    Path sample = folder.resolve("sample.csv");
    if (!Files.exists(sample)) {
      try (TraceReader reader = SampleTrace.open(ReadOptions.ALL);
          TraceWriter writer = TraceFormat.LENGTHS.create(sample)) {
        while (reader.hasNext()) {
          writer.write(reader.next());
        }
      }
    }
    List<Object> arguments = new ArrayList<>(List.of("simulate", "--trace", sample));
    arguments.addAll(List.of("--limit", "150", "--model", "vicuna-7b"));
    arguments.addAll(List.of("--device", "a10:blocks=400", "--out", folder.resolve(name)));
    arguments.addAll(List.of(options));
    Cli cli = Cli.run(arguments.toArray());
    assertThat(cli.exitCode()).as(cli.err()).isZero();
  }

  private static void assertOneLine(Cli cli, String named) {
    assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.errorLines()).as(cli.err()).hasSize(1);
    assertThat(cli.errorLines().getFirst()).startsWith("fusespill: ").contains(named);
  }
}
