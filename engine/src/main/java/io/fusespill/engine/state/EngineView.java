package io.fusespill.engine.state;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.length.LengthPredictor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The read-only face of the state. It shows what is known, never what is true: output lengths and
/// real costs are not in it.
public sealed interface EngineView permits EngineState {

  EngineConfig config();

  /// Time of the newest event.
  long nowNanos();

  /// Sequences without KV that any device may take, front first.
  SequenceQueue waiting();

  /// Sequences without KV that are bound to `device`, front first.
  SequenceQueue waiting(int device);

  /// Tokens, prompt and output so far, of the live sequences that are bound to `device`.
  long boundTokens(int device);

  /// Sequences whose KV lies in `place`: running ones where it computes, swapped ones elsewhere.
  SequenceQueue residents(int place);

  BlockPool pool(int place);

  /// Whether the place is gone: nothing can be planned there. Its pool counts no block as free.
  boolean failed(int place);

  /// Leading full blocks of a waiting sequence that the pool of `device` holds: of its prompt,
  /// whoever computed them and whether or not somebody uses them; of what it generated, those that
  /// it left there when it was preempted and nobody has taken since. 0 unless the policy's option
  /// `prefix-caching` says so. At least one token is left to compute.
  ///
  /// @param reserved blocks that others are about to take from that pool, the next ones
  int keptBlocks(Sequence sequence, int device, int reserved);

  /// Those of the sequence's first `kept` blocks that others hold: they cost no free block.
  ///
  /// @param kept at most what [#keptBlocks] says
  int heldBlocks(Sequence sequence, int device, int kept, int reserved);

  /// A live sequence, or null.
  @Nullable Sequence sequence(int id);

  /// A live request, or null.
  @Nullable Request request(int id);

  /// The oldest step in flight on `place`, which is the one that runs, or null.
  @Nullable StepPlan stepInFlight(int place);

  /// Number of steps queued or running on `place`.
  int stepsInFlight(int place);

  /// The `index`-th step in flight on `place`, oldest first.
  StepPlan stepInFlight(int place, int index);

  /// Whether entry `i` of the `index`-th step in flight on `place` samples: a token for its
  /// sequence, and one for each sample that it brings to life.
  boolean samples(int place, int index, int i);

  /// Ordered transfers planned on `place` that no step has taken along yet.
  List<TransferPlan> orderedPlanned(int place);

  /// Number of asynchronous transfers under way.
  int transfersInFlight();

  /// Blocks of the asynchronous transfers under way between two places.
  int blocksInTransit(int from, int to);

  /// The length predictor, which has seen all sequences that ended.
  LengthPredictor lengths();

  /// Share of the device's decodes that another place should do, in millionths, as chosen last.
  int sharePpm(int place);

  /// When that share was chosen, [Sequence#NEVER] where none was.
  long shareNanos(int place);

  /// Seats of the sequences that asynchronous transfers under way bring to `place`.
  int seatsInto(int place);

  /// Seats of the sequences in `place` and of those on their way there.
  int seats(int place);
}
