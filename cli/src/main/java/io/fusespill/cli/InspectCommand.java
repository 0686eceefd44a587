package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.state.EngineState;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.Inspection;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// The state at any position.
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = {
      "Folds the journal to a position and shows queues, block tables and pools there.",
      ""
    })
final class InspectCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(
      names = "--at",
      paramLabel = "POSITION",
      description = "After the event at this position (default: the last).")
  private @Nullable Long at;

  @Option(
      names = "--json",
      description = "Print one JSON object with every sequence and its block table.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  InspectCommand() {}

  @Override
  public Integer call() {
    if (at != null && at < 0) {
      throw new UsageException("--at is %d, must be at least 0".formatted(at));
    }
    EngineState state = new EngineState();
    try (JournalReader reader = journalOptions.open()) {
      while ((at == null || state.events() <= at) && reader.next()) {
        state.apply(reader.event());
      }
    } catch (IllegalStateException e) {
      throw new UsageException(
          "%s: its events do not follow from each other: %s"
              .formatted(journalOptions.run(), e.getMessage()),
          e);
    }
    if (!state.started()) {
      throw new UsageException("%s holds no event".formatted(journalOptions.run()));
    }
    if (at != null && state.events() <= at) {
      throw new UsageException(
          "--at is %d, the journal's last position is %d".formatted(at, state.events() - 1));
    }
    ObjectNode inspection = Inspection.of(state);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(inspection);
    } else {
      print(out, inspection);
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, ObjectNode state) {
    out.println(
        "after %,d events, at %.6f s, state hash %s"
            .formatted(
                state.get("events").asLong(),
                state.get("at_nanos").asLong() / 1e9,
                state.get("state_hash").asText()));
    out.println(
        "requests  %,d arrived, %,d live"
            .formatted(state.get("arrived").asLong(), state.get("live_requests").asLong()));
    out.println();
    Table pools =
        new Table()
            .row("place", "blocks", "allocated", "leaving", "free", "sequences", "step in flight");
    for (JsonNode place : state.get("places")) {
      JsonNode step = place.path("steps_in_flight").get(0);
      pools.row(
          place.get("name").asText(),
          "%,d".formatted(place.get("total_blocks").asLong()),
          "%,d".formatted(place.get("allocated_blocks").asLong()),
          "%,d".formatted(place.get("leaving_blocks").asLong()),
          "%,d".formatted(place.get("free_blocks").asLong()),
          "%,d".formatted(residents(place).size()),
          step == null
              ? "-"
              : "%d of %d entries"
                  .formatted(step.get("step").asLong(), step.get("entries").asLong()));
    }
    pools.print(out);
    for (JsonNode place : state.get("places")) {
      printSequences(out, place.get("name").asText(), residents(place));
    }
    printSequences(out, "waiting", state.get("waiting"));
  }

  private static JsonNode residents(JsonNode place) {
    return place.has("running") ? place.get("running") : place.get("swapped");
  }

  private static void printSequences(PrintWriter out, String where, JsonNode sequences) {
    if (sequences.isEmpty()) {
      return;
    }
    out.println();
    Table table =
        new Table().row(where, "request", "prompt", "output", "computed", "blocks", "preempted");
    int shown = 0;
    for (JsonNode sequence : sequences) {
      if (shown++ == SHOWN_MAX) {
        break;
      }
      table.row(
          sequence.get("sequence").asText(),
          sequence.get("request").asText(),
          sequence.get("prompt_tokens").asText(),
          sequence.get("output_tokens").asText(),
          sequence.get("computed_tokens").asText(),
          String.valueOf(sequence.get("block_table").size()),
          sequence.get("preemptions").asText());
    }
    table.print(out);
    if (sequences.size() > SHOWN_MAX) {
      out.println("  … and %,d more (--json shows all)".formatted(sequences.size() - SHOWN_MAX));
    }
  }

  private static final int SHOWN_MAX = 20;
}
