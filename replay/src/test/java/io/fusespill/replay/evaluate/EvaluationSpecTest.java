package io.fusespill.replay.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Machine;
import io.fusespill.sim.spec.SpecException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluationSpecTest {

  private static final String SMALL =
      """
      platforms:
        - {name: one, devices: [a10]}
      models: [vicuna-7b]
      workloads:
        - {name: w, lengths: sharegpt, requests: 5, arrivals: burst}
      policies:
        - {policy: continuous}
      """;

  @TempDir private Path folder;

  @Test
  void read_leastThereIs_hasTheDefaultsOfSimulate() throws IOException {
    EvaluationSpec spec = read(SMALL);

    assertThat(spec.name()).isEqualTo("spec");
    assertThat(spec.platforms())
        .containsExactly(
            new Platform("one", new Machine(List.of(DeviceSpec.parse("a10")), "pcie4", 4)));
    assertThat(spec.seeds()).containsExactly(0L);
    assertThat(spec.policies().getFirst().name()).isEqualTo("continuous");
    assertThat(spec.policies().getFirst().standing()).isEqualTo(Standing.CONTENDER);
    assertThat(spec.cells()).hasSize(1);
  }

  @Test
  void cells_areTheProductOfTheAxesAndSeeds() throws IOException {
    EvaluationSpec spec =
        read(
            SMALL
                    .replace("[vicuna-7b]", "[vicuna-7b, baichuan-7b]")
                    .replace(
                        "- {policy: continuous}",
                        "- {policy: continuous}\n  - {policy: vllm-0.2.7}")
                + "seeds: [1, 2, 3]\n");

    assertThat(spec.cells()).hasSize(2 * 2 * 3);
    assertThat(spec.cells().stream().map(cell -> cell.title() + " " + cell.seed()).limit(4))
        .containsExactly(
            "one / vicuna-7b / w / continuous 1",
            "one / vicuna-7b / w / continuous 2",
            "one / vicuna-7b / w / continuous 3",
            "one / vicuna-7b / w / vllm-0.2.7 1");
  }

  @Test
  void cells_rowForOnePlatform_leavesTheOtherOut() throws IOException {
    EvaluationSpec spec =
        read(
            SMALL
                .replace("[a10]}", "[a10]}\n  - {name: two, devices: [a10:util=0.8, a10:util=0.8]}")
                .replace(
                    "- {policy: continuous}",
                    "- {policy: continuous, platforms: [two], devices: ['a10:tp=2,util=0.8']}"));

    assertThat(spec.cells()).hasSize(1);
    assertThat(spec.cells().getFirst().resolve().config().topology().places().getFirst().name())
        .isEqualTo("a10-tp2");
  }

  @Test
  void platform_auxiliaryDiskAndPeerLink_areInTheTopology() throws IOException {
    EvaluationSpec spec =
        read(
            SMALL
                .replace("devices: [a10]", "devices: [a10], aux: [a10], disk: 8, peer-link: pcie4")
                .replace(
                    "- {policy: continuous}",
                    "- {policy: continuous}\n  - {name: tp, policy: continuous, devices: [a10:tp=2]}"));

    Topology topology = spec.cells().getFirst().resolve().config().topology();
    assertThat(topology.places())
        .extracting(Place::name)
        .containsExactly("a10", "aux-a10", "host", "disk");
    assertThat(topology.linked(0, 1)).isTrue();
    assertThat(topology.diskBehind(2)).isEqualTo(3);
    assertThat(spec.cells().getLast().resolve().config().topology().places())
        .extracting(Place::name)
        .containsExactly("a10-tp2", "host", "disk");
  }

  @Test
  void platform_topologyOfAFile_isReadBesideTheSpecification() throws IOException {
    Files.writeString(
        folder.resolve("t.yaml"),
        "devices: [{name: one, profile: a10}, {name: two, profile: a10}]\n");
    String text = SMALL.replace("devices: [a10]", "topology: t.yaml");

    assertThat(read(text).cells().getFirst().resolve().config().topology().places())
        .extracting(Place::name)
        .containsExactly("one", "two");
    assertThatThrownBy(() ->
            read(text.replace("{policy: continuous}", "{policy: continuous, devices: [a10:tp=2]}")))
        .hasMessageContaining("policies[0].devices cannot take the place of those of platform one");
  }

  @Test
  void read_everythingWrong_namesAllProblems() {
    String text =
        """
        platform: {}
        platforms:
          - name: one
            devices: [a11, blocks=5]
            link: pcie6
            swapspace: 4
          - {name: two, devices: []}
          - {name: three, devices: [a10:util=0.8]}
        models: [vicuna7b]
        workloads:
          - {name: w, lengths: sharegtp, requests: 5, arrivals: burst}
          - {name: t, trace: nosuch.csv, rate: fast}
        policies:
          - {name: a, policy: vllm-0.2.8, baseline: true, bound: true}
          - {name: b, policy: vllm-0.2.7, options: {preemtion: swap}, platforms: [oen]}
          - {name: c, policy: continuous, devices: [a10:tp=2], max-num-seqs: 0}
        limits: {max-model-length: 5}
        seeds: [1, 1, x]
        """;
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .message()
        .contains("spec.yaml has ", " problems:")
        .contains("platforms[0].devices[0]: unknown hardware \"a11\"; did you mean a10")
        .contains("platforms[0].devices[1] is \"blocks=5\", a setting and no device: quote")
        .contains("platforms[0].link: unknown link \"pcie6\"; did you mean")
        .contains("platforms[0].swapspace is not a key here; did you mean swap-space?")
        .contains("platforms[1].devices must name at least one")
        .contains("models[0]: unknown model \"vicuna7b\"; did you mean vicuna-7b?")
        .contains("workloads[0]: no published lengths \"sharegtp\"")
        .contains("workloads[1]: rate is 'fast', must be")
        .contains("policies[0].policy names the unknown policy \"vllm-0.2.8\"; did you mean")
        .contains("policies[0].bound is true and so is baseline")
        .contains(
            "policies[1].options.preemtion names the unknown option of vllm-0.2.7 \"preemtion\"")
        .contains("policies[1].platforms names the unknown platform \"oen\"; did you mean one?")
        .contains("policies[2].devices takes a10 and a10, which platform three does not have")
        .contains("policies[2].max-num-seqs is 0, must be 1 to")
        .contains("limits.max-model-length is not a key here; did you mean max-model-len?")
        .contains("seeds[2] is \"x\", must be a whole number")
        .contains("seeds holds \"1\" twice")
        .contains("platform is not a key here; did you mean platforms?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{policy: continuous} | {policy: continuous, options: {reserve-prompt: 7}} | policies[0].options.reserve-prompt: option reserve-prompt of policy continuous is '7'",
        "{policy: continuous} | {policy: vllm-0.2.7, options: {preemption: x}} | must be auto",
        "{policy: continuous} | {policy: continuous, options: {reserve-prompt: []}} | policies[0].options.reserve-prompt is empty",
        "{policy: continuous} | {policy: continuous, options: {reserve-prompt: [true, 7]}} | is '7', must be true or false",
        "{policy: continuous} | {policy: continuous, devices: [rtx-4090]} | platform one does not have",
        "{policy: continuous} | {policy: continuous, devices: [a10:util=1]} | takes a10 with util=1.0, which",
        "{policy: continuous} | {policy: continuous, devices: [a10:blocks=9]} | where either sets blocks",
        "{policy: continuous} | {name: x, options: {}} | policies[0].policy is missing",
        "{policy: continuous} | {policy: continuous, max-num-seqs: 100000} | policies[0].max-num-seqs is 100000, must be 1 to 65,536",
        "{policy: continuous} | {policy: continuous, max-num-batched-tokens: 2e7} | policies[0].max-num-batched-tokens is 20000000, must be 1 to 16,777,216",
        "{policy: continuous} | {policy: continuous, max-num-seqs: 4096} | policies[0]: max-num-batched-tokens is 2048, must be at least max-num-seqs (4096)",
        "requests: 5 | requests: 0 | requests is 0, must be at least 1",
        "requests: 5 | requests: many | must be a whole number",
        "arrivals: burst | arrivals: gamma | need a rate",
        "arrivals: burst | limit: 5 | workloads[0].limit is not a key here",
        "devices: [a10] | devices: a10 | platforms[0].devices is \"a10\", must be a list",
        "devices: [a10] | devices: [a10], swap-space: much | must be a number",
        "models: [vicuna-7b] | models: [] | models is empty",
        "name: w, | | workloads[0].name is missing",
        "devices: [a10] | devices: [a10], aux: [a11] | platforms[0].aux[0]: unknown hardware",
        "devices: [a10] | devices: [a10], disk: 5:speed=1 | platforms[0].disk: disk '5:speed=1'",
        "devices: [a10] | devices: [a10], disk: 5, swap-space: 0 | platforms[0]: a disk stands behind",
        "devices: [a10] | devices: [a10], peer-link: nvlnik | platforms[0].peer-link: unknown link",
        "devices: [a10] | devices: [a10], peer-link: pcie4 | platforms[0].peer-link joins devices, must stand beside at least 2",
        "{policy: continuous} | {policy: fusespill, predictor: oracle, baseline: true} | policies[0].baseline is true under the predictor oracle",
        "{policy: continuous} | {policy: fusespill-artifact, baseline: true} | policies[0].baseline is true under the predictor oracle",
        "devices: [a10] | devices: [a10], topology: t.yaml | platforms[0].devices stands beside topology",
        "devices: [a10] | topology: nosuch.yaml | platforms[0].topology: ",
      })
  void read_oneThingWrong_isNamed(String good, String bad, String message) {
    assertThat(SMALL).contains(good);
    assertThatThrownBy(() -> read(SMALL.replace(good, bad == null ? "" : bad)))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("spec.yaml")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "block-size: 2000 | limits.block-size is 2000, must be 1 to 1,024",
        "max-num-seqs: 0 | limits.max-num-seqs is 0, must be 1 to 65,536",
        "max-num-batched-tokens: 16777217 | limits.max-num-batched-tokens is 16777217, must be 1 to 16,777,216",
        "max-model-len: 20000000 | limits.max-model-len is 20000000, must be 1 to 16,777,216",
        "max-num-seqs: 4096 | limits: max-num-batched-tokens is 2048, must be at least max-num-seqs (4096)",
        "max-num-batched-tokens: 100 | limits: max-num-batched-tokens is 100, must be at least max-num-seqs (256)",
        "max-num-batched-tokens: 1000 | limits: max-num-batched-tokens is 1000, must be at least max-model-len (4096) under vllm-0.2.7",
      })
  void read_limitOutOfRange_isNamed(String limit, String message) {
    String text = SMALL + "  - {policy: vllm-0.2.7}\nlimits: {%s}\n".formatted(limit);
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a: b: c | spec.yaml:1: not YAML",
        "seeds: [1 | not YAML",
        "seeds | must be an object",
      })
  void read_noSpecification_isNamed(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name: one, devices | name: on, devices | platforms[0].name is read as true",
        "name: one, devices | name: 010, devices | platforms[0].name is read as 8",
        "name: w | name: 1e3 | workloads[0].name is read as 1000.0",
        "policy: continuous | policy: continuous, name: off | policies[0].name is read as false"
      })
  void read_nameThatYamlTakesForNoText_isAnError(String good, String bad, String message)
      throws IOException {
    assertThatThrownBy(() -> read(SMALL.replace(good, bad)))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(message + ", must be text: quote what is written");
    assertThat(read(SMALL.replace("name: one", "name: \"010\"")).platforms().getFirst().name())
        .isEqualTo("010");
  }

  @Test
  void read_sameKeyTwice_isAnError() {
    assertThatThrownBy(() -> read(SMALL + "models: [vicuna-13b]\n"))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("Duplicate field 'models'");
  }

  @Test
  void read_optionWithSeveralValues_givesARowForEachCombination() throws IOException {
    EvaluationSpec spec =
        read(
            SMALL.replace(
                "{policy: continuous}",
                "{policy: fusespill, options: {victims: [cost, newest], horizon: 8, handling: [swap, cost]}}"));

    assertThat(spec.policies().stream().map(PolicyRow::name))
        .containsExactly(
            "fusespill handling=swap victims=cost",
            "fusespill handling=swap victims=newest",
            "fusespill handling=cost victims=cost",
            "fusespill handling=cost victims=newest");
    assertThat(spec.policies().get(1).policy().options())
        .hasToString("{handling=swap, horizon=8, victims=newest}");
  }

  @Test
  void missingFile_isToldAndNoProblem() throws IOException {
    EvaluationSpec spec =
        read(SMALL.replace("lengths: sharegpt, requests: 5, arrivals: burst", "trace: nosuch.csv"));

    assertThat(spec.workloads().getFirst().missingFile())
        .isEqualTo(folder.resolve("nosuch.csv").toAbsolutePath().normalize());
  }

  private EvaluationSpec read(String text) throws IOException {
    return EvaluationSpec.read(Files.writeString(folder.resolve("spec.yaml"), text));
  }
}
