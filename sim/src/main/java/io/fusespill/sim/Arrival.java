package io.fusespill.sim;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.event.Prompt;

/// A request as it comes to a simulation: what its client says, and what only the simulated world
/// knows of it.
///
/// @param atNanos when it arrives, in nanoseconds since the run's start, 0 or more
/// @param promptTokens tokens of its prompt, 1 to [EngineLimits#MAX_TOKENS]
/// @param samples parallel samples, 1 to [EngineLimits#MAX_SAMPLES]
/// @param maxOutputTokens output length at which its client has it cut; [#NO_MAXIMUM] for as much
///   as the model allows
/// @param declaredOutputTokens output length that somebody foretells, 0 where nobody does
/// @param outputTokens tokens that each sample really generates unless it is cut, at least 1
/// @param cancelledAfterNanos how long after its arrival the client gives it up; [#NEVER] where it
///   does not
/// @param prompt what its prompt begins with, without parameters
public record Arrival(
    long atNanos,
    int promptTokens,
    int samples,
    int maxOutputTokens,
    int declaredOutputTokens,
    int outputTokens,
    long cancelledAfterNanos,
    Prompt prompt) {

  /// Stands for "as many output tokens as the model allows".
  public static final int NO_MAXIMUM = 0;

  /// Stands for "its client waits for it".
  public static final long NEVER = -1;

  public Arrival {
    require("atNanos", atNanos, 0, Long.MAX_VALUE);
    require("promptTokens", promptTokens, 1, EngineLimits.MAX_TOKENS);
    require("samples", samples, 1, EngineLimits.MAX_SAMPLES);
    require("maxOutputTokens", maxOutputTokens, NO_MAXIMUM, Integer.MAX_VALUE);
    require("declaredOutputTokens", declaredOutputTokens, 0, EngineLimits.MAX_TOKENS);
    require("outputTokens", outputTokens, 1, EngineLimits.MAX_TOKENS);
    require("cancelledAfterNanos", cancelledAfterNanos, NEVER, Long.MAX_VALUE);
  }

  /// A request that shares its prompt with none.
  public Arrival(
      long atNanos,
      int promptTokens,
      int samples,
      int maxOutputTokens,
      int declaredOutputTokens,
      int outputTokens,
      long cancelledAfterNanos) {
    this(
        atNanos,
        promptTokens,
        samples,
        maxOutputTokens,
        declaredOutputTokens,
        outputTokens,
        cancelledAfterNanos,
        Prompt.NONE);
  }

  private static void require(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s of an arrival is %d, must be %d to %d".formatted(name, value, min, max));
    }
  }

  /// The same request at another time; its client is as patient as before.
  public Arrival at(long nanos) {
    return new Arrival(
        nanos,
        promptTokens,
        samples,
        maxOutputTokens,
        declaredOutputTokens,
        outputTokens,
        cancelledAfterNanos,
        prompt);
  }

  /// The same request with another number of samples.
  public Arrival withSamples(int samples) {
    return new Arrival(
        atNanos,
        promptTokens,
        samples,
        maxOutputTokens,
        declaredOutputTokens,
        outputTokens,
        cancelledAfterNanos,
        prompt);
  }
}
