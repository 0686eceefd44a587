package io.fusespill.host.exec;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;

/// A step with all that its device needs to run it: what the state behind the journal knew when it
/// was planned.
///
/// @param before ordered transfers that run first
record StepJob(StepPlan plan, List<TransferPlan> before, List<Entry> entries) {

  /// One sequence's part.
  static final class Entry {

    final Generation generation;

    /// Of the generation when the step was planned.
    final int life;

    final int start;
    final int end;

    /// The sequence's blocks, this step's included.
    final int[] table;

    final boolean remote;

    /// Who takes a token: nobody where the step does not come to the sequence's last known token,
    /// else the sequence and those that fork from it.
    final List<Sample> samples;

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
  }

  /// One who takes a token.
  record Sample(int sequence, Generation generation, int life) {}
}
