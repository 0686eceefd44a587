package io.fusespill.replay.diff;

import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.state.EngineState;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Where two logs part: at the first event that is not the same in both, and at the first decision.
///
/// `RunStarted`, `ConfigurationChanged` and checkpoints are passed over, because they say how a run
/// is configured and checked, not what happened in it. Positions may therefore differ where events
/// are the same. The figures beside a step's plan (free blocks, waiting sequences) do not count.
///
/// @param shared events that both logs begin with, those passed over left out
/// @param event where the logs part, in whatever: an input may come at another time; null where
///   they do not
/// @param decision the first decisions that differ in more than their time, however many inputs lie
///   between; null where all are the same
public record Parting(long shared, @Nullable Sides event, @Nullable Sides decision) {

  /// Both sides of a parting.
  public record Sides(Side a, Side b) {}

  /// One log's side.
  ///
  /// @param position of the event; the number of events where the log has ended
  /// @param event null where the log has ended
  /// @param stateHash hash of the state that the event leads to, or of the last state
  public record Side(long position, long atNanos, @Nullable EngineEvent event, long stateHash) {}

  /// Compares two logs.
  ///
  /// @param a gives the first log's next event, null at its end
  /// @throws IllegalStateException if a log's events do not follow from each other
  public static Parting of(Supplier<@Nullable EngineEvent> a, Supplier<@Nullable EngineEvent> b) {
    Walk left = new Walk(a);
    Walk right = new Walk(b);
    long shared = 0;
    left.next();
    right.next();
    while (left.event != null
        && right.event != null
        && plain(left.event).equals(plain(right.event))) {
      shared++;
      left.next();
      right.next();
    }
    if (left.event == null && right.event == null) {
      return new Parting(shared, null, null);
    }
    Sides event = new Sides(left.side(), right.side());
    Encoded first = new Encoded();
    Encoded second = new Encoded();
    left.toDecision();
    right.toDecision();
    while (left.event != null || right.event != null) {
      if (left.event == null
          || right.event == null
          || !first.same(left.event, second, right.event)) {
        return new Parting(shared, event, new Sides(left.side(), right.side()));
      }
      left.next();
      right.next();
      left.toDecision();
      right.toDecision();
    }
    return new Parting(shared, event, null);
  }

  private static EngineEvent plain(EngineEvent event) {
    return event instanceof StepPlanned planned
        ? new StepPlanned(planned.atNanos(), planned.plan(), 0, 0)
        : event;
  }

  /// A log on the way from its first event to its last, with the state folded.
  private static final class Walk {

    private final Supplier<@Nullable EngineEvent> source;
    private final EngineState state = new EngineState();
    private @Nullable EngineEvent event;
    private boolean ended;

    Walk(Supplier<@Nullable EngineEvent> source) {
      this.source = source;
    }

    /// Moves to the next event that counts, or to the end.
    void next() {
      do {
        event = ended ? null : source.get();
        ended = event == null;
        if (event != null) {
          state.apply(event);
        }
      } while (event instanceof RunStarted
          || event instanceof ConfigurationChanged
          || event instanceof Checkpointed);
    }

    /// Moves on to a decision, unless the present event is one.
    void toDecision() {
      while (event != null && !(event instanceof DecisionEvent)) {
        next();
      }
    }

    Side side() {
      long position = event == null ? state.events() : state.events() - 1;
      return new Side(position, state.nowNanos(), event, state.started() ? state.hash() : 0);
    }
  }

  /// An event's bytes, without position and time.
  private static final class Encoded {

    /// Type, version and length; then position, time and checksum, which do not count.
    private static final int HEAD = 8;

    private static final int PAYLOAD = 28;

    private final EventEncoder encoder = new EventEncoder();

    boolean same(EngineEvent mine, Encoded other, EngineEvent others) {
      int length = encoder.encode(0, plain(mine));
      int othersLength = other.encoder.encode(0, plain(others));
      byte[] bytes = encoder.bytes();
      byte[] otherBytes = other.encoder.bytes();
      return Arrays.equals(bytes, 0, HEAD, otherBytes, 0, HEAD)
          && Arrays.equals(bytes, PAYLOAD, length, otherBytes, PAYLOAD, othersLength);
    }
  }
}
