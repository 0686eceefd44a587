package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.length.PredictorKind;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/// All policies: name, documentation, options and factory.
public enum PolicyKind {
  VLLM_0_2_7(
      "vllm-0.2.7",
      "vLLM 0.2.7 exactly: prefill first, padded prompts, preemption of the newest by recompute or swap",
      VllmPolicy.OPTIONS,
      VllmPolicy::new,
      PredictorKind.NONE,
      1),
  CONTINUOUS(
      "continuous",
      "vLLM V1 style: one token budget, running first, chunked prefill beside decode, recompute from the tail",
      ContinuousPolicy.OPTIONS,
      ContinuousPolicy::new,
      PredictorKind.NONE,
      1),
  FUSESPILL(
      "fusespill",
      "every way to handle a spill weighed by estimated cost, host attention, copies beside the steps",
      FuseSpillPolicy.OPTIONS,
      FuseSpillPolicy::new,
      PredictorKind.KAPLAN_MEIER,
      2),
  FUSESPILL_ARTIFACT(
      "fusespill-artifact",
      "the paper's artifact: vLLM 0.2.7 on a main device, fixed shares moved to an auxiliary one; true lengths by default",
      ArtifactPolicy.OPTIONS,
      ArtifactPolicy::new,
      PredictorKind.ORACLE,
      6);

  private final String label;
  private final String description;
  private final List<PolicyOption> options;
  private final BiFunction<EngineConfig, PolicyOptions, SchedulingPolicy> factory;
  private final PredictorKind predictor;
  private final int stepsInFlight;

  PolicyKind(
      String label,
      String description,
      List<PolicyOption> options,
      BiFunction<EngineConfig, PolicyOptions, SchedulingPolicy> factory,
      PredictorKind predictor,
      int stepsInFlight) {
    this.label = label;
    this.description = description;
    this.options = options;
    this.factory = factory;
    this.predictor = predictor;
    this.stepsInFlight = stepsInFlight;
  }

  /// The name on the command line.
  public String label() {
    return label;
  }

  public String description() {
    return description;
  }

  /// Whether it estimates costs, and so needs them in its configuration.
  public boolean estimates() {
    return this == FUSESPILL;
  }

  /// Whether it has hosts attend over the KV that lies there.
  public boolean attends() {
    return this == FUSESPILL;
  }

  /// Whether it never splits a prompt, so that a step must have room for the longest.
  public boolean wholePrompts() {
    return this == VLLM_0_2_7 || this == FUSESPILL_ARTIFACT;
  }

  /// The predictor that it runs with where nobody names another.
  public PredictorKind predictor() {
    return predictor;
  }

  /// Steps that a device may have queued or running where nobody says otherwise.
  public int stepsInFlight() {
    return stepsInFlight;
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
