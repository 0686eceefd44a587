package io.fusespill.live;

import io.fusespill.engine.plan.Ints;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.traces.SeededRandom;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// A prompt of a benchmark, and how long its output is to be.
///
/// @param ids the prompt's token ids, at least one
/// @param outputTokens from 1
public record SizedPrompt(Ints ids, int outputTokens) {

  /// Shortest prompts first; of two alike the one that came first.
  public static final Comparator<SizedPrompt> BY_PROMPT =
      Comparator.comparingInt(prompt -> prompt.ids().size());

  /// A prompt of random token ids.
  ///
  /// @param vocabulary ids there are
  /// @param random the ids are drawn from
  public static SizedPrompt random(
      int promptTokens, int outputTokens, int vocabulary, SeededRandom random) {
    int[] ids = new int[promptTokens];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = random.nextInt(0, vocabulary - 1);
    }
    return new SizedPrompt(Ints.of(ids), outputTokens);
  }

  /// Prompt and output.
  public int totalTokens() {
    return ids.size() + outputTokens;
  }

  /// The request for it, which goes on to its length whatever the model says, as vLLM's benchmarks
  /// do. The engine is told no more of that length than that a sequence may be as long as any.
  ///
  /// @param arrivalNanos from the start of the run
  /// @param hinted whether the policy is told the length after all
  /// @param maxModelTokens the longest sequence, at least as long as this one
  public TextRequest request(
      long arrivalNanos,
      int samples,
      double temperature,
      long seed,
      boolean hinted,
      int maxModelTokens) {
    SamplingParams params =
        new SamplingParams(
            samples,
            temperature,
            0,
            1,
            0,
            1,
            0,
            0,
            OptionalLong.of(seed),
            List.of(),
            List.of(),
            0,
            outputTokens,
            true,
            OptionalInt.empty());
    return new TextRequest(arrivalNanos, ids, params, hinted ? outputTokens : 0, maxModelTokens);
  }
}
