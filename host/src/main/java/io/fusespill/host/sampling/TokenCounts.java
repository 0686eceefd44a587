package io.fusespill.host.sampling;

import java.util.Arrays;

/// Which tokens a sequence has, for penalties: those of its prompt, and how often each is in its
/// output. Not thread-safe.
public final class TokenCounts {

  private static final int EMPTY = -1;
  private static final int IN_PROMPT = 1 << 31;

  // Open addressing: ids[slot] is a token or EMPTY, values[slot] its count with the prompt's flag.
  private int[] ids;
  private int[] values;
  private int size;

  public TokenCounts() {
    ids = new int[16];
    values = new int[16];
    Arrays.fill(ids, EMPTY);
  }

  /// A copy, for a sample that forks from the sequence.
  public TokenCounts(TokenCounts other) {
    ids = other.ids.clone();
    values = other.values.clone();
    size = other.size;
  }

  /// Notes a token of the prompt.
  public void addPrompt(int token) {
    int slot = slot(token);
    values[slot] |= IN_PROMPT;
  }

  /// Notes one more output token.
  public void addOutput(int token) {
    int slot = slot(token);
    values[slot]++;
  }

  /// How often the token is in the output.
  public int outputs(int token) {
    int slot = find(token);
    return ids[slot] == EMPTY ? 0 : values[slot] & ~IN_PROMPT;
  }

  /// Applies the penalties to the logits of all tokens noted.
  void penalise(float[] logits, SamplingParams params) {
    float repetition = (float) params.repetitionPenalty();
    for (int slot = 0; slot < ids.length; slot++) {
      int token = ids[slot];
      if (token == EMPTY || token >= logits.length) {
        continue;
      }
      float logit = logits[token];
      logit = logit > 0 ? logit / repetition : logit * repetition;
      int outputs = values[slot] & ~IN_PROMPT;
      if (outputs > 0) {
        logit -= (float) params.frequencyPenalty() * outputs;
        logit -= (float) params.presencePenalty();
      }
      logits[token] = logit;
    }
  }

  /// The slot of a token, which is added if it is new.
  private int slot(int token) {
    if (token < 0) {
      throw new IllegalArgumentException("token id %d; legal: from 0".formatted(token));
    }
    int slot = find(token);
    if (ids[slot] == EMPTY) {
      if (2 * (size + 1) > ids.length) {
        grow();
        slot = find(token);
      }
      ids[slot] = token;
      size++;
    }
    return slot;
  }

  private int find(int token) {
    int slot = ((token * 0x9e3779b9) >>> 7) & (ids.length - 1);
    while (ids[slot] != token && ids[slot] != EMPTY) {
      slot = (slot + 1) & (ids.length - 1);
    }
    return slot;
  }

  private void grow() {
    int[] oldIds = ids;
    int[] oldValues = values;
    ids = new int[2 * oldIds.length];
    values = new int[ids.length];
    Arrays.fill(ids, EMPTY);
    for (int i = 0; i < oldIds.length; i++) {
      if (oldIds[i] != EMPTY) {
        int slot = find(oldIds[i]);
        ids[slot] = oldIds[i];
        values[slot] = oldValues[i];
      }
    }
  }
}
