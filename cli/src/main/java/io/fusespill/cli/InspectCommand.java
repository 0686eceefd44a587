package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.state.EngineState;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.BlockMap;
import io.fusespill.replay.Inspection;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.util.Locale;
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
      "Folds the journal to a position or a time and shows what was there: queues, steps and transfers in flight, and every pool block by block.",
      ""
    })
final class InspectCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(
      names = "--at",
      paramLabel = "POSITION|TIME",
      converter = Moment.Converter.class,
      description =
          "After the event at this position, or after the last one at a time such as 12.5s or 300ms (default: the last of all).")
  private @Nullable Moment at;

  @Option(
      names = "--json",
      description = "Print one JSON object with every sequence and its block table.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  InspectCommand() {}

  @Override
  public Integer call() {
    Inspection inspection = new Inspection();
    EngineState state = inspection.state();
    boolean more = false;
    try (JournalReader reader = journalOptions.open()) {
      while (!more && reader.next()) {
        more = at != null && !at.includes(reader.position(), reader.event().atNanos());
        if (!more) {
          inspection.accept(reader.event());
        }
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
    if (at != null && !more) {
      at.requireReached("--at", state.events() - 1, state.nowNanos());
    }
    ObjectNode json = inspection.toJson();
    PrintWriter out = spec.commandLine().getOut();
    if (this.json) {
      out.println(json);
    } else {
      print(out, json);
      printPictures(out, state);
    }
    out.flush();
    return 0;
  }

  private static void printPictures(PrintWriter out, EngineState state) {
    out.println();
    out.println("blocks: " + BlockPicture.legend());
    for (Place place : state.config().topology().places()) {
      out.println();
      new BlockPicture(place.name(), BlockMap.of(state, place.id())).print(out);
    }
  }

  private static void print(PrintWriter out, ObjectNode state) {
    out.println(
        "after %s, the last %s, at %.6f s under %s, state hash %s"
            .formatted(
                Wording.count(state.get("events").asLong(), "event"),
                state.get("last_event").asText(),
                state.get("at_nanos").asLong() / 1e9,
                state.get("policy").asText(),
                state.get("state_hash").asText()));
    out.println(
        "requests  %,d arrived, %,d live"
            .formatted(state.get("arrived").asLong(), state.get("live_requests").asLong()));
    out.println();
    Table pools =
        new Table()
            .row("place", "blocks", "allocated", "leaving", "free", "sequences", "steps in flight");
    for (JsonNode place : state.get("places")) {
      pools.row(
          place.get("name").asText(),
          "%,d".formatted(place.get("total_blocks").asLong()),
          "%,d".formatted(place.get("allocated_blocks").asLong()),
          "%,d".formatted(place.get("leaving_blocks").asLong()),
          "%,d".formatted(place.get("free_blocks").asLong()),
          "%,d".formatted(residents(place).size()),
          place.has("steps_in_flight") ? String.valueOf(place.get("steps_in_flight").size()) : "-");
    }
    pools.print(out);
    printInFlight(out, state);
    for (JsonNode place : state.get("places")) {
      printSequences(out, place.get("name").asText(), residents(place));
    }
    printSequences(out, "waiting", state.get("waiting"));
  }

  private static void printInFlight(PrintWriter out, JsonNode state) {
    Table table = new Table();
    boolean any = false;
    for (JsonNode place : state.get("places")) {
      for (JsonNode step : place.path("steps_in_flight")) {
        any = true;
        table.row(
            "step %d on %s".formatted(step.get("step").asLong(), place.get("name").asText()),
            "%s%s, %s, %s"
                .formatted(
                    Wording.count(step.get("decodes").asInt(), "decode"),
                    step.get("remote_entries").asInt() == 0
                        ? ""
                        : " (%d by host attention)".formatted(step.get("remote_entries").asInt()),
                    Wording.count(step.get("prefills").asInt(), "prefill"),
                    Wording.count(step.get("batched_tokens").asLong(), "token")),
            planned(step));
      }
    }
    for (JsonNode transfer : state.get("transfers")) {
      any = true;
      table.row(
          "transfer %d".formatted(transfer.get("transfer").asInt()),
          "%s %s of %s blocks, %s > %s, sequences %s"
              .formatted(
                  transfer.get("mode").asText().toLowerCase(Locale.ROOT),
                  transfer.get("kind").asText().toLowerCase(Locale.ROOT).replace('_', ' '),
                  transfer.get("blocks").asText(),
                  transfer.get("from").asText(),
                  transfer.get("to").asText(),
                  transfer.get("sequences")),
          planned(transfer));
    }
    if (any) {
      out.println();
      out.println("in flight");
      table.printLeft(out);
    }
  }

  private static String planned(JsonNode inFlight) {
    return "planned at %.6f s, position %,d"
        .formatted(
            inFlight.path("planned_nanos").asLong() / 1e9,
            inFlight.path("planned_position").asLong());
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
