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
/// were: when the inputs of one instant are all there. A second state folds the journal's own
/// events, so that a divergence can name both. Memory follows the live requests.
public final class Verifier {

  /// One event that the engine has decided and the journal has not confirmed yet.
  @SuppressWarnings("ArrayRecordComponent") // compared by content, byte for byte
  private record Decided(long position, EngineEvent event, byte[] bytes) {}

  private final EventEncoder encoder = new EventEncoder();
  private final Deque<Decided> decided = new ArrayDeque<>();
  private final EngineState recorded = new EngineState();
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
      engine = new Engine(started.config(), policies.apply(started.config()), this::keep);
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

  private boolean diverge(long position, @Nullable EngineEvent event, @Nullable EngineEvent again) {
    divergence =
        new Divergence(
            position,
            event,
            again,
            recorded.started() ? recorded.hash() : 0,
            engine == null || !engine.state().started() ? 0 : engine.state().hash());
    return false;
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
    return recorded.started() ? recorded.hash() : 0;
  }

  /// Whether decisions are outstanding that the journal ends before.
  public boolean cutOff() {
    return !decided.isEmpty();
  }
}
