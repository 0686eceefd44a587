package io.fusespill.engine.state;

/// Sequences in order, as policies see them.
public sealed interface SequenceQueue permits SequenceDeque {

  int size();

  /// The sequence at `index`, 0 being the front.
  Sequence get(int index);

  default boolean isEmpty() {
    return size() == 0;
  }
}
