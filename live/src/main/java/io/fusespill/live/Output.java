package io.fusespill.live;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What became of a request.
///
/// @param rejection why it was turned away, null where it was not
/// @param samples that began; all that were asked for, unless the request ended before its first
///   token
public record Output(int request, @Nullable RejectionReason rejection, List<Sample> samples) {

  /// One sample's tokens.
  public record Sample(int sample, Ints tokens, FinishReason reason) {}
}
