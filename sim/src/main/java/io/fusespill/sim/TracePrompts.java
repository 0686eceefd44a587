package io.fusespill.sim;

import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.plan.Ints;
import io.fusespill.traces.TraceRequest;
import java.util.HashMap;
import java.util.Map;

/// What the prompts of one trace begin with, as events say it: prefix hashes, numbered in the order
/// in which they come. Not thread-safe.
public final class TracePrompts {

  private final Map<Long, Integer> numbers = new HashMap<>();

  /// [Prompt#NONE] where the request has no hashes, or its parts are of any length.
  public Prompt of(TraceRequest request) {
    if (request.tokensPerHash() == 0) {
      return Prompt.NONE;
    }
    int[] parts = new int[request.prefixHashes().length];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = numbers.computeIfAbsent(request.prefixHashes()[i], unknown -> numbers.size());
    }
    return new Prompt(Ints.of(parts), request.tokensPerHash(), "");
  }
}
