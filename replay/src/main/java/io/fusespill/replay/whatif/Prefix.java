package io.fusespill.replay.whatif;

import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;

/// How much of a log a branch shares with it: everything up to a position, and what belongs to that
/// event.
///
/// To an input belongs what follows from it by rule, whoever decides. To a decision belong the
/// others of its instant: a policy's decisions of one instant are one, and nobody takes over half
/// of them. Lives for one log.
public final class Prefix {

  private final long position;
  private long last = -1;
  private long lastNanos;
  private boolean decision;
  private long beforeDecisions = -1;

  /// @param position of the last event that the branch shares for certain, at least 0
  public Prefix(long position) {
    this.position = position;
  }

  /// Takes the log's next event and says whether the branch shares it. After the first that it does
  /// not, there are no more.
  public boolean shares(long next, EngineEvent event) {
    boolean given = event instanceof InputEvent || byRule(event);
    if (next > position) {
      boolean belongs =
          decision ? !(event instanceof InputEvent) && event.atNanos() == lastNanos : byRule(event);
      if (!belongs) {
        return false;
      }
    } else {
      decision = !given;
      if (given) {
        beforeDecisions = next;
      }
    }
    last = next;
    lastNanos = event.atNanos();
    return true;
  }

  private static boolean byRule(EngineEvent event) {
    return switch (event) {
      case SequenceFinished finished -> true;
      case SequencePreempted preempted -> preempted.reason() == PreemptionReason.STEP_FAILED;
      case RequestRejected rejected -> rejected.reason() == RejectionReason.TOO_MANY_SAMPLES;
      default -> false;
    };
  }

  /// Whether the log comes as far as the position.
  public boolean reached() {
    return last >= position;
  }

  /// Position of the last event that is shared, -1 before the first.
  public long last() {
    return last;
  }

  /// Time of that event.
  public long lastNanos() {
    return lastNanos;
  }

  /// Whether the event at the position is a decision of the log's own policy.
  public boolean endsWithDecisions() {
    return decision;
  }

  /// The last position before the decisions of that instant: a branch off there decides them anew.
  public long beforeDecisions() {
    return beforeDecisions;
  }
}
