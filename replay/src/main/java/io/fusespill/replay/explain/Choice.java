package io.fusespill.replay.explain;

import io.fusespill.engine.event.DecisionEvent.HandlingChosen;

/// A handling that was chosen, with what was believed and what came true.
///
/// @param position of the event in its log
/// @param outputTokens output tokens that the sequence had then
public record Choice(long position, HandlingChosen chosen, int outputTokens, Outcome outcome) {}
