package io.fusespill.engine.state;

/// What a client asked for: one prompt, one or more samples.
public final class Request {

  private final int id;
  private final int firstSequence;
  private final int samples;
  private final int promptTokens;
  private final int maxOutputTokens;
  private final long arrivalNanos;
  int liveSequences;
  boolean cancelled;

  Request(
      int id,
      int firstSequence,
      int samples,
      int promptTokens,
      int maxOutputTokens,
      long arrivalNanos) {
    this.id = id;
    this.firstSequence = firstSequence;
    this.samples = samples;
    this.promptTokens = promptTokens;
    this.maxOutputTokens = maxOutputTokens;
    this.arrivalNanos = arrivalNanos;
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
