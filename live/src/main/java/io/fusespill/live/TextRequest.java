package io.fusespill.live;

import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.tokenizer.TextStream;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.journal.live.LiveRequest;
import java.util.List;

/// A request of a live run.
///
/// @param arrivalNanos from the start of the run
/// @param promptIds the prompt's token ids, at least one
/// @param hintTokens output length that somebody foretells, 0 where nobody does
/// @param maxOutputTokens what the engine is told to be the most, at least the parameters' maximum.
///   Where it is more, the executor ends the output at that, and no policy can learn from the
///   request how long the output will be: for benchmarks.
public record TextRequest(
    long arrivalNanos, Ints promptIds, SamplingParams params, int hintTokens, int maxOutputTokens) {

  public TextRequest {
    if (maxOutputTokens < params.maxTokens()) {
      throw new IllegalArgumentException(
          "the engine is told of at most %d output tokens, must be at least the %d of the parameters"
              .formatted(maxOutputTokens, params.maxTokens()));
    }
  }

  /// A request whose maximum everybody knows.
  public TextRequest(long arrivalNanos, Ints promptIds, SamplingParams params, int hintTokens) {
    this(arrivalNanos, promptIds, params, hintTokens, params.maxTokens());
  }

  /// @param vocabulary ids that the model knows
  /// @param text whether there is a tokenizer
  /// @throws LiveException if a model of that kind cannot serve the request
  void check(int request, int vocabulary, boolean text) {
    if (promptIds.isEmpty()) {
      throw new LiveException("the prompt of request %d is empty".formatted(request));
    }
    for (int i = 0; i < promptIds.size(); i++) {
      int id = promptIds.get(i);
      if (id < 0 || id >= vocabulary) {
        throw new LiveException(
            "token %d of request %d is %d, must be 0 to %d: the tokenizer is not this model's"
                .formatted(i, request, id, vocabulary - 1));
      }
    }
    if (!params.stop().isEmpty() && !text) {
      throw new LiveException(
          "request %d has stop strings %s, which need a tokenizer: name its folder with --tokenizer"
              .formatted(request, params.stop()));
    }
    if (!params.greedy() && params.seed().isEmpty()) {
      throw new LiveException(
          "request %d draws at temperature %s and has no seed: give it one"
              .formatted(request, params.temperature()));
    }
  }

  /// Samples of the request that has most.
  public static int samplesMax(List<TextRequest> requests) {
    return requests.stream().mapToInt(request -> request.params().n()).max().orElse(0);
  }

  /// A text that begins, for one of the samples.
  public TextStream text(Tokenizer tokenizer) {
    int[] prompt = new int[promptIds.size()];
    for (int i = 0; i < prompt.length; i++) {
      prompt[i] = promptIds.get(i);
    }
    return new TextStream(tokenizer, prompt, params.stop(), params.minTokens());
  }

  /// The request as the engine takes it.
  LiveRequest live() {
    return new LiveRequest(
        params.n(),
        promptIds.size(),
        maxOutputTokens,
        hintTokens,
        new Prompt(promptIds, params.toJson()));
  }
}
