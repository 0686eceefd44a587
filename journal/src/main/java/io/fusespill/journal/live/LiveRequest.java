package io.fusespill.journal.live;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.event.Prompt;

/// What a client asks of a live engine.
///
/// @param samples continuations of the prompt, 1 to [EngineLimits#MAX_SAMPLES]
/// @param promptTokens 1 to [EngineLimits#MAX_TOKENS]
/// @param maxOutputTokens output length at which each sample is cut, at least 1
/// @param hintTokens output length that somebody foretells, 0 where nobody does
/// @param prompt with ids for all of the prompt tokens, or none
public record LiveRequest(
    int samples, int promptTokens, int maxOutputTokens, int hintTokens, Prompt prompt) {

  public LiveRequest {
    if (samples > EngineLimits.MAX_SAMPLES
        || promptTokens > EngineLimits.MAX_TOKENS
        || hintTokens > EngineLimits.MAX_TOKENS) {
      throw new IllegalArgumentException(
          "%d samples, %d prompt tokens and a hint of %d: at most %d, %d and %d are legal"
              .formatted(
                  samples,
                  promptTokens,
                  hintTokens,
                  EngineLimits.MAX_SAMPLES,
                  EngineLimits.MAX_TOKENS,
                  EngineLimits.MAX_TOKENS));
    }
    if (samples < 1 || promptTokens < 1 || maxOutputTokens < 1 || hintTokens < 0) {
      throw new IllegalArgumentException(
          "%d samples, %d prompt tokens and a maximum of %d output tokens: each must be at least 1"
              .formatted(samples, promptTokens, maxOutputTokens));
    }
    int ids = Math.ceilDiv(promptTokens, prompt.tokensPerId());
    if (!prompt.ids().isEmpty() && prompt.ids().size() != ids) {
      throw new IllegalArgumentException(
          "%d prompt tokens and %d ids, one for each %d tokens: %d or none are legal"
              .formatted(promptTokens, prompt.ids().size(), prompt.tokensPerId(), ids));
    }
  }

  /// A request without text.
  public static LiveRequest of(int samples, int promptTokens, int maxOutputTokens) {
    return new LiveRequest(samples, promptTokens, maxOutputTokens, 0, Prompt.NONE);
  }
}
