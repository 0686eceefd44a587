package io.fusespill.engine.state;

import io.fusespill.engine.event.Prompt;

/// What a client asked for: one prompt, one or more samples.
public final class Request {

  private final int id;
  private final int firstSequence;
  private final int samples;
  private final int promptTokens;
  private final int maxOutputTokens;
  private final int hintTokens;
  private final long arrivalNanos;

  /// Tokens of a sequence, prompt included, at which it ends whatever the model says.
  final int lengthLimit;

  private final Prompt prompt;
  private final int promptHash;

  /// What the full blocks of its prompt hold, kept from its first admission on where prefixes are
  /// cached.
  final PrefixTree.Beginning beginning = new PrefixTree.Beginning();

  int liveSequences;
  boolean cancelled;

  Request(
      int id,
      int firstSequence,
      int samples,
      int promptTokens,
      int maxOutputTokens,
      int hintTokens,
      int maxModelTokens,
      Prompt prompt,
      long arrivalNanos) {
    this.id = id;
    this.firstSequence = firstSequence;
    this.samples = samples;
    this.promptTokens = promptTokens;
    this.maxOutputTokens = maxOutputTokens;
    this.hintTokens = hintTokens;
    this.prompt = prompt;
    this.promptHash = prompt.ids().hashCode();
    this.arrivalNanos = arrivalNanos;
    this.lengthLimit =
        (int) Math.min((long) promptTokens + maxOutputTokens, (long) maxModelTokens + 1);
  }

  Prompt prompt() {
    return prompt;
  }

  /// A hash of its ids.
  int promptHash() {
    return promptHash;
  }

  public int id() {
    return id;
  }

  public int firstSequence() {
    return firstSequence;
  }

  public int samples() {
    return samples;
  }

  public int promptTokens() {
    return promptTokens;
  }

  public int maxOutputTokens() {
    return maxOutputTokens;
  }

  /// Output tokens of a sequence at which it ends whatever the model says: its own maximum, or as
  /// many as the longest context allows.
  public int outputTokensMax() {
    return lengthLimit - promptTokens;
  }

  /// Output length that somebody foretold, 0 where nobody did.
  public int hintTokens() {
    return hintTokens;
  }

  public long arrivalNanos() {
    return arrivalNanos;
  }

  /// Sequences that exist and have not ended.
  public int liveSequences() {
    return liveSequences;
  }

  public boolean cancelled() {
    return cancelled;
  }
}
