package io.fusespill.sim;

import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Sequence;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Ends a simulation that goes on for ever and serves nobody.
///
/// A policy whose sequences take turns in giving their KV up would otherwise fill a journal without
/// end, for virtual time costs nothing.
final class ProgressGuard {

  /*
   * Progress is an output token, a request that comes, that its client gives up, or that ends. What
   * lies between two of them is bounded in a run that comes to an end.
   *
   * An instant without progress is one of a step, of a transfer or of a failure. A step computes at
   * least a token. The tokens that may have to be computed before there is an output token again
   * are, at most, all tokens of those sequences that hold KV or have lost it: half-computed prompts,
   * and what is recomputed. Sequences that have not begun do not count, for whoever begins with
   * them makes them hold KV.
   *
   * Nobody plans a token a step where a sequence has many to compute, so INSTANTS_PER_TOKEN leaves
   * room for each to be recomputed again and again, and INSTANTS_MIN for the transfers and failures
   * of all sequences, of which each sequence bears a few. A run that stops here has thus worked
   * through everything several times and has come to nothing.
   */
  static final long INSTANTS_MIN = 100_000;

  private static final long INSTANTS_PER_TOKEN = 4;
  private static final int SEQUENCES_SHOWN = 8;

  private final RunStarted start;
  private final EngineState state;
  private long instants;
  private boolean progress;
  private int arrivedRequests;
  private int liveRequests;

  /// @param state of the engine, which is only read
  ProgressGuard(RunStarted start, EngineState state) {
    this.start = start;
    this.state = state;
  }

  /// An input comes: called before the engine has it.
  void before(InputEvent input) {
    progress |=
        switch (input) {
          case StepCompleted done -> produces(state.stepInFlight(done.device()));
          case RequestCancelled cancelled -> true;
          default -> false;
        };
  }

  private boolean produces(@Nullable StepPlan plan) {
    if (plan == null) {
      return false;
    }
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = state.sequence(plan.sequences().get(i));
      int computed = plan.computedTokens().get(i) + plan.newTokens().get(i);
      if (sequence != null && !sequence.lost() && computed >= sequence.totalTokens()) {
        return true;
      }
    }
    return false;
  }

  /// An instant is over.
  ///
  /// @throws IllegalStateException if there was no progress for too many of them
  void instantOver() {
    if (progress
        || state.nextRequest() != arrivedRequests
        || state.liveRequests() != liveRequests) {
      progress = false;
      arrivedRequests = state.nextRequest();
      liveRequests = state.liveRequests();
      instants = 0;
    } else if (++instants % INSTANTS_MIN == 0 && instants > instantsMax()) {
      throw new IllegalStateException(message());
    }
  }

  private long instantsMax() {
    long tokens = 0;
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null && hasBegun(sequence)) {
        tokens += sequence.totalTokens();
      }
    }
    return INSTANTS_MIN - 1 + INSTANTS_PER_TOKEN * tokens;
  }

  private static boolean hasBegun(Sequence sequence) {
    return sequence.place() != Sequence.NOWHERE || sequence.preemptions() > 0;
  }

  private String message() {
    StringJoiner shown = new StringJoiner("; ");
    int begun = 0;
    for (int id = state.firstSequence(); id < state.nextSequence(); id++) {
      Sequence sequence = state.sequence(id);
      if (sequence != null && hasBegun(sequence) && ++begun <= SEQUENCES_SHOWN) {
        shown.add(describe(sequence));
      }
    }
    if (begun > SEQUENCES_SHOWN) {
      shown.add("and %,d more".formatted(begun - SEQUENCES_SHOWN));
    }
    return ("policy %s makes no progress: %,d instants without an output token or the end of a request, at position %d, %.6f s, with %,d requests live; %s. "
            + "To reproduce: the same requests under the configuration with the digest %s, seed %d")
        .formatted(
            state.config().policy().name(),
            instants,
            state.events(),
            state.nowNanos() / 1e9,
            state.liveRequests(),
            shown,
            start.configDigest(),
            start.seed());
  }

  private String describe(Sequence sequence) {
    return "sequence %d %s%s, %,d of %,d tokens computed, preempted %,d times"
        .formatted(
            sequence.id(),
            sequence.status().name().toLowerCase(Locale.ROOT),
            sequence.place() == Sequence.NOWHERE
                ? ""
                : " in " + state.config().topology().place(sequence.place()).name(),
            sequence.computedTokens(),
            sequence.totalTokens(),
            sequence.preemptions());
  }
}
