package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.PolicySpec;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/// All policies: name, documentation, options and factory.
public enum PolicyKind {
  VLLM_0_2_7(
      "vllm-0.2.7",
      "vLLM 0.2.7 exactly: prefill first, padded prompts, preemption of the newest by recompute or swap",
      VllmPolicy.OPTIONS,
      VllmPolicy::new),
  CONTINUOUS(
      "continuous",
      "vLLM V1 style: one token budget, running first, chunked prefill beside decode, recompute from the tail",
      ContinuousPolicy.OPTIONS,
      ContinuousPolicy::new),
  FUSESPILL(
      "fusespill",
      "every way to handle a spill weighed by estimated cost, host attention, copies beside the steps",
      FuseSpillPolicy.OPTIONS,
      FuseSpillPolicy::new);

  private final String label;
  private final String description;
  private final List<PolicyOption> options;
  private final BiFunction<EngineConfig, PolicyOptions, SchedulingPolicy> factory;

  PolicyKind(
      String label,
      String description,
      List<PolicyOption> options,
      BiFunction<EngineConfig, PolicyOptions, SchedulingPolicy> factory) {
    this.label = label;
    this.description = description;
    this.options = options;
    this.factory = factory;
  }

  /// The name on the command line.
  public String label() {
    return label;
  }

  public String description() {
    return description;
  }

  /// Whether it estimates costs, and so needs them in its configuration, and predicts lengths.
  public boolean estimates() {
    return this == FUSESPILL;
  }

  public List<PolicyOption> options() {
    return options;
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(PolicyKind::label).toList();
  }

  /// The kind with this name.
  ///
  /// @throws PolicyException if there is none
  public static PolicyKind named(String label) {
    return Arrays.stream(values())
        .filter(kind -> kind.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new PolicyException("no policy '%s'; there are %s".formatted(label, labels())));
  }

  /// The policy that `config` names, ready for that configuration.
  ///
  /// @throws PolicyException if the name, an option or the fit with limits and topology is not
  ///   valid
  public static SchedulingPolicy create(EngineConfig config) {
    PolicySpec spec = config.policy();
    PolicyKind kind = named(spec.name());
    return kind.factory.apply(config, new PolicyOptions(spec, kind.options));
  }
}
