package io.fusespill.journal.live;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.RejectionReason;

/// Hears what becomes of one request, once the journal has it.
///
/// The thread that also calls the executor calls here, in log order, so it must not be kept
/// waiting. An exception stops the engine.
public interface RequestListener {

  /// The request has its numbers. No step that computes it has been executed yet.
  void arrived(int request, int firstSequence);

  /// A sample has its next output token.
  ///
  /// @param token the token's id
  default void sampled(int sequence, int token) {}

  /// A sample has ended.
  ///
  /// @param last whether nothing more will be heard of the request; a request that ends before its
  ///   first token ends with its first sequence alone
  void finished(int sequence, FinishReason reason, boolean last);

  /// The request was turned away with all its samples; nothing more will be heard of it.
  ///
  /// @param needed what it would have taken, in the unit of `reason`
  /// @param available what there is, in the same unit
  void rejected(RejectionReason reason, long needed, long available);
}
