package io.fusespill.replay;

import io.fusespill.engine.Engine;
import io.fusespill.engine.InputException;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.engine.state.EngineState;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Decides a log again from its inputs alone and compares every event's bytes.
///
/// Events are given in order to [#accept]. Policies are asked where the log's times say that they
/// were: when the inputs of one instant are all there. Two more states fold what both sides agree
/// on, so that a divergence can say where each side's event leads. Memory follows the live
/// requests.
public final class Verifier {

  /// One event that the engine has decided and the journal has not confirmed yet.
  @SuppressWarnings("ArrayRecordComponent") // compared by content, byte for byte
  private record Decided(long position, EngineEvent event, byte[] bytes) {}

  private final EventEncoder encoder = new EventEncoder();
  private final Deque<Decided> decided = new ArrayDeque<>();
  private final EngineState recorded = new EngineState();
  private final EngineState confirmed = new EngineState();
  private @Nullable EngineEvent last;
  private final Function<EngineConfig, SchedulingPolicy> policies;
  private @Nullable Engine engine;
  private @Nullable Divergence divergence;
  private boolean asked = true;
  private long nowNanos;
  private long positions;
  private long inputs;
  private long decisions;

  /// Decides again under the policy that the log names.
  public Verifier() {
    this(PolicyKind::create);
  }

  /// Decides again under a policy of the caller's.
  public Verifier(Function<EngineConfig, SchedulingPolicy> policies) {
    this.policies = policies;
  }

  /// Takes the journal's next event.
  ///
  /// @return whether it is what re-deciding comes to; after the first `false` nothing more is
  ///   compared
  public boolean accept(long position, EngineEvent event, byte[] bytes, int length) {
    if (divergence != null) {
      return false;
    }
    try {
      if (event instanceof InputEvent input) {
        feed(input);
      } else if (decided.isEmpty() && !asked) {
        ask();
      }
    } catch (InputException | IllegalStateException e) {
      return diverge(position, event, null);
    }
    if (decided.isEmpty() && event instanceof Checkpointed && engine != null) {
      engine.checkpoint();
    }
    Decided next = decided.poll();
    if (next == null || next.position() != position || !matches(next, bytes, length)) {
      return diverge(position, event, next == null ? null : next.event());
    }
    if (event instanceof InputEvent) {
      inputs++;
    } else {
      decisions++;
    }
    positions++;
    recorded.apply(event);
    confirmed.apply(event);
    last = event;
    return true;
  }

  /// Feeds an input. One of a later instant means that the policies were asked before it: whatever
  /// they decide again now, the journal does not have.
  private void feed(InputEvent input) {
    if (input.atNanos() != nowNanos && !asked) {
      ask();
      if (!decided.isEmpty()) {
        return;
      }
    }
    if (engine == null) {
      if (!(input instanceof RunStarted started)) {
        throw new InputException("the first event is not RunStarted");
      }
      engine = new Engine(started.config(), policies, this::keep);
    }
    nowNanos = input.atNanos();
    asked = false;
    engine.accept(input);
  }

  private void ask() {
    asked = true;
    if (engine != null) {
      engine.schedule();
    }
  }

  private long keep(EngineEvent event) {
    long position = positions + decided.size();
    int length = encoder.encode(position, event);
    decided.add(new Decided(position, event, Arrays.copyOf(encoder.bytes(), length)));
    return position;
  }

  private static boolean matches(Decided decided, byte[] bytes, int length) {
    return Arrays.equals(decided.bytes(), 0, decided.bytes().length, bytes, 0, length);
  }

  private boolean diverge(long position, EngineEvent event, @Nullable EngineEvent again) {
    divergence =
        new Divergence(
            position, event, again, hashAfter(recorded, event), hashAfter(confirmed, again));
    return false;
  }

  /// Hash of the state that `event` leads to, or of the state as it is where it leads nowhere.
  private static long hashAfter(EngineState state, @Nullable EngineEvent event) {
    long before = state.started() ? state.hash() : 0;
    if (event == null) {
      return before;
    }
    try {
      state.apply(event);
      return state.hash();
    } catch (RuntimeException e) {
      return before;
    }
  }

  /// The first divergence, if there is one. A journal that ends in the middle of an instant is not
  /// divergent: what was not recorded has not happened.
  public Optional<Divergence> divergence() {
    return Optional.ofNullable(divergence);
  }

  public long inputs() {
    return inputs;
  }

  /// Decisions that were decided again, byte for byte.
  public long decisions() {
    return decisions;
  }

  /// Hash of the state after all events.
  public long stateHash() {
    return confirmed.started() ? confirmed.hash() : 0;
  }

  /// Whether the journal ends before its run did: a run ends with a checkpoint when no request is
  /// left.
  public boolean cutOff() {
    return !decided.isEmpty() || !(last instanceof Checkpointed) || confirmed.liveRequests() > 0;
  }
}
