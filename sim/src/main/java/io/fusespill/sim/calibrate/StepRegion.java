package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.StepShape;

/// Steps that are alike: what errors are told by, and levels of a profile under measurements.
public enum StepRegion {
  REMOTE("with attention elsewhere"),
  DECODE_1("1 decode"),
  DECODE_8("2 to 8 decodes"),
  DECODE_32("9 to 32 decodes"),
  DECODE_128("33 to 128 decodes"),
  DECODE_MORE("over 128 decodes"),
  PREFILL_64("prefill alone, up to 64 tokens"),
  PREFILL_256("prefill alone, 65 to 256 tokens"),
  PREFILL_512("prefill alone, 257 to 512 tokens"),
  PREFILL_MORE("prefill alone, over 512 tokens"),
  MIXED_64("prefill up to 64 tokens with decodes"),
  MIXED_256("prefill 65 to 256 tokens with decodes"),
  MIXED_512("prefill 257 to 512 tokens with decodes"),
  MIXED_MORE("prefill over 512 tokens with decodes");

  private static final int SMALL = 64;
  private static final int MEDIUM = 256;
  private static final int LARGE = 512;

  private final String label;

  StepRegion(String label) {
    this.label = label;
  }

  /// The steps in words.
  public String label() {
    return label;
  }

  /// The kind of a step.
  public static StepRegion of(StepShape shape) {
    if (shape.remoteRows() > 0) {
      return REMOTE;
    }
    if (shape.prefills() == 0) {
      return decode(shape.decodes());
    }
    boolean alone = shape.decodes() == 0;
    if (shape.prefillTokens() <= SMALL) {
      return alone ? PREFILL_64 : MIXED_64;
    }
    if (shape.prefillTokens() <= MEDIUM) {
      return alone ? PREFILL_256 : MIXED_256;
    }
    if (shape.prefillTokens() <= LARGE) {
      return alone ? PREFILL_512 : MIXED_512;
    }
    return alone ? PREFILL_MORE : MIXED_MORE;
  }

  private static StepRegion decode(int decodes) {
    if (decodes <= 1) {
      return DECODE_1;
    }
    if (decodes <= 8) {
      return DECODE_8;
    }
    if (decodes <= 32) {
      return DECODE_32;
    }
    return decodes <= 128 ? DECODE_128 : DECODE_MORE;
  }
}
