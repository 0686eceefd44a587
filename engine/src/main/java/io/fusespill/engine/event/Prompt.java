package io.fusespill.engine.event;

import io.fusespill.engine.plan.Ints;

/// What a request asks for, in the executor's terms: a run can go on from its journal because it is
/// there. The engine looks at one thing only: under a policy that caches prefixes, two prompts
/// whose ids begin alike begin with the same tokens.
///
/// @param ids the prompt's token ids, or what stands for `tokensPerId` of its tokens each, from the
///   front; empty where neither is known
/// @param tokensPerId tokens that an id stands for, at least 1, the last one perhaps for fewer; 1
///   where ids are tokens, or there are none
/// @param parameters how tokens are chosen, in whatever words the executor understands; empty for
///   its defaults
public record Prompt(Ints ids, int tokensPerId, String parameters) {

  /// Of a request without text.
  public static final Prompt NONE = new Prompt(Ints.EMPTY, 1, "");

  public Prompt {
    if (tokensPerId < 1 || (ids.isEmpty() && tokensPerId > 1)) {
      throw new IllegalArgumentException(
          "an id of a prompt stands for %d tokens: must be at least 1, and 1 where there are none"
              .formatted(tokensPerId));
    }
  }

  /// A prompt of these tokens.
  public Prompt(Ints ids, String parameters) {
    this(ids, 1, parameters);
  }
}
