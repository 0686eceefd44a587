package io.fusespill.engine.event;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.plan.Ints;

/// A fact from outside: the only nondeterminism of a run.
///
/// Inputs of one instant are one batch: policies are asked when the batch is complete, that is
/// before time moves on.
public sealed interface InputEvent extends EngineEvent {

  /// The first event of every log; the state's pools come from it.
  ///
  /// @param configDigest SHA-256 in hex of the canonical resolved configuration
  /// @param seed seed of every random choice in the workload and the simulated world
  record RunStarted(
      long atNanos, String engineVersion, String configDigest, long seed, EngineConfig config)
      implements InputEvent {}

  /// The run goes on under another configuration: somebody else decides from here on, or the same
  /// within other limits. Memory, its contents and what is under way stay as they are.
  ///
  /// @param configDigest SHA-256 in hex of the canonical configuration from here on
  /// @param config topology, KV layout and the longest sequence are those of the run
  record ConfigurationChanged(long atNanos, String configDigest, EngineConfig config)
      implements InputEvent {}

  /// A request enters the waiting queue.
  ///
  /// @param request number of the request, counting from 0 without gaps
  /// @param firstSequence number of its first sequence; sample `i` is sequence `firstSequence + i`
  /// @param samples parallel samples, 1 to [EngineLimits#MAX_SAMPLES]; they share the prompt's
  ///   blocks
  /// @param promptTokens 1 to [EngineLimits#MAX_TOKENS]
  /// @param maxOutputTokens output length at which each sample is cut, at least 1
  /// @param hintTokens output length that the client or somebody else foretells, 0 where nobody
  ///   does; under the oracle it is the truth
  /// @param prompt with ids for all of the prompt tokens, or none
  record RequestArrived(
      long atNanos,
      int request,
      int firstSequence,
      int samples,
      int promptTokens,
      int maxOutputTokens,
      int hintTokens,
      Prompt prompt)
      implements InputEvent {

    public RequestArrived {
      if (samples > EngineLimits.MAX_SAMPLES || promptTokens > EngineLimits.MAX_TOKENS) {
        throw new IllegalArgumentException(
            "request %d has %d samples and %d prompt tokens: at most %d and %d are legal"
                .formatted(
                    request,
                    samples,
                    promptTokens,
                    EngineLimits.MAX_SAMPLES,
                    EngineLimits.MAX_TOKENS));
      }
      if (samples < 1 || promptTokens < 1 || maxOutputTokens < 1) {
        throw new IllegalArgumentException(
            "request %d has %d samples, %d prompt tokens and a maximum of %d output tokens: each must be at least 1"
                .formatted(request, samples, promptTokens, maxOutputTokens));
      }
      if (hintTokens < 0 || hintTokens > EngineLimits.MAX_TOKENS) {
        throw new IllegalArgumentException(
            "request %d has a hint of %d output tokens: 0 to %d are legal"
                .formatted(request, hintTokens, EngineLimits.MAX_TOKENS));
      }
      int ids = Math.ceilDiv(promptTokens, prompt.tokensPerId());
      if (!prompt.ids().isEmpty() && prompt.ids().size() != ids) {
        throw new IllegalArgumentException(
            "request %d has %d prompt tokens and %d ids, one for each %d tokens: %d or none are legal"
                .formatted(request, promptTokens, prompt.ids().size(), prompt.tokensPerId(), ids));
      }
    }

    /// A request without text.
    public RequestArrived(
        long atNanos,
        int request,
        int firstSequence,
        int samples,
        int promptTokens,
        int maxOutputTokens,
        int hintTokens) {
      this(
          atNanos,
          request,
          firstSequence,
          samples,
          promptTokens,
          maxOutputTokens,
          hintTokens,
          Prompt.NONE);
    }

    /// A request of whose length nobody says anything.
    public RequestArrived(
        long atNanos,
        int request,
        int firstSequence,
        int samples,
        int promptTokens,
        int maxOutputTokens) {
      this(atNanos, request, firstSequence, samples, promptTokens, maxOutputTokens, 0, Prompt.NONE);
    }
  }

  /// A client gave a request up. Nothing happens where the request has already ended.
  record RequestCancelled(long atNanos, int request) implements InputEvent {}

  /// A step's results are there.
  ///
  /// @param ended sequences whose newest token ended them, in any order; of those that had ended or
  ///   were lost before, it counts for nothing
  /// @param sampledTokens ids of the sampled tokens in entry order, an entry that brings samples to
  ///   life having one for each; -1 where an entry came to nothing because the step ran ahead of an
  ///   end or a loss, or its sequence failed; all or none, and none where the executor has no text
  /// @param busyNanos how long the device was at work on the step, ordered copies aside; 0 where
  ///   that is not known
  record StepCompleted(
      long atNanos, int device, long step, Ints ended, Ints sampledTokens, long busyNanos)
      implements InputEvent {

    /// Results of a step of which it is not known how long the device was at work.
    public StepCompleted(long atNanos, int device, long step, Ints ended, Ints sampledTokens) {
      this(atNanos, device, step, ended, sampledTokens, 0);
    }
  }

  /// A step in flight can sample no token for one of its sequences, which ends for that once the
  /// step is over, and with it samples that were to fork from it. Comes before the step's own
  /// result, which counts for nothing there; where the sequence had ended or was lost before, this
  /// does.
  ///
  /// @param sequence one that takes a token in the step
  record SequenceFailed(long atNanos, int device, long step, int sequence, String cause)
      implements InputEvent {}

  /// A step came to nothing; the KV of its sequences on that device is lost.
  record StepFailed(long atNanos, int device, long step, String cause) implements InputEvent {}

  /// All copies of an asynchronous transfer are done.
  record TransferCompleted(long atNanos, int transfer) implements InputEvent {}

  /// An asynchronous transfer came to nothing; its source blocks are intact.
  record TransferFailed(long atNanos, int transfer, String cause) implements InputEvent {}

  /// A place is gone with all KV that lay there: its sequences are recomputed elsewhere, and
  /// nothing is planned there until it is restored. What is in flight there is said to have failed
  /// after this, one by one; it does not count as an attempt of the sequences.
  record PlaceFailed(long atNanos, int place, String cause) implements InputEvent {}

  /// A place that had failed is there again, empty.
  record PlaceRestored(long atNanos, int place) implements InputEvent {}
}
