package io.fusespill.replay.explain;

/// How long a sequence was in a phase and place altogether.
///
/// @param place -1 while it waits or moves
public record TimeIn(Phase phase, int place, long nanos) {}
