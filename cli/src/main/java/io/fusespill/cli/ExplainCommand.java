package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.explain.HandlingSummary;
import io.fusespill.replay.explain.Stories;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.StoryJson;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Why a sequence fared as it did, or what came of all handlings that were chosen.
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description = {
      "Tells the story of a sequence or a request from the journal, or sums up what came of all handlings.",
      "Of what was chosen it says what was believed, and what came true.",
      ""
    },
    footer = {"", "Example:", "  fusespill explain runs/NAME --sequence 42"})
final class ExplainCommand implements Callable<Integer> {

  private static final int EXPENSIVE = 5;
  private static final int EXPENSIVE_MAX = 10_000;

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(names = "--sequence", paramLabel = "N", description = "The story of this sequence.")
  private @Nullable Integer sequence;

  @Option(
      names = "--request",
      paramLabel = "N",
      description = "The stories of all sequences of this request.")
  private @Nullable Integer request;

  @Option(
      names = "--most-expensive",
      paramLabel = "K",
      description =
          "In the summary, the K choices with the greatest estimated loss, 0 to 10000 (default 5).")
  private @Nullable Integer mostExpensive;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  ExplainCommand() {}

  @Override
  public Integer call() {
    requireOneSubject();
    PrintWriter out = spec.commandLine().getOut();
    if (sequence != null) {
      tell(out, Stories.ofSequence(notNegative("--sequence", sequence)));
    } else if (request != null) {
      tell(out, Stories.ofRequest(notNegative("--request", request)));
    } else {
      sumUp(out);
    }
    out.flush();
    return 0;
  }

  private void requireOneSubject() {
    if (sequence != null && request != null) {
      throw new UsageException("--sequence and --request exclude each other: give one of them");
    }
    if (mostExpensive != null && (sequence != null || request != null)) {
      throw new UsageException(
          "--most-expensive is about the whole run: leave --sequence and --request away");
    }
    if (mostExpensive != null && (mostExpensive < 0 || mostExpensive > EXPENSIVE_MAX)) {
      throw new UsageException(
          "--most-expensive is %d, must be 0 to %,d".formatted(mostExpensive, EXPENSIVE_MAX));
    }
  }

  private static int notNegative(String option, int value) {
    if (value < 0) {
      throw new UsageException("%s is %d, must be at least 0".formatted(option, value));
    }
    return value;
  }

  private void tell(PrintWriter out, Stories stories) {
    try (JournalReader reader = open()) {
      do {
        stories.accept(reader.position(), reader.event());
      } while (reader.next());
    }
    stories.close();
    List<Story> told = stories.stories();
    if (told.isEmpty()) {
      throw unknown(stories);
    }
    StoryJson toJson = new StoryJson(stories.topology());
    if (json && sequence != null) {
      out.println(toJson.of(told.getFirst()));
    } else if (json) {
      ObjectNode object = JsonNodeFactory.instance.objectNode();
      object.put("request", request);
      ArrayNode all = object.putArray("sequences");
      told.forEach(story -> all.add(toJson.of(story)));
      out.println(object);
    } else {
      new StoryText(out, stories.topology()).print(told);
    }
  }

  private UsageException unknown(Stories stories) {
    boolean bySequence = sequence != null;
    int count = bySequence ? stories.sequences() : stories.requests();
    String what = bySequence ? "sequence" : "request";
    return new UsageException(
        "--%s is %d, must be %s"
            .formatted(
                what,
                bySequence ? sequence : request,
                count == 0
                    ? "one of the run, and no request arrived in it"
                    : "0 to %d, the last %s of the run".formatted(count - 1, what)));
  }

  private void sumUp(PrintWriter out) {
    HandlingSummary summary =
        new HandlingSummary(mostExpensive == null ? EXPENSIVE : mostExpensive);
    try (JournalReader reader = open()) {
      do {
        summary.accept(reader.position(), reader.event());
      } while (reader.next());
    }
    summary.close();
    if (json) {
      out.println(new StoryJson(summary.topology()).of(summary));
    } else {
      new HandlingText(out, summary.topology()).print(summary);
    }
  }

  /// The journal at its first event.
  private JournalReader open() {
    JournalReader reader = journalOptions.open();
    if (!reader.next()) {
      reader.close();
      throw new UsageException("%s holds no event".formatted(journalOptions.run()));
    }
    return reader;
  }
}
