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
  ///
  /// @param reason as the request's client sees it, which is vLLM's: `STOP` where a token or text
  ///   that ends it was the last, also of `max_tokens`, of which the engine knows only the length;
  ///   otherwise `LENGTH` where it has `max_tokens`, also where the engine was told of a larger
  ///   maximum and knows only that it ended
  public record Sample(int sample, Ints tokens, FinishReason reason) {}
}
