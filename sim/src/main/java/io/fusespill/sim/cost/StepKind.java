package io.fusespill.sim.cost;

/// Which steps a term of a fitted step time counts in; the labels are those of the profile file.
public enum StepKind {
  ALL("all"),
  /// Steps without prefill.
  DECODE("decode"),
  /// Steps with prefill, whatever they decode beside.
  PREFILL("prefill"),
  /// Steps with prefill and no decodes beside whose KV is on the device.
  PROMPTS("prompt-only"),
  /// Steps with prefill beside decodes.
  MIXED("mixed");

  private final String label;

  StepKind(String label) {
    this.label = label;
  }

  public String label() {
    return label;
  }

  public boolean includes(StepShape shape) {
    return switch (this) {
      case ALL -> true;
      case DECODE -> shape.prefills() == 0;
      case PREFILL -> shape.prefills() > 0;
      case PROMPTS -> shape.prefills() > 0 && shape.decodes() == 0;
      case MIXED -> shape.prefills() > 0 && shape.decodes() > 0;
    };
  }
}
