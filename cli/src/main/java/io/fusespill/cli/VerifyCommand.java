package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.Divergence;
import io.fusespill.replay.EventJson;
import io.fusespill.replay.Verifier;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Proves a journal by deciding it again.
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the policy again on the recorded inputs and compares every decision's bytes.",
      "Exit code 0 where all are the same, 1 at the first divergence, 2 where the journal cannot be read.",
      ""
    })
final class VerifyCommand implements Callable<Integer> {

  private static final int PROGRESS_MASK = (1 << 16) - 1;

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  VerifyCommand() {}

  @Override
  public Integer call() {
    Verifier verifier = new Verifier();
    long events = 0;
    boolean torn;
    boolean written = journalOptions.isBeingWritten();
    try (JournalReader reader = journalOptions.open();
        ProgressLine progress = new ProgressLine("verify", "events", 0, quiet)) {
      while (reader.next()
          && verifier.accept(reader.position(), reader.event(), reader.bytes(), reader.length())) {
        if ((++events & PROGRESS_MASK) == 0) {
          progress.at(events);
        }
      }
      torn = reader.tornTail();
    }
    Divergence divergence = verifier.divergence().orElse(null);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(toJson(verifier, events, torn, divergence));
    } else if (divergence == null) {
      out.println(
          "verified: %,d events, %,d inputs and %,d decisions decided again byte for byte; state hash %016x"
              .formatted(events, verifier.inputs(), verifier.decisions(), verifier.stateHash()));
      if (verifier.cutOff()) {
        out.println(
            "the journal ends in the middle of the run: %s; what it holds is sound"
                .formatted(written ? "it is still being written" : "its writer was stopped"));
      } else if (torn) {
        out.println(
            "the run is whole; scraps of a record lie behind it in the journal, and are no part of it");
      }
    } else {
      print(out, divergence);
    }
    out.flush();
    return divergence == null ? 0 : 1;
  }

  private static ObjectNode toJson(
      Verifier verifier, long events, boolean torn, @Nullable Divergence divergence) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("verified", divergence == null);
    node.put("events", events);
    node.put("inputs", verifier.inputs());
    node.put("decisions", verifier.decisions());
    node.put("state_hash", "%016x".formatted(verifier.stateHash()));
    node.put("cut_off", verifier.cutOff());
    node.put("torn_tail", torn);
    if (divergence != null) {
      ObjectNode first = node.putObject("divergence");
      first.put("position", divergence.position());
      first.set("recorded", event(divergence.position(), divergence.recorded()));
      first.set("decided", event(divergence.position(), divergence.decided()));
      first.put("recorded_state_hash", "%016x".formatted(divergence.recordedStateHash()));
      first.put("decided_state_hash", "%016x".formatted(divergence.decidedStateHash()));
    }
    return node;
  }

  private static @Nullable ObjectNode event(long position, @Nullable EngineEvent event) {
    return event == null ? null : new EventJson().toJson(position, event);
  }

  private static void print(PrintWriter out, Divergence divergence) {
    out.println("diverged at position %,d".formatted(divergence.position()));
    out.println("  recorded  %s".formatted(describe(divergence.position(), divergence.recorded())));
    out.println("  decided   %s".formatted(describe(divergence.position(), divergence.decided())));
    out.println(
        "  state     recorded %016x, decided %016x"
            .formatted(divergence.recordedStateHash(), divergence.decidedStateHash()));
  }

  private static String describe(long position, @Nullable EngineEvent event) {
    return event == null ? "nothing" : new EventJson().toJson(position, event).toString();
  }
}
