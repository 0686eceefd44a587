package io.fusespill.engine.event;

import io.fusespill.engine.plan.Ints;

/// What a request asks for, in the executor's terms: nothing is decided by it, and a run can go on
/// from its journal because it is there.
///
/// @param ids the prompt's token ids; empty where the executor has no text
/// @param parameters how tokens are chosen, in whatever words the executor understands; empty for
///   its defaults
public record Prompt(Ints ids, String parameters) {

  /// Of a request without text.
  public static final Prompt NONE = new Prompt(Ints.EMPTY, "");
}
