package io.fusespill.cli;

import io.fusespill.host.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How output tokens are picked and when an output ends, by the names of vLLM's `SamplingParams`.
final class SamplingOptions {

  @Option(
      names = {"-n", "--n"},
      defaultValue = "1",
      paramLabel = "N",
      description = "Samples of each prompt, sharing its KV blocks (default 1).")
  private int n;

  @Option(
      names = "--max-tokens",
      defaultValue = "128",
      paramLabel = "N",
      description = "Output tokens at most (default 128).")
  private int maxTokens;

  @Option(
      names = "--min-tokens",
      defaultValue = "0",
      paramLabel = "N",
      description = "Output tokens before anything may end the output (default 0).")
  private int minTokens;

  @Option(
      names = "--temperature",
      defaultValue = "1",
      paramLabel = "T",
      description = "0 (the likeliest token) to 100 (default 1).")
  private double temperature;

  @Option(
      names = "--top-k",
      defaultValue = "0",
      paramLabel = "K",
      description = "Keep the K likeliest tokens (default 0: all).")
  private int topK;

  @Option(
      names = "--top-p",
      defaultValue = "1",
      paramLabel = "P",
      description =
          "Keep the likeliest tokens that have this share of the probability (default 1: all).")
  private double topP;

  @Option(
      names = "--min-p",
      defaultValue = "0",
      paramLabel = "P",
      description = "Keep tokens at least this share as likely as the likeliest (default 0: all).")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      defaultValue = "1",
      paramLabel = "X",
      description = "Above 1: tokens of prompt and output become less likely (default 1).")
  private double repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      defaultValue = "0",
      paramLabel = "X",
      description = "Taken off the logits of tokens in the output, -2 to 2 (default 0).")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      defaultValue = "0",
      paramLabel = "X",
      description = "The same for each time that a token is in the output (default 0).")
  private double frequencyPenalty;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Text that ends the output and is no part of it; may be given again.")
  private List<String> stop = new ArrayList<>();

  @Option(
      names = "--stop-token-ids",
      split = ",",
      paramLabel = "ID",
      description = "Ids that end the output, beside the model's own.")
  private List<Integer> stopTokenIds = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Go on when the model would end, to --max-tokens.")
  private boolean ignoreEos;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description = "Print each token's log-probability, and those of the N likeliest, 0 to 20.")
  private @Nullable Integer logprobs;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  SamplingOptions() {}

  /// @param seed of what is random
  /// @throws UsageException if a value is not legal
  SamplingParams params(long seed) {
    try {
      return new SamplingParams(
          n,
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          presencePenalty,
          frequencyPenalty,
          OptionalLong.of(seed),
          stop,
          stopTokenIds,
          minTokens,
          maxTokens,
          ignoreEos,
          logprobs == null ? OptionalInt.empty() : OptionalInt.of(logprobs));
    } catch (IllegalArgumentException e) {
      throw new UsageException(option(String.valueOf(e.getMessage())), e);
    }
  }

  /// The message with options in the place of the parameter that it begins with, and of another.
  private static String option(String message) {
    int end = message.indexOf(' ');
    String rest = message.substring(end).replace("max_tokens", "--max-tokens");
    return "--" + message.substring(0, end).replace('_', '-') + rest;
  }
}
