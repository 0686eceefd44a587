package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineLimits;
import java.util.List;

/// The options of policy `fusespill`.
record SpillOptions(
    VictimOrder victims,
    Mode handling,
    boolean attention,
    boolean offload,
    boolean proactive,
    Admission admission,
    boolean prefixCaching,
    int prefillBudget,
    int horizonSteps,
    int hysteresisPermille) {

  /// How a victim's handling is chosen.
  enum Mode {
    /// By estimated cost.
    COST,
    RECOMPUTE,
    SWAP
  }

  /// When a waiting sequence may start.
  enum Admission {
    /// As soon as its prompt fits.
    GREEDY,
    /// As soon as its prompt fits and 1 % of the blocks stay free, as in vLLM 0.2.7.
    WATERMARK,
    /// When the running set's expected peak fits with it.
    PREDICTED
  }

  private static final PolicyOption VICTIMS =
      new PolicyOption(
          "victims",
          "cost, newest, oldest_last, least_computed, most_remaining, least_remaining or remaining_per_token",
          "cost",
          "who leaves when a device has no room");
  private static final PolicyOption HANDLING =
      new PolicyOption(
          "handling",
          "cost, recompute or swap",
          "cost",
          "how a victim is handled: as estimated to cost least, or always in one way");
  private static final PolicyOption ATTENTION =
      new PolicyOption(
          "attention",
          "true or false",
          "true",
          "whether a host that can attends for sequences whose KV lies there");
  private static final PolicyOption OFFLOAD =
      new PolicyOption(
          "offload", "true or false", "true", "whether other devices may take a sequence over");
  private static final PolicyOption PROACTIVE =
      new PolicyOption(
          "proactive",
          "true or false",
          "true",
          "whether sequences move before room is lacking, where that raises the token rate");
  private static final PolicyOption ADMISSION =
      new PolicyOption(
          "admission",
          "greedy, watermark or predicted",
          "watermark",
          "when a waiting sequence may start");
  private static final PolicyOption PREFILL_BUDGET =
      new PolicyOption(
          "prefill-budget",
          "0 to 16777216",
          "0",
          "prefill tokens in a step at most; 0: what rides along with the weights, and more while memory is free");
  private static final PolicyOption HORIZON =
      new PolicyOption(
          "horizon",
          "1 to 1000000",
          "64",
          "steps within which a sequence does not move twice and a share is not chosen anew");
  private static final PolicyOption HYSTERESIS =
      new PolicyOption(
          "hysteresis",
          "0 to 1000",
          "50",
          "thousandths: by how much a move ahead has to gain, a share to differ, and a victim to be cheaper than a newer one");

  static final List<PolicyOption> ALL =
      List.of(
          VICTIMS,
          HANDLING,
          ATTENTION,
          OFFLOAD,
          PROACTIVE,
          ADMISSION,
          ContinuousPolicy.PREFIX_CACHING,
          PREFILL_BUDGET,
          HORIZON,
          HYSTERESIS);

  static SpillOptions of(PolicyOptions options) {
    return new SpillOptions(
        options.constant(VICTIMS, VictimOrder.class),
        options.constant(HANDLING, Mode.class),
        options.flag(ATTENTION),
        options.flag(OFFLOAD),
        options.flag(PROACTIVE),
        options.constant(ADMISSION, Admission.class),
        options.flag(ContinuousPolicy.PREFIX_CACHING),
        options.integer(PREFILL_BUDGET, 0, EngineLimits.MAX_TOKENS),
        options.integer(HORIZON, 1, 1_000_000),
        options.integer(HYSTERESIS, 0, 1_000));
  }
}
