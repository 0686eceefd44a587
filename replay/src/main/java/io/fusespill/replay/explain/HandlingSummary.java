package io.fusespill.replay.explain;

import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.Handling;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/// All handlings that a run chose, as a fold over its log. A choice counts once its sequence has
/// ended, or the log. Memory follows the live sequences.
public final class HandlingSummary {

  /// Shares that are kept; later ones are only counted.
  public static final int SHARES_MAX = 1_000;

  /// The cheapest first; of equals the one that was chosen last.
  private static final Comparator<Choice> BY_COST =
      Comparator.comparingLong((Choice choice) -> choice.chosen().choice().lostNanos())
          .thenComparing(Comparator.comparingLong(Choice::position).reversed());

  private final Lives lives =
      new Lives((request, sequence) -> true, arrival -> LifeListener.DEAF, this::count);
  private final Map<Handling, HandlingTally> tallies = new EnumMap<>(Handling.class);
  private final RemainingTally remaining = new RemainingTally();
  private final PriorityQueue<Choice> dearest = new PriorityQueue<>(BY_COST);
  private final List<ShareChosen> shares = new ArrayList<>();
  private final int dearestMax;
  private long sharesChosen;
  private long choices;

  /// @param dearestMax how many of the choices with the greatest estimated loss to keep, 0 or more
  public HandlingSummary(int dearestMax) {
    this.dearestMax = dearestMax;
  }

  /// Takes the next event of the log.
  public void accept(long position, EngineEvent event) {
    lives.accept(position, event);
    if (event instanceof ShareChosen share && sharesChosen++ < SHARES_MAX) {
      shares.add(share);
    }
  }

  private void count(Life life) {
    for (Choice choice : life.choices()) {
      choices++;
      tallies.computeIfAbsent(choice.chosen().choice().handling(), HandlingTally::new).add(choice);
      remaining.add(choice);
      dearest.add(choice);
      if (dearest.size() > dearestMax) {
        dearest.remove();
      }
    }
  }

  /// The log ends: choices whose sequence lives on count as far as they came.
  public void close() {
    lives.close();
  }

  public long choices() {
    return choices;
  }

  /// One for each handling that was chosen, in the order of [Handling].
  public List<HandlingTally> tallies() {
    return List.copyOf(tallies.values());
  }

  public RemainingTally remaining() {
    return remaining;
  }

  /// The choices with the greatest estimated loss, that one first.
  public List<Choice> dearest() {
    return dearest.stream().sorted(BY_COST.reversed()).toList();
  }

  /// The first [#SHARES_MAX] shares that were chosen.
  public List<ShareChosen> shares() {
    return List.copyOf(shares);
  }

  public long sharesChosen() {
    return sharesChosen;
  }

  /// The run's places.
  public Topology topology() {
    return lives.requireTopology();
  }
}
