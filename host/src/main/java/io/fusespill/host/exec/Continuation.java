package io.fusespill.host.exec;

import io.fusespill.host.random.CounterRandom;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenCounts;
import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.host.tokenizer.TextStream;
import io.fusespill.host.tokenizer.Tokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How one sample of a request goes on: which token comes next, and which one ends it. Not
/// thread-safe.
final class Continuation {

  private final SamplingParams params;
  private final List<Integer> eosIds;
  private final int sample;
  private final boolean endsAtMaximum;
  private final TokenCounts counts = new TokenCounts();
  private final @Nullable TextStream text;
  private int outputs;
  private boolean ended;
  private boolean stopped;

  /// @param eosIds ids that end a sequence of the model
  /// @param tokenizer for stop strings; null where the model has none
  /// @param sample index among the request's samples
  /// @param endsAtMaximum whether nobody else ends the sample at its maximum of tokens
  /// @throws IllegalArgumentException if there are stop strings and no tokenizer
  Continuation(
      SamplingParams params,
      List<Integer> eosIds,
      @Nullable Tokenizer tokenizer,
      int sample,
      boolean endsAtMaximum,
      int[] prompt) {
    this.params = params;
    this.eosIds = eosIds;
    this.sample = sample;
    this.endsAtMaximum = endsAtMaximum;
    if (!params.stop().isEmpty() && tokenizer == null) {
      throw new IllegalArgumentException(
          "stop strings %s need a tokenizer; name its folder with --tokenizer"
              .formatted(params.stop()));
    }
    text =
        params.stop().isEmpty() || tokenizer == null
            ? null
            : new TextStream(tokenizer, prompt, params.stop(), params.minTokens());
    for (int token : prompt) {
      counts.addPrompt(token);
    }
  }

  /// Chooses the next token: the same logits after the same tokens give the same, -1 where they are
  /// of no use.
  int choose(Sampler sampler, float[] logits) {
    return sampler.next(logits, 0, params, counts, eosIds, sample, outputs);
  }

  /// How the token at `position` of the output is drawn where the logits alone decide; null where
  /// they do not.
  @Nullable Draw draw(int position) {
    boolean masked =
        position < params.minTokens() && !(eosIds.isEmpty() && params.stopTokenIds().isEmpty());
    if (params.penalises() || masked || params.logprobs().isPresent()) {
      return null;
    }
    if (params.greedy()) {
      return Draw.GREEDY;
    }
    if (params.seed().isEmpty()) {
      return null;
    }
    return new Draw(
        params.temperature(),
        params.topK(),
        params.topP(),
        params.minP(),
        CounterRandom.key(params.seed().getAsLong(), sample),
        position);
  }

  /// What the request wants to know of a token picked from these logits; null where it asks
  /// nothing.
  @Nullable TokenLogprobs logprobs(Sampler sampler, float[] logits, int token) {
    return params.logprobs().isEmpty()
        ? null
        : sampler.logprobs(logits, 0, token, params.logprobs().getAsInt());
  }

  /// Takes the next output token, and says whether the sample ends with it.
  boolean accept(int token) {
    outputs++;
    counts.addOutput(token);
    boolean stops = stops(token);
    boolean ends = stops || (endsAtMaximum && outputs >= params.maxTokens());
    if (ends && !ended) {
      ended = true;
      stopped = stops;
    }
    return ends;
  }

  /// Whether the sample ended with a token or text that ends it, be it that it had all of its
  /// tokens then. A step that ran ahead changes nothing of that.
  boolean stopped() {
    return stopped;
  }

  private boolean stops(int token) {
    if (text != null) {
      text.add(token);
      if (text.stopped()) {
        return true;
      }
    }
    return outputs >= params.minTokens()
        && (params.stopTokenIds().contains(token)
            || (!params.ignoreEos() && eosIds.contains(token)));
  }
}
