package io.fusespill.replay.explain;

/// Hears what a sequence does.
interface LifeListener {

  /// Hears nothing.
  LifeListener DEAF = new LifeListener() {};

  /// From `now` on it is in this phase and place; before, it was in another.
  default void turned(long now, Phase phase, int place) {}

  /// A step is done with it, still in the phase of that step.
  ///
  /// @param tokens computed by it, 0 if they count for nothing
  default void stepped(int tokens, int recomputedTokens) {}

  default void noted(Moment moment) {}

  /// A choice whose outcome is still to come.
  default void chosen(ChoiceTrack choice) {}

  /// Nothing happens to it any more.
  default void closed(long now) {}

  /// Another that has heard the same so far, for a sample.
  default LifeListener fork() {
    return this;
  }
}
