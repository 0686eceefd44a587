package io.fusespill.replay;

import io.fusespill.engine.event.EngineEvent;
import org.jspecify.annotations.Nullable;

/// The first place where re-deciding comes to something else than the journal says.
///
/// @param recorded the journal's event, null where the journal ends first
/// @param decided what was decided again, null where nothing was
/// @param recordedStateHash hash of the state that the journal's events before `position` fold to
/// @param decidedStateHash hash of the re-deciding engine's state
public record Divergence(
    long position,
    @Nullable EngineEvent recorded,
    @Nullable EngineEvent decided,
    long recordedStateHash,
    long decidedStateHash) {}
