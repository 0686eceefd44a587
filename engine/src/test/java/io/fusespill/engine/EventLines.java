package io.fusespill.engine;

import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.ResidentsSorted;
import io.fusespill.engine.event.DecisionEvent.SequenceAdmitted;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.SequenceRouted;
import io.fusespill.engine.event.DecisionEvent.ShareChosen;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.plan.BlockCopy;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.Arrays;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/// Decisions as short lines that a test can write by hand.
///
/// | line | meaning |
/// |---|---|
/// | `admit 3` | sequence 3 runs on device 0; elsewhere `admit 3 on 1` |
/// | `route 3 to 1` | sequence 3 waits for device 1 alone |
/// | `step 0+6 1@5+1 new 4,2 copy 1:3>7 after 0 batched 12` | a step of device 0: 6 first tokens of sequence 0, one more of sequence 1 that has 5; blocks 4 and 2 grow the tables, block 3 of sequence 1 is copied to 7, transfer 0 goes first, 12 tokens with padding. Only what is there is shown; elsewhere `step on 1: …` |
/// | `swap_out [0>1] 4,5: 2>0 3>1` | an ordered transfer of sequences 4 and 5 from place 0 to 1, block 2 to block 0 and 3 to 1; an asynchronous one begins with `async` |
/// | `step … last 2 at 1` | the last two entries are attended for by place 1 |
/// | `choose SWAP for 1` | weighed for sequence 1 |
/// | `preempt 1 SWAP` | for want of blocks; another reason follows |
/// | `reject 0 NEVER_FITS 5/4` | needed 5, there are 4 |
final class EventLines {

  private EventLines() {}

  static String line(DecisionEvent decision) {
    return switch (decision) {
      case RequestRejected e ->
          "reject %d %s %d/%d".formatted(e.request(), e.reason(), e.needed(), e.available());
      case SequenceRouted e -> "route %d to %d".formatted(e.sequence(), e.device());
      case SequenceAdmitted e ->
          "admit "
              + e.sequence()
              + (e.device() == 0 ? "" : " on " + e.device())
              + (e.keptBlocks() == 0 ? "" : " keeping " + e.keptBlocks());
      case SequencePreempted e ->
          "preempt %d %s".formatted(e.sequence(), e.kind())
              + (e.reason() == PreemptionReason.OUT_OF_BLOCKS ? "" : " " + e.reason());
      case HandlingChosen e -> "choose %s for %d".formatted(e.choice().handling(), e.sequence());
      case ShareChosen e -> "share %d of %d with %d".formatted(e.sharePpm(), e.device(), e.place());
      case ResidentsSorted e -> "sort " + e.place();
      case TransferPlanned e -> transfer(e.plan());
      case StepPlanned e -> step(e.plan());
      case SequenceFinished e -> "finish %d %s".formatted(e.sequence(), e.reason());
      case Checkpointed e -> "checkpoint";
    };
  }

  private static String transfer(TransferPlan plan) {
    StringJoiner moves = new StringJoiner(" ");
    for (int i = 0; i < plan.blocks(); i++) {
      moves.add(plan.sourceBlocks().get(i) + ">" + plan.targetBlocks().get(i));
    }
    return "%s%s [%d>%d] %s: %s"
        .formatted(
            plan.mode() == TransferMode.ASYNC ? "async " : "",
            plan.kind().name().toLowerCase(Locale.ROOT),
            plan.from(),
            plan.to(),
            commas(plan.sequences()),
            moves);
  }

  private static String step(StepPlan plan) {
    StringJoiner line = new StringJoiner(" ");
    line.add(plan.device() == 0 ? "step" : "step on " + plan.device() + ":");
    int tokens = 0;
    for (int i = 0; i < plan.size(); i++) {
      int computed = plan.computedTokens().get(i);
      tokens += plan.newTokens().get(i);
      line.add(
          plan.sequences().get(i)
              + (computed == 0 ? "" : "@" + computed)
              + "+"
              + plan.newTokens().get(i));
    }
    if (plan.remoteEntries() > 0) {
      line.add("last %d at %d".formatted(plan.remoteEntries(), plan.remotePlace()));
    }
    if (!plan.newBlocks().isEmpty()) {
      line.add("new " + commas(plan.newBlocks()));
    }
    for (BlockCopy copy : plan.copies()) {
      line.add("copy %d:%d>%d".formatted(copy.sequence(), copy.source(), copy.target()));
    }
    if (!plan.transfers().isEmpty()) {
      line.add("after " + commas(plan.transfers()));
    }
    if (plan.batchedTokens() != tokens) {
      line.add("batched " + plan.batchedTokens());
    }
    return line.toString();
  }

  private static String commas(Ints values) {
    return Arrays.stream(values.toArray())
        .mapToObj(String::valueOf)
        .collect(Collectors.joining(","));
  }
}
