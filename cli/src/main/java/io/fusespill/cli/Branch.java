package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.state.EngineState;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.whatif.Prefix;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Simulation;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A run that goes on from somewhere in another, under another policy: its machine, KV layout and
/// world stay, policy, limits, predictor and beliefs are those of the successor.
final class Branch {

  private final Path run;
  private final boolean partial;
  private final Moment from;
  private final ResolvedScenario own;
  private final @Nullable ResolvedScenario successor;
  private final ObjectNode described;
  private Prefix prefix = new Prefix(0);
  private EngineConfig inForce;

  /// @param run whose journal the prefix is taken from
  /// @param own scenario of that run
  /// @param successor scenario of a run that is under the other policy from the start; null to go
  ///   on under whatever is in force at the place
  Branch(
      Path run,
      boolean partial,
      Moment from,
      ResolvedScenario own,
      @Nullable ResolvedScenario successor) {
    this.run = run;
    this.partial = partial;
    this.from = from;
    this.own = own;
    this.successor = successor;
    described = own.description().deepCopy();
    inForce = own.config();
  }

  ResolvedScenario scenario() {
    return own;
  }

  /// The configuration that the branch ends under; known once it was checked.
  ObjectNode described() {
    return described;
  }

  /// What is shared; known once it was checked.
  Prefix prefix() {
    return prefix;
  }

  /// Looks whether the run comes as far as the place, and can go on from there.
  ///
  /// @throws UsageException if it does not, or cannot
  void check() {
    EngineState state = new EngineState();
    share(state::apply);
    inForce = state.config();
    String problem = state.problemOfChange(config());
    if (problem != null) {
      throw new UsageException(
          "%s cannot go on from %s under %s: %s"
              .formatted(run, from.text(), config().policy().name(), problem));
    }
    describe();
  }

  /// Plays the run up to the place, changes the configuration, and plays on to the end. Comes after
  /// [#check].
  void play(Simulation simulation) {
    share(simulation::replay);
    ResolvedScenario changed =
        new ResolvedScenario(
            config(), own.world(), own.samples(), own.seed(), described, own.notes());
    simulation.branch(
        new ConfigurationChanged(prefix.lastNanos(), changed.digest(), changed.config()));
  }

  private void share(Consumer<EngineEvent> events) {
    prefix = new Prefix(position());
    try (JournalReader reader = JournalOptions.open(run, partial)) {
      while (reader.next() && prefix.shares(reader.position(), reader.event())) {
        events.accept(reader.event());
      }
    } catch (IllegalStateException e) {
      throw new UsageException(
          "%s: its events do not follow from each other at position %d: %s"
              .formatted(run, prefix.last(), e.getMessage()),
          e);
    }
    if (!prefix.reached()) {
      throw new UsageException(
          "--from is %s, the journal's last position is %d".formatted(from.text(), prefix.last()));
    }
  }

  /// Position of the last event at or before the time, where a time was given.
  private long position() {
    if (from.position() >= 0) {
      return from.position();
    }
    long last = 0;
    long lastNanos = 0;
    try (JournalReader reader = JournalOptions.open(run, partial)) {
      while (reader.next()) {
        lastNanos = reader.event().atNanos();
        if (!from.includes(reader.position(), lastNanos)) {
          return last;
        }
        last = reader.position();
      }
    }
    from.requireReached("--from", last, lastNanos);
    return last;
  }

  private EngineConfig config() {
    EngineConfig present = inForce;
    EngineConfig next = successor == null ? inForce : successor.config();
    return new EngineConfig(
        present.kv(),
        next.limits(),
        present.topology(),
        next.policy(),
        next.costs(),
        next.predictor());
  }

  private void describe() {
    if (successor != null) {
      JsonNode next = successor.description();
      for (String key : List.of("policy", "predictor", "limits", "time_model")) {
        described.set(key, next.get(key).deepCopy());
      }
    }
    ObjectNode branch = described.putObject("branch");
    branch.put("behind_position", prefix.last());
    branch.put("at_nanos", prefix.lastNanos());
    branch.put("config_digest", own.digest());
  }
}
