package io.fusespill.host.sampling;

import java.util.List;

/// Log-probabilities at one place of an output, from the model's logits as they are: before
/// penalties and temperature.
///
/// @param token the token that was picked
/// @param rank how many tokens are likelier, plus 1
/// @param top the likeliest tokens, likeliest first; of two alike the lower id first
public record TokenLogprobs(int token, float logprob, int rank, List<Top> top) {

  public TokenLogprobs {
    top = List.copyOf(top);
  }

  /// One of the likeliest tokens.
  public record Top(int token, float logprob) {}
}
