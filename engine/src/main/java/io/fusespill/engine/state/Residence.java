package io.fusespill.engine.state;

import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the state keeps of one place.
final class Residence {

  final BlockPool pool;
  final SequenceDeque residents = new SequenceDeque();
  final List<TransferPlan> orderedPlanned = new ArrayList<>();
  final List<TransferPlan> orderedInFlight = new ArrayList<>();
  long nextStep;
  int transfersInto;
  @Nullable StepPlan inFlight;
  Sequence[] batch = new Sequence[16];

  Residence(int blocks) {
    pool = new BlockPool(blocks);
  }
}
