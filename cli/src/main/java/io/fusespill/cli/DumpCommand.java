package io.fusespill.cli;

import io.fusespill.engine.event.DecisionEvent;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.EventFilter;
import io.fusespill.replay.EventJson;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// The journal's events as JSON lines.
@Command(
    name = "dump",
    mixinStandardHelpOptions = true,
    description = {
      "Prints the journal's events as JSON lines, all or those that the filters let through.",
      ""
    })
final class DumpCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private JournalOptions journalOptions;

  @Option(
      names = "--sequence",
      paramLabel = "N",
      description = "Only events that name this sequence.")
  private @Nullable Integer sequence;

  @Option(
      names = "--kind",
      split = ",",
      paramLabel = "KIND",
      description = "Only events of these kinds, for example SequencePreempted,TransferPlanned.")
  private List<String> kinds = new ArrayList<>();

  @Option(
      names = "--range",
      paramLabel = "FROM..TO",
      description = "Only these positions; either end may be left out.")
  private @Nullable String range;

  @Option(
      names = "--header",
      description = "Print the journal's header first: schema version and resolved configuration.")
  private boolean header;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  DumpCommand() {}

  @Override
  public Integer call() {
    EventFilter filter = filter();
    EventJson json = new EventJson();
    PrintWriter out = spec.commandLine().getOut();
    try (JournalReader reader = journalOptions.open()) {
      if (header) {
        out.println(JournalHeaderJson.of(reader.header()));
      }
      long events = 0;
      int sequences = 0;
      while ((events <= filter.to() || filter.sequence() >= sequences) && reader.next()) {
        events++;
        if (reader.event() instanceof RequestArrived arrived) {
          sequences = arrived.firstSequence() + arrived.samples();
        }
        if (filter.accepts(reader.position(), reader.event())) {
          out.println(json.toJson(reader.position(), reader.event()));
        }
      }
      requireThere(filter, events, sequences);
    }
    out.flush();
    return 0;
  }

  /// @param events those of the journal, or enough of them
  private void requireThere(EventFilter filter, long events, int sequences) {
    if (range != null && filter.from() >= events) {
      throw new UsageException(
          "--range is '%s', %s"
              .formatted(
                  range,
                  events == 0
                      ? "and the journal holds no event"
                      : "the journal's last position is %d".formatted(events - 1)));
    }
    if (filter.sequence() >= sequences) {
      throw new UsageException(
          "--sequence is %d, must be %s"
              .formatted(
                  filter.sequence(),
                  sequences == 0
                      ? "one of the run, and no request arrived in it"
                      : "0 to %d, the last sequence of the run".formatted(sequences - 1)));
    }
  }

  private EventFilter filter() {
    Set<String> known = knownKinds();
    for (String kind : kinds) {
      if (!known.contains(kind)) {
        throw new UsageException(
            "--kind has no '%s', must be one of %s".formatted(kind, String.join(", ", known)));
      }
    }
    long from = 0;
    long to = Long.MAX_VALUE;
    if (range != null) {
      String[] ends = range.split("\\.\\.", -1);
      try {
        from = ends[0].isEmpty() ? 0 : Long.parseLong(ends[0]);
        to = ends.length == 1 ? from : ends[1].isEmpty() ? Long.MAX_VALUE : Long.parseLong(ends[1]);
      } catch (NumberFormatException e) {
        throw new UsageException(
            "--range is '%s', must be FROM..TO, FROM.., ..TO or one position".formatted(range), e);
      }
      if (from < 0 || to < from || ends.length > 2) {
        throw new UsageException(
            "--range is '%s', must be FROM..TO with 0 <= FROM <= TO".formatted(range));
      }
    }
    if (sequence != null && sequence < 0) {
      throw new UsageException("--sequence is %d, must be at least 0".formatted(sequence));
    }
    return new EventFilter(
        from, to, sequence == null ? EventFilter.ANY_SEQUENCE : sequence, Set.copyOf(kinds));
  }

  private static Set<String> knownKinds() {
    Set<String> known = new LinkedHashSet<>();
    Stream.of(InputEvent.class, DecisionEvent.class)
        .flatMap(type -> Arrays.stream(type.getPermittedSubclasses()))
        .forEach(type -> known.add(type.getSimpleName()));
    return known;
  }
}
