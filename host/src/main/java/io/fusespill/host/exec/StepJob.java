package io.fusespill.host.exec;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// A step with all that its device needs to run it: what the state behind the journal knew when it
/// was planned.
///
/// @param before ordered transfers that run first
public record StepJob(StepPlan plan, List<TransferPlan> before, List<Entry> entries) {

  /// One sequence's part.
  public static final class Entry {

    private final Generation generation;
    private final int life;
    private final int start;
    private final int end;
    private final int[] table;
    private final boolean remote;
    private final List<Sample> samples;

    Entry(
        Generation generation,
        int life,
        int start,
        int end,
        int[] table,
        boolean remote,
        List<Sample> samples) {
      this.generation = generation;
      this.life = life;
      this.start = start;
      this.end = end;
      this.table = table;
      this.remote = remote;
      this.samples = samples;
    }

    public Generation generation() {
      return generation;
    }

    /// Of the generation when the step was planned.
    public int life() {
      return life;
    }

    /// Tokens of the sequence whose KV is there.
    public int start() {
      return start;
    }

    /// Tokens whose KV is there after the step.
    public int end() {
      return end;
    }

    /// The sequence's blocks, this step's included. Not to be changed.
    public int[] table() {
      return table;
    }

    /// Whether the KV lies in the plan's remote place.
    public boolean remote() {
      return remote;
    }

    /// Who takes a token: nobody where the step does not come to the sequence's last known token,
    /// else the sequence and those that fork from it.
    public List<Sample> samples() {
      return samples;
    }
  }

  /// One who takes a token.
  public record Sample(int sequence, Generation generation, int life) {}
}
