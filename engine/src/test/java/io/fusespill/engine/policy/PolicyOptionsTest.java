package io.fusespill.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.Engine;
import io.fusespill.engine.EngineFixture;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.StepCosts;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What a policy may be called and told; messages name the value and what is legal.
class PolicyOptionsTest {

  private static EngineConfig config(String policy, String... options) {
    EngineConfig config =
        new EngineFixture().given().device(4).host(4).disk(4).policy(policy, options).config();
    return new EngineConfig(
        config.kv(),
        config.limits(),
        config.topology(),
        config.policy(),
        List.of(StepCosts.NONE, StepCosts.NONE, StepCosts.NONE),
        config.predictor());
  }

  @ParameterizedTest
  @EnumSource
  void named_itsLabel_givesTheKind(PolicyKind kind) {
    assertThat(PolicyKind.named(kind.label())).isSameAs(kind);
    assertThat(PolicyKind.labels()).contains(kind.label());
  }

  @ParameterizedTest
  @CsvSource({"vllm", "VLLM-0.2.7", "''", "' continuous'"})
  void named_unknownName_listsThoseThatThereAre(String name) {
    assertThatThrownBy(() -> PolicyKind.create(config(name)))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessage("no policy '%s'; there are %s", name, PolicyKind.labels());
  }

  @ParameterizedTest
  @EnumSource
  void create_unknownOption_listsThoseThatThereAre(PolicyKind kind) {
    assertThatThrownBy(() -> PolicyKind.create(config(kind.label(), "wattermark", "1")))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll(kind.label(), "no option 'wattermark'")
        .hasMessageContainingAll(
            kind.options().stream().map(PolicyOption::name).toArray(String[]::new));
  }

  /// The places are a device, the host that it swaps to, and the disk behind that.
  @ParameterizedTest
  @CsvSource({
    "vllm-0.2.7, preemption=auto, 1, false, false",
    "vllm-0.2.7, preemption=auto, 2, true, false",
    "vllm-0.2.7, preemption=recompute, 2, false, false",
    "vllm-0.2.7, preemption=swap, 1, true, false",
    "continuous, chunked-prefill=true, 2, false, false",
    "fusespill, handling=cost, 1, true, true",
    "fusespill-artifact, spill-share=0.2, 2, false, false"
  })
  void uses_placesToWhichThePolicyMovesKv(
      String policy, String option, int samples, boolean host, boolean disk) {
    String[] given = option.split("=", -1);
    EngineConfig config = config(policy, given[0], given[1]);
    SchedulingPolicy created = PolicyKind.create(config);
    List<Place> places = config.topology().places();
    assertThat(created.uses(places.get(0), samples)).isTrue();
    assertThat(created.uses(places.get(1), samples)).isEqualTo(host);
    assertThat(created.uses(places.get(2), samples)).isEqualTo(disk);
  }

  static Stream<Arguments> options() {
    return Arrays.stream(PolicyKind.values())
        .flatMap(kind -> kind.options().stream().map(option -> Arguments.of(kind, option)));
  }

  @ParameterizedTest
  @MethodSource("options")
  void create_optionAtItsDefault_isLegal(PolicyKind kind, PolicyOption option) {
    EngineConfig config = config(kind.label(), option.name(), option.defaultValue());
    assertThatCode(() -> PolicyKind.create(config)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @MethodSource("options")
  void create_optionWithoutValue_isRefused(PolicyKind kind, PolicyOption option) {
    assertRefused(kind.label(), option.name(), "");
    assertThat(option.meaning()).isNotBlank();
  }

  @ParameterizedTest
  @CsvSource({
    "vllm-0.2.7, preemption, AUTO",
    "vllm-0.2.7, preemption, offload",
    "vllm-0.2.7, max-paddings, -1",
    "vllm-0.2.7, max-paddings, 16777217",
    "vllm-0.2.7, max-paddings, 99999999999",
    "vllm-0.2.7, max-paddings, 1.5",
    "vllm-0.2.7, watermark, 1",
    "vllm-0.2.7, watermark, -0.01",
    "vllm-0.2.7, watermark, NaN",
    "vllm-0.2.7, watermark, Infinity",
    "vllm-0.2.7, watermark, 1e400",
    "vllm-0.2.7, watermark, '0,01'",
    "vllm-0.2.7, watermark, some",
    "continuous, chunked-prefill, yes",
    "continuous, chunked-prefill, True",
    "continuous, reserve-prompt, 1",
    "continuous, long-prefill-threshold, -1",
    "continuous, long-prefill-threshold, 16777217",
    "continuous, long-prefill-threshold, 0x10",
    "vllm-0.2.7, routing, random",
    "continuous, routing, Shared",
    "fusespill-artifact, spill-share, 1",
    "fusespill-artifact, spill-share, -0.2",
    "fusespill-artifact, spill-share, 0.00004",
    "fusespill-artifact, offload-share, 0.28005",
    "fusespill-artifact, offload-share, 28%",
    "fusespill-artifact, auxiliary-watermarks, 1001",
    "fusespill-artifact, auxiliary-watermarks, 6.5",
  })
  void create_illegalValue_isRefused(String policy, String option, String value) {
    assertRefused(policy, option, value);
  }

  private static void assertRefused(String policy, String option, String value) {
    String legal =
        PolicyKind.named(policy).options().stream()
            .filter(known -> known.name().equals(option))
            .findFirst()
            .orElseThrow()
            .legal();
    assertThatThrownBy(() -> PolicyKind.create(config(policy, option, value)))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessage("option %s of policy %s is '%s', must be %s", option, policy, value, legal);
  }

  @ParameterizedTest
  @CsvSource({
    "vllm-0.2.7, max-paddings, 0",
    "vllm-0.2.7, max-paddings, 16777216",
    "vllm-0.2.7, watermark, 0",
    "vllm-0.2.7, watermark, 0.999999",
    "vllm-0.2.7, preemption, swap",
    "continuous, long-prefill-threshold, 16777216",
    "vllm-0.2.7, routing, least-loaded",
    "continuous, routing, shared",
    "fusespill-artifact, spill-share, 0",
    "fusespill-artifact, offload-share, 0.7999",
    "fusespill-artifact, auxiliary-watermarks, 1000",
  })
  void create_valueAtTheEndOfItsRange_isLegal(String policy, String option, String value) {
    EngineConfig config = config(policy, option, value);
    assertThatCode(() -> PolicyKind.create(config)).doesNotThrowAnyException();
  }

  @Test
  void create_thresholdWithoutChunks_isRefused() {
    EngineConfig config =
        config("continuous", "chunked-prefill", "false", "long-prefill-threshold", "8");
    assertThatThrownBy(() -> PolicyKind.create(config))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll("long-prefill-threshold", "8", "chunked-prefill is false");
  }

  @Test
  void create_swapWithoutAHost_namesTheDevice() {
    EngineConfig config =
        new EngineFixture().given().device(4).policy("vllm-0.2.7", "preemption", "swap").config();
    assertThatThrownBy(() -> new Engine(config, event -> 0))
        .isExactlyInstanceOf(PolicyException.class)
        .hasMessageContainingAll("preemption", "'swap'", "gpu0", "no host");
  }
}
