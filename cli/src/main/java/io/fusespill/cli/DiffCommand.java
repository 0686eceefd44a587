package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.metrics.RequestOutcome;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.journal.EventDigest;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.EventJson;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.diff.Fates;
import io.fusespill.replay.diff.Fates.Fate;
import io.fusespill.replay.diff.Movements;
import io.fusespill.replay.diff.Parting;
import io.fusespill.replay.diff.Parting.Side;
import io.fusespill.replay.diff.Parting.Sides;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Two runs held against each other.
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    description = {
      "Shows where two runs part, at the first decision that differs, and what came of it: who fared better and worse, what was spilled and moved, latencies.",
      "The runs may have the same configuration (a run and its repetition, a run and its branch) or different ones; what differs there is listed.",
      "Exit code 0 where both were read, whether they differ or not (--json says which: identical), 2 where one cannot be read.",
      ""
    },
    sortOptions = false,
    footer = {"", "Example:", "  fusespill diff runs/demo/continuous runs/demo/fusespill"})
final class DiffCommand implements Callable<Integer> {

  private static final int PROGRESS_MASK = (1 << 16) - 1;
  private static final int EVENT_CHARACTERS_MAX = 400;

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "A", description = "Run directory, or a journal itself.")
  private Path a;

  @Parameters(index = "1", paramLabel = "B", description = "The run to hold against it.")
  private Path b;

  @Option(
      names = "--top",
      defaultValue = "5",
      paramLabel = "N",
      description = "Requests to list that fared better, and as many that fared worse (default 5).")
  private int top;

  @Option(
      names = "--partial",
      description = "Read what is there of journals that are still being written.")
  private boolean partial;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  DiffCommand() {}

  /// What one run came to.
  private record Read(
      Path path,
      JsonNode configuration,
      Map<String, Object> figures,
      List<RequestOutcome> outcomes,
      Movements movements,
      long events,
      String digest) {

    String policy() {
      String name = configuration.path("policy").path("name").asText("?");
      return movements.changes() == 0 ? name : name + ", changed on the way";
    }
  }

  @Override
  public Integer call() {
    if (top < 0) {
      throw new UsageException("--top is %d, must be at least 0".formatted(top));
    }
    Read left = read(a);
    Read right = read(b);
    Parting parting = left.digest().equals(right.digest()) ? null : parting();
    Fates fates = Fates.of(left.outcomes(), right.outcomes());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(toJson(left, right, parting, fates));
    } else {
      print(out, left, right, parting, fates);
    }
    out.flush();
    return 0;
  }

  // ------------------------------------------------------------------ read

  private Read read(Path path) {
    List<RequestOutcome> outcomes = new ArrayList<>();
    Latencies latencies = new Latencies(outcomes::add);
    RunMetrics metrics = new RunMetrics(latencies);
    Movements movements = new Movements();
    EventDigest digest = new EventDigest();
    try (JournalReader reader = JournalOptions.open(path, partial);
        ProgressLine progress = new ProgressLine("read", "events", 0, quiet)) {
      JsonNode configuration = configuration(path, reader.header().configJson());
      while (reader.next()) {
        metrics.accept(reader.event());
        movements.accept(reader.event());
        digest.add(reader.bytes(), reader.length());
        if ((digest.events() & PROGRESS_MASK) == 0) {
          progress.at(digest.events());
        }
      }
      if (digest.events() == 0) {
        throw new UsageException("%s holds no event".formatted(path));
      }
      return new Read(
          path,
          configuration,
          FigureTable.figures(new RunReport(metrics, latencies), configuration),
          outcomes,
          movements,
          digest.events(),
          digest.hex());
    } catch (IllegalStateException | IndexOutOfBoundsException e) {
      throw unsound(path, e);
    }
  }

  private static UsageException unsound(Path path, RuntimeException e) {
    return new UsageException(
        "%s: its events do not follow from each other: %s".formatted(path, e.getMessage()), e);
  }

  private static JsonNode configuration(Path path, String text) {
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "%s: its configuration is no JSON: %s".formatted(path, e.getOriginalMessage()), e);
    }
  }

  private Parting parting() {
    try (JournalReader left = JournalOptions.open(a, partial);
        JournalReader right = JournalOptions.open(b, partial)) {
      return Parting.of(() -> next(left), () -> next(right));
    } catch (IllegalStateException e) {
      throw unsound(a.resolveSibling(a.getFileName() + " or " + b.getFileName()), e);
    }
  }

  private static @Nullable EngineEvent next(JournalReader reader) {
    return reader.next() ? reader.event() : null;
  }

  // --------------------------------------------------------- configuration

  /// What one configuration says and the other does not, by path.
  private static Map<String, String[]> configurationDifferences(Read left, Read right) {
    Map<String, String> before = new TreeMap<>();
    Map<String, String> after = new TreeMap<>();
    flatten("", left.configuration(), before);
    flatten("", right.configuration(), after);
    TreeSet<String> keys = new TreeSet<>(before.keySet());
    keys.addAll(after.keySet());
    Map<String, String[]> differences = new TreeMap<>();
    for (String key : keys) {
      String one = before.getOrDefault(key, "-");
      String other = after.getOrDefault(key, "-");
      if (!one.equals(other)) {
        differences.put(key, new String[] {one, other});
      }
    }
    return differences;
  }

  private static void flatten(String path, JsonNode node, Map<String, String> into) {
    if (node.isObject()) {
      node.properties()
          .forEach(entry ->
              flatten(
                  path.isEmpty() ? entry.getKey() : path + "." + entry.getKey(),
                  entry.getValue(),
                  into));
    } else if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        flatten(path + "[" + i + "]", node.get(i), into);
      }
    } else {
      into.put(path, node.asText());
    }
  }

  // ----------------------------------------------------------------- print

  private void print(
      PrintWriter out, Read left, Read right, @Nullable Parting parting, Fates fates) {
    out.println("A  %s: %s, %,d events".formatted(left.path(), left.policy(), left.events()));
    out.println("B  %s: %s, %,d events".formatted(right.path(), right.policy(), right.events()));
    out.println();
    Map<String, String[]> configuration = configurationDifferences(left, right);
    if (!configuration.isEmpty()) {
      Table table = new Table().row("configuration", "A", "B");
      configuration.forEach((key, values) -> table.row(key, values[0], values[1]));
      table.print(out);
      out.println();
    }
    if (parting == null) {
      out.println(
          "identical: the same %,d events, digest %s".formatted(left.events(), left.digest()));
      return;
    }
    printParting(out, parting);
    out.println();
    printFates(out, fates);
    printMovements(out, left, right, fates);
    out.println();
    FigureTable.print(
        out,
        List.of(
            new FigureTable.Column("A " + left.policy(), left.figures()),
            new FigureTable.Column("B " + right.policy(), right.figures())));
  }

  private static void printParting(PrintWriter out, Parting parting) {
    Sides event = parting.event();
    Sides decision = parting.decision();
    if (event == null) {
      out.println(
          "the same %s in both; only how they are configured or checked differs"
              .formatted(Wording.count(parting.shared(), "event")));
      return;
    }
    if (!event.equals(decision)) {
      out.println(
          "first difference, behind %s in common"
              .formatted(Wording.count(parting.shared(), "event")));
      print(out, event);
    }
    if (decision == null) {
      out.println("every decision is the same, some at another time");
    } else {
      out.println(
          event.equals(decision)
              ? "first diverging decision, behind %s in common"
                  .formatted(Wording.count(parting.shared(), "event"))
              : "first diverging decision");
      print(out, decision);
    }
  }

  private static void print(PrintWriter out, Sides sides) {
    print(out, "A", sides.a());
    print(out, "B", sides.b());
  }

  private static void print(PrintWriter out, String name, Side side) {
    out.println(
        "  %s  position %,d, %.6f s, state %016x"
            .formatted(name, side.position(), side.atNanos() / 1e9, side.stateHash()));
    String text =
        side.event() == null
            ? "nothing: the log has ended"
            : new EventJson().toJson(side.position(), side.event()).toString();
    boolean tooLong = text.length() > EVENT_CHARACTERS_MAX;
    out.println(
        "     "
            + (tooLong ? text.substring(0, EVENT_CHARACTERS_MAX) + "… (--json shows all)" : text));
  }

  private void printFates(PrintWriter out, Fates fates) {
    out.println(
        "of %s that both completed, B served %,d sooner and %,d later; on average %s s"
            .formatted(
                Wording.count(fates.compared(), "request"),
                fates.better(),
                fates.worse(),
                seconds(fates.meanNanos())));
    if (fates.endedOtherwise() > 0) {
      out.println("  %,d ended otherwise in the other run".formatted(fates.endedOtherwise()));
    }
    if (fates.onlyA() + fates.onlyB() > 0) {
      out.println(
          "  %,d arrived in A alone, %,d in B alone".formatted(fates.onlyA(), fates.onlyB()));
    }
    printMost(out, "fared best in B", fates.most(true, top));
    printMost(out, "fared worst in B", fates.most(false, top));
  }

  private static void printMost(PrintWriter out, String title, List<Fate> fates) {
    if (fates.isEmpty()) {
      return;
    }
    out.println();
    Table table =
        new Table()
            .row(title, "prompt", "output", "E2E A, s", "E2E B, s", "diff", "spilled A", "B");
    for (Fate fate : fates) {
      table.row(
          "request " + fate.a().request(),
          String.valueOf(fate.a().promptTokens()),
          String.valueOf(fate.a().outputTokens()),
          "%,.3f".formatted((fate.a().endNanos() - fate.a().arrivalNanos()) / 1e9),
          "%,.3f".formatted((fate.b().endNanos() - fate.b().arrivalNanos()) / 1e9),
          seconds(fate.laterNanos()),
          String.valueOf(fate.a().preemptions()),
          String.valueOf(fate.b().preemptions()));
    }
    table.print(out);
  }

  private static String seconds(long nanos) {
    return FigureTable.signed("%,.3f".formatted(nanos / 1e9));
  }

  private static void printMovements(PrintWriter out, Read left, Read right, Fates fates) {
    out.println();
    out.println(
        "spilled requests: %,d in both, %,d in A alone, %,d in B alone"
            .formatted(fates.spilledBoth(), fates.spilledA(), fates.spilledB()));
    Table table = new Table().row("transfers", "A", "B", "MiB A", "MiB B");
    boolean any = false;
    for (TransferKind kind : TransferKind.values()) {
      long before = left.movements().transfers(kind);
      long after = right.movements().transfers(kind);
      if (before + after > 0) {
        any = true;
        table.row(
            kind.name().toLowerCase(Locale.ROOT).replace('_', ' '),
            "%,d".formatted(before),
            "%,d".formatted(after),
            "%,d".formatted(left.movements().bytes(kind) >> 20),
            "%,d".formatted(right.movements().bytes(kind) >> 20));
      }
    }
    if (any) {
      table.print(out);
    }
  }

  // ------------------------------------------------------------------ JSON

  private ObjectNode toJson(Read left, Read right, @Nullable Parting parting, Fates fates) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("identical", parting == null);
    node.set("a", toJson(left));
    node.set("b", toJson(right));
    ObjectNode configuration = node.putObject("configuration");
    configurationDifferences(left, right)
        .forEach(
            (key, values) -> configuration.putObject(key).put("a", values[0]).put("b", values[1]));
    node.put("shared_events", parting == null ? left.events() : parting.shared());
    node.set("first_difference", parting == null ? null : toJson(parting.event()));
    node.set("first_diverging_decision", parting == null ? null : toJson(parting.decision()));
    ObjectNode requests = node.putObject("requests");
    requests.put("compared", fates.compared());
    requests.put("better", fates.better());
    requests.put("worse", fates.worse());
    requests.put("mean_later_nanos", fates.meanNanos());
    requests.put("ended_otherwise", fates.endedOtherwise());
    requests.put("only_a", fates.onlyA());
    requests.put("only_b", fates.onlyB());
    requests.put("spilled_both", fates.spilledBoth());
    requests.put("spilled_a", fates.spilledA());
    requests.put("spilled_b", fates.spilledB());
    fates.most(true, top).forEach(fate -> requests.withArray("best").add(toJson(fate)));
    fates.most(false, top).forEach(fate -> requests.withArray("worst").add(toJson(fate)));
    ObjectNode transfers = node.putObject("transfers");
    for (TransferKind kind : TransferKind.values()) {
      ObjectNode one = transfers.putObject(kind.name().toLowerCase(Locale.ROOT));
      one.put("a", left.movements().transfers(kind));
      one.put("b", right.movements().transfers(kind));
      one.put("bytes_a", left.movements().bytes(kind));
      one.put("bytes_b", right.movements().bytes(kind));
    }
    node.set("differences", FigureTable.differences(left.figures(), right.figures()));
    return node;
  }

  private static ObjectNode toJson(Read read) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("run", read.path().toString());
    node.put("policy", read.configuration().path("policy").path("name").asText());
    node.put("configuration_changes", read.movements().changes());
    node.put("events", read.events());
    node.put("digest", read.digest());
    node.set("figures", new ObjectMapper().valueToTree(read.figures()));
    return node;
  }

  private static @Nullable JsonNode toJson(@Nullable Sides sides) {
    if (sides == null) {
      return null;
    }
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("a", toJson(sides.a()));
    node.set("b", toJson(sides.b()));
    return node;
  }

  private static ObjectNode toJson(Side side) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("position", side.position());
    node.put("at_nanos", side.atNanos());
    node.put("state_hash", "%016x".formatted(side.stateHash()));
    node.set(
        "event",
        side.event() == null ? null : new EventJson().toJson(side.position(), side.event()));
    return node;
  }

  private static ObjectNode toJson(Fate fate) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("request", fate.a().request());
    node.put("prompt_tokens", fate.a().promptTokens());
    node.put("output_tokens", fate.a().outputTokens());
    node.put("e2e_nanos_a", fate.a().endNanos() - fate.a().arrivalNanos());
    node.put("e2e_nanos_b", fate.b().endNanos() - fate.b().arrivalNanos());
    node.put("later_nanos", fate.laterNanos());
    node.put("preemptions_a", fate.a().preemptions());
    node.put("preemptions_b", fate.b().preemptions());
    return node;
  }
}
