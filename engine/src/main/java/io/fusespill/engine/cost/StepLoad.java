package io.fusespill.engine.cost;

/// What a step computes, as far as its time depends on it; grows entry by entry.
public final class StepLoad {

  int tokens;
  int rows;
  int decodes;
  long context;
  long pairs;
  int remoteRows;
  long remoteContext;

  /// Nothing to compute.
  public void clear() {
    tokens = 0;
    rows = 0;
    decodes = 0;
    context = 0;
    pairs = 0;
    remoteRows = 0;
    remoteContext = 0;
  }

  /// One token of a sequence with `computed` tokens before it, attended for on the device.
  public void addDecode(int computed) {
    tokens++;
    rows++;
    decodes++;
    context += computed + 1L;
  }

  /// Takes [#addDecode] back.
  public void removeDecode(int computed) {
    tokens--;
    rows--;
    decodes--;
    context -= computed + 1L;
  }

  /// One token of a sequence with `computed` tokens before it, attended for by a host.
  public void addRemote(int computed) {
    tokens++;
    rows++;
    remoteRows++;
    remoteContext += computed + 1L;
  }

  /// Takes [#addRemote] back.
  public void removeRemote(int computed) {
    tokens--;
    rows--;
    remoteRows--;
    remoteContext -= computed + 1L;
  }

  /// `newTokens` tokens of a prompt after `computed` ones.
  public void addPrefill(int computed, int newTokens) {
    tokens += newTokens;
    rows++;
    pairs += (long) newTokens * computed + (long) newTokens * (newTokens + 1L) / 2;
  }

  public int tokens() {
    return tokens;
  }

  /// Sequences that get a token.
  public int rows() {
    return rows;
  }

  /// KV tokens that decode attention on the device reads.
  public long context() {
    return context;
  }

  /// KV tokens that attention on the host reads.
  public long remoteContext() {
    return remoteContext;
  }

  public int remoteRows() {
    return remoteRows;
  }
}
