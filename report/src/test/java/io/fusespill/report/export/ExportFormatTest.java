package io.fusespill.report.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.HandlingChosen;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.engine.state.EngineState;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.report.Runs;
import io.fusespill.report.export.TraceEvents.Slice;
import io.fusespill.sim.Faults;
import io.fusespill.tables.Column;
import io.fusespill.tables.ColumnType;
import io.fusespill.tables.Table;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs under pressure, with and without faults, in every format.
class ExportFormatTest {

  private static final int REQUESTS = 150;
  private static final int BLOCKS = 400;

  @TempDir private static Path folder;

  private static List<EngineEvent> events;

  @BeforeAll
  static void simulate() {
    for (String policy : List.of("fusespill", "vllm-0.2.7", "continuous")) {
      Runs.simulate(folder.resolve(policy), PolicySpec.of(policy), REQUESTS, Faults.NONE);
    }
    Runs.simulate(
        folder.resolve("faults"),
        PolicySpec.of("fusespill"),
        REQUESTS,
        new Faults(2_000, 20_000, 100_000, 20_000_000_000L));
    events = events("fusespill");
  }

  private static List<EngineEvent> events(String run) {
    List<EngineEvent> all = new ArrayList<>();
    try (JournalReader journal = JournalReader.open(folder.resolve(run))) {
      while (journal.next()) {
        all.add(journal.event());
      }
    }
    return all;
  }

  private static Path export(String run, ExportFormat format, String name) {
    Path output = folder.resolve(run + "-" + name);
    try (JournalReader journal = JournalReader.open(folder.resolve(run))) {
      format.export(journal, output, position -> {});
    }
    return output;
  }

