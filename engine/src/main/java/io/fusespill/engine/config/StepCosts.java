package io.fusespill.engine.config;

/// What a step of a place is believed to cost, as a roofline in whole numbers: the coefficients
/// from which policies estimate. They are part of the configuration, so a replay estimates the
/// same.
///
/// A step takes `overhead + max(weights, tokens · linear) + head + attention + tokens · token`. For
/// a host that attends, only `overhead`, `context` and `decode` count: the hand-off of a step,
/// reading the KV of a token, and the hand-off of a row.
///
/// All are at least 0 and at most [#TERM_MAX].
///
/// @param overheadNanos fixed time of a step
/// @param weightNanos reading the weights of the linear layers once
/// @param linearPicos arithmetic of the linear layers for one token
/// @param headNanos reading the output head once
/// @param headPicos arithmetic of the output head for one sampled token
/// @param contextPicos decode attention over one token of KV
/// @param decodePicos what each decoding sequence adds besides
/// @param pairPicos prefill attention for one query-key pair
/// @param tokenPicos activations and communication of one token
public record StepCosts(
    long overheadNanos,
    long weightNanos,
    long linearPicos,
    long headNanos,
    long headPicos,
    long contextPicos,
    long decodePicos,
    long pairPicos,
    long tokenPicos) {

  /// A place of which nothing is known.
  public static final StepCosts NONE = new StepCosts(0, 0, 0, 0, 0, 0, 0, 0, 0);

  /// The largest of any of these numbers: 1,000 seconds in nanoseconds, one in picoseconds.
  public static final long TERM_MAX = 1_000_000_000_000L;

  public StepCosts {
    Check.range("overheadNanos", overheadNanos, 0, TERM_MAX);
    Check.range("weightNanos", weightNanos, 0, TERM_MAX);
    Check.range("linearPicos", linearPicos, 0, TERM_MAX);
    Check.range("headNanos", headNanos, 0, TERM_MAX);
    Check.range("headPicos", headPicos, 0, TERM_MAX);
    Check.range("contextPicos", contextPicos, 0, TERM_MAX);
    Check.range("decodePicos", decodePicos, 0, TERM_MAX);
    Check.range("pairPicos", pairPicos, 0, TERM_MAX);
    Check.range("tokenPicos", tokenPicos, 0, TERM_MAX);
  }
}
