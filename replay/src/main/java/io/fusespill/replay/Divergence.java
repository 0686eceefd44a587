package io.fusespill.replay;

import io.fusespill.engine.event.EngineEvent;
import org.jspecify.annotations.Nullable;

/// The first place where re-deciding comes to something else than the journal says.
///
/// @param recorded the journal's event, null where the journal ends first
/// @param decided what was decided again, null where nothing was
/// @param recordedStateHash hash of the state that the journal's event leads to; of the state
///   before it where it leads nowhere
/// @param decidedStateHash the same for what was decided again
public record Divergence(
    long position,
    @Nullable EngineEvent recorded,
    @Nullable EngineEvent decided,
    long recordedStateHash,
    long decidedStateHash) {}