  private static TraceEvents trace(String run) throws IOException {
    Path file = export(run, ExportFormat.PERFETTO, "trace.json.gz");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return TraceEvents.read(in);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fusespill", "vllm-0.2.7", "continuous", "faults"})
  void perfetto_followsTheFormatAndHasEveryStepTransferAndSequence(String run) throws IOException {
    TraceEvents trace = trace(run);
    List<EngineEvent> recorded = events(run);

    assertThat(trace.slices("a10", "steps"))
        .hasSize(
            (int)
                recorded.stream()
                    .filter(e -> e instanceof StepCompleted || e instanceof StepFailed)
                    .count());
    assertThat(trace.slices("links", ".*"))
        .hasSize((int) recorded.stream().filter(TransferPlanned.class::isInstance).count());
    List<Slice> lives =
        trace.slices("sequences", ".*").stream().filter(slice -> slice.depth() == 0).toList();
    assertThat(lives).hasSize(REQUESTS);
    assertThat(trace.processes())
        .containsValue("sequences 0–99")
        .containsValue("sequences 100–199");
  }

  @Test
  void perfetto_phasesOfASequenceFillItsLife() throws IOException {
    TraceEvents trace = trace("fusespill");
    for (int sequence = 0; sequence < REQUESTS; sequence++) {
      List<Slice> slices = trace.slices("sequences", "sequence " + sequence);
      Slice life = slices.getFirst();
      long now = life.fromNanos();
      for (Slice phase : slices.subList(1, slices.size())) {
        assertThat(phase.fromNanos()).as("%s of sequence %d", phase, sequence).isEqualTo(now);
        now = phase.untilNanos();
      }
      assertThat(now).as("sequence %d", sequence).isEqualTo(life.untilNanos());
    }
  }

  @Test
  void perfetto_countsAndTimesAgreeWithTheReport() throws IOException {
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    events.forEach(metrics::accept);
    RunReport report = new RunReport(metrics, latencies);
    TraceEvents trace = trace("fusespill");

    List<Slice> steps = trace.slices("a10", "steps");
    assertThat(steps.stream().mapToLong(s -> s.arguments().path("prefill_tokens").asLong()).sum())
        .isEqualTo(metrics.prefillTokens());
    assertThat(steps.stream().mapToLong(s -> s.arguments().path("remote_decodes").asLong()).sum())
        .isEqualTo(metrics.remoteDecodes());
    assertThat(steps.stream().mapToLong(Slice::nanos).sum() / 1e9)
        .isCloseTo(report.utilisation(0) * report.durationSeconds(), within(1e-6));
    assertThat(
            trace.slices("links", "a10 →.*").stream()
                .mapToLong(s -> s.arguments().get("blocks").asLong())
                .sum())
        .isEqualTo(metrics.swappedOutBlocks() + metrics.offloadedBlocks());

    List<JsonNode> used = trace.counter("a10", "KV blocks");
    assertThat(used).extracting(c -> c.get("args").get("used").asInt()).allMatch(n -> n <= BLOCKS);
    assertThat(used.stream().mapToInt(c -> c.get("args").get("used").asInt()).max())
        .hasValue(metrics.usedBlocksMax(0));
    assertThat(used.getLast().get("args").get("used").asInt()).isZero();
    assertThat(trace.counter("a10", "leaving").getLast().get("args").get("KV blocks").asInt())
        .isZero();
    assertThat(trace.counter("scheduler", "sequences").getLast().get("args").get("waiting").asInt())
        .isZero();
  }

  @Test
  void perfetto_showsEveryChoiceWithWhatWasWeighed() throws IOException {
    List<JsonNode> decisions = trace("fusespill").instants("a10", "decisions");
    List<HandlingChosen> chosen =
        events.stream()
            .filter(HandlingChosen.class::isInstance)
            .map(HandlingChosen.class::cast)
            .toList();
    List<JsonNode> shown = decisions.stream().filter(d -> d.get("args").has("estimates")).toList();

    assertThat(shown).hasSameSizeAs(chosen).isNotEmpty();
    for (int i = 0; i < chosen.size(); i++) {
      JsonNode estimates = shown.get(i).get("args").get("estimates");
      assertThat(estimates).hasSameSizeAs(chosen.get(i).estimates());
      assertThat(estimates.path("recompute").path("lost_ms").isNumber()).isTrue();
    }
    assertThat(decisions).anyMatch(d -> d.get("name").asText().startsWith("admit "));
    assertThat(decisions).anyMatch(d -> d.get("name").asText().startsWith("preempt "));
  }

  /// The counter of used blocks against every instant of the log.
  @Test
  void perfetto_blocksAreCountedToAShareAndExactlyAtBothEnds() throws IOException {
    Iterator<JsonNode> counts = trace("fusespill").counter("a10", "KV blocks").iterator();
    JsonNode next = counts.next();
    int shown = -1;
    int instants = 0;
    EngineState state = new EngineState();
    for (int i = 0; i < events.size(); i++) {
      state.apply(events.get(i));
      if (i + 1 < events.size() && events.get(i + 1).atNanos() == state.nowNanos()) {
        continue;
      }
      if (next.get("ts").decimalValue().movePointRight(3).longValueExact() == state.nowNanos()) {
        shown = next.get("args").get("used").asInt();
        next = counts.hasNext() ? counts.next() : next;
      }
      int used = state.pool(0).allocated();
      int off = used == 0 || used == BLOCKS ? 0 : BLOCKS / PerfettoTrace.COUNTED_SHARE - 1;
      assertThat(shown).as("at %d ns", state.nowNanos()).isBetween(used - off, used + off);
      instants++;
    }
    assertThat(counts).isExhausted();
    assertThat(instants).isPositive();
  }

  /// A run as pressed as this one of 10,000 requests is to unpack to 60 MB at most.
  @Test
  void perfetto_staysSmall() throws IOException {
    long bytes = Files.size(export("fusespill", ExportFormat.PERFETTO, "trace.json"));
    assertThat(bytes / REQUESTS).as("bytes a request").isLessThan(60_000_000 / 10_000);
  }

  /// The journal gives up half-way, as a damaged one does.
  @ParameterizedTest
  @ValueSource(strings = {"PERFETTO", "JSONL"})
  void exportThatFails_leavesWhatWasThere(ExportFormat format) throws IOException {
    Path output = Files.writeString(folder.resolve("before-" + format), "before");
    try (JournalReader journal = JournalReader.open(folder.resolve("continuous"))) {
      assertThatThrownBy(() ->
              format.export(
                  journal,
                  output,
                  position -> {
                    throw new IllegalStateException("damaged");
                  }))
          .hasMessage("damaged");
    }
    assertThat(output).hasContent("before");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).noneMatch(file -> file.toString().endsWith(".unfinished"));
    }
  }

  @Test
  void sameRun_givesTheSameBytes() throws IOException {
    Path first = export("fusespill", ExportFormat.PERFETTO, "1.json");
    Path second = export("fusespill", ExportFormat.PERFETTO, "2.json");
    assertThat(first).hasSameBinaryContentAs(second);
  }

  @Test
  void jsonl_hasEveryEventInOrder() throws IOException {
    List<String> lines = Files.readAllLines(export("fusespill", ExportFormat.JSONL, "e.jsonl"));
    assertThat(lines).hasSameSizeAs(events);
    ObjectMapper mapper = new ObjectMapper();
    for (int i = 0; i < lines.size(); i++) {
      JsonNode event = mapper.readTree(lines.get(i));
      assertThat(event.get("position").asInt()).isEqualTo(i);
      assertThat(event.get("event").asText()).isEqualTo(events.get(i).getClass().getSimpleName());
    }
  }

  @Test
  void csvAndParquet_holdTheSameRows() throws IOException {
    Path csv = export("faults", ExportFormat.CSV, "csv");
    Path parquet = export("faults", ExportFormat.PARQUET, "parquet");
    for (RunTable table : RunTable.values()) {
      List<String> lines = Files.readAllLines(csv.resolve(table.label() + ".csv"));
      Table read = Table.readParquet(parquet.resolve(table.label() + ".parquet"));
      assertThat(read.schema()).isEqualTo(table.schema());
      assertThat(lines.getFirst()).isEqualTo(String.join(",", table.schema().names()));
      assertThat(lines).as(table.label()).hasSize(read.rows().size() + 1);
      assertThat(read.rows()).as(table.label()).isNotEmpty();
    }
    Table requests = Table.readParquet(parquet.resolve("requests.parquet"));
    assertThat(requests.rows()).hasSize(REQUESTS);
    assertThat(requests.rows()).extracting(row -> row.get(1)).contains("completed", "cancelled");
  }

  @Test
  void tables_agreeWithEachOther() {
    Path parquet = export("fusespill", ExportFormat.PARQUET, "tables");
    Table sequences = Table.readParquet(parquet.resolve("sequences.parquet"));
    for (int row = 0; row < sequences.rows().size(); row++) {
      long time = 0;
      for (String phase :
          List.of("waiting_ns", "prefill_ns", "decode_ns", "resting_ns", "moving_ns")) {
        time += (Long) sequences.value(row, phase);
      }
      assertThat(time)
          .isEqualTo(
              (Long) sequences.value(row, "end_ns") - (Long) sequences.value(row, "arrival_ns"));
    }
    Table choices = Table.readParquet(parquet.resolve("choices.parquet"));
    long chosen =
        choices.rows().stream()
            .filter(row -> row.get(choices.schema().indexOf("chosen")).equals(true))
            .count();
    assertThat(chosen).isEqualTo(events.stream().filter(HandlingChosen.class::isInstance).count());
  }

  /// Samples are forked from a sequence that chose and was preempted before.
  @Test
  void samples_countTheirOwnChoicesAndPreemptionsAlone() {
    Runs.simulateSamples(folder.resolve("samples"), REQUESTS);
    List<EngineEvent> recorded = events("samples");
    Path parquet = export("samples", ExportFormat.PARQUET, "tables");
    Table choices = Table.readParquet(parquet.resolve("choices.parquet"));
    int estimates =
        recorded.stream()
            .filter(HandlingChosen.class::isInstance)
            .mapToInt(event -> ((HandlingChosen) event).estimates().size())
            .sum();
    assertThat(choices.rows()).hasSize(estimates).isNotEmpty();
    Table sequences = Table.readParquet(parquet.resolve("sequences.parquet"));
    assertThat(sum(sequences, "choices"))
        .isEqualTo(recorded.stream().filter(HandlingChosen.class::isInstance).count());
    assertThat(sum(sequences, "preemptions"))
        .isEqualTo(recorded.stream().filter(SequencePreempted.class::isInstance).count());
  }

  private static long sum(Table table, String column) {
    return IntStream.range(0, table.rows().size())
        .mapToLong(row -> (Long) table.value(row, column))
        .sum();
  }

  @Test
  void columns_nameTheirUnits() {
    for (RunTable table : RunTable.values()) {
      for (Column column : table.schema().columns()) {
        assertThat(column.description()).as(column.name()).isNotEmpty();
        if (column.unit().equals("nanoseconds")) {
          assertThat(column.name()).endsWith("_ns");
        }
        if (column.type() == ColumnType.WHOLE && column.unit().equals("tokens")) {
          assertThat(column.name()).endsWith("_tokens");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PERFETTO", "JSONL", "CSV", "PARQUET"})
  void output_thatCannotBeWritten_isNamed(ExportFormat format) throws IOException {
    Path file = Files.writeString(folder.resolve("file-" + format), "");
    Path output = file.resolve("below");
    try (JournalReader journal = JournalReader.open(folder.resolve("continuous"))) {
      assertThatThrownBy(() -> format.export(journal, output, position -> {}))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("cannot write " + output);
    }
  }
}
