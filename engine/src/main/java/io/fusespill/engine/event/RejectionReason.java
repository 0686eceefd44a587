package io.fusespill.engine.event;

/// Why a request was turned away, and the unit of the two figures that go with it.
public enum RejectionReason {
  /// More tokens than one sequence or one step may have.
  PROMPT_TOO_LONG("tokens"),
  /// More blocks than the pool could ever give.
  NEVER_FITS("blocks"),
  /// More blocks to swap out than the host has free.
  SWAP_SPACE_EXHAUSTED("blocks"),
  /// More samples than sequences may run at once.
  TOO_MANY_SAMPLES("sequences");

  private final String unit;

  RejectionReason(String unit) {
    this.unit = unit;
  }

  public String unit() {
    return unit;
  }
}
