package io.fusespill.charts;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.charts.Source.Origin;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.explain.LifeLines;
import io.fusespill.replay.timeline.BusyTimes;
import io.fusespill.replay.timeline.PoolUse;
import io.fusespill.replay.timeline.RemainingLengths;
import io.fusespill.replay.timeline.Span;
import io.fusespill.replay.timeline.StepTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// All that figures show of one run, folded from its log in one pass.
///
/// Memory follows the live requests, not the run's length. Used by one thread until [#close]; then
/// any may read it.
public final class RunData {

  private static final int EVENTS_BETWEEN_REPORTS = 4_096;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String name;
  private final JournalHeader header;
  private final JsonNode config;
  private final Latencies latencies = new Latencies(outcome -> {});
  private final RunMetrics metrics = new RunMetrics(latencies);
  private final PoolUse pools;
  private final BusyTimes busy;
  private final LifeLines lives;
  private final StepTimes stepTimes;
  private final RemainingLengths remaining = new RemainingLengths();
  private final Span span;
  private @Nullable PolicySpec policy;

  /// What is looked at in detail.
  ///
  /// @param span the part of the run for pools, devices, links and step times; latencies and
  ///   throughput are always those of the whole run
  /// @param lifeLines sequences whose lives are drawn, 1 to [LifeLines#LINES_MAX]
  public record Detail(Span span, int lifeLines) {

    /// The whole run, and as many sequences as a column has room for.
    public static final Detail DEFAULT = new Detail(Span.ALL, 28);
  }

  /// @param name what the run is called in keys and sources
  /// @param header of its journal
  public RunData(String name, JournalHeader header, Detail detail) {
    this.name = name;
    this.header = header;
    try {
      this.config = MAPPER.readTree(header.configJson());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the configuration of run %s is not JSON: %s".formatted(name, e.getOriginalMessage()), e);
    }
    span = detail.span();
    pools = new PoolUse(span);
    busy = new BusyTimes(span);
    stepTimes = new StepTimes(span);
    lives = new LifeLines(detail.lifeLines(), span);
  }

  /// Reads a whole journal.
  ///
  /// @param events hears now and then how many events have been read
  public static RunData read(
      String name, JournalReader journal, Detail detail, LongConsumer events) {
    RunData run = new RunData(name, journal.header(), detail);
    while (journal.next()) {
      run.accept(journal.position(), journal.event());
      if (journal.position() % EVENTS_BETWEEN_REPORTS == 0) {
        events.accept(journal.position());
      }
    }
    run.close();
    return run;
  }

  /// Takes the next event of the log.
  public void accept(long position, EngineEvent event) {
    if (event instanceof RunStarted started) {
      policy = started.config().policy();
    }
    metrics.accept(event);
    pools.accept(event);
    busy.accept(event);
    stepTimes.accept(event);
    remaining.accept(event);
    lives.accept(position, event);
  }

  /// The log ends.
  public void close() {
    lives.close();
  }

  public String name() {
    return name;
  }

  /// The run's figures.
  public RunReport report() {
    return new RunReport(metrics, latencies);
  }

  /// What is looked at in detail.
  Span span() {
    return span;
  }

  PoolUse pools() {
    return pools;
  }

  BusyTimes busy() {
    return busy;
  }

  StepTimes stepTimes() {
    return stepTimes;
  }

  RemainingLengths remaining() {
    return remaining;
  }

  LifeLines lives() {
    return lives;
  }

  private String model() {
    return config.path("model").asText("");
  }

  /// How its step times came about.
  private String costs() {
    String timeModel = config.path("time_model").asText("");
    return timeModel.isEmpty() ? "Measured" : "Simulated, %s step times".formatted(timeModel);
  }

  private String policyText() {
    if (policy == null) {
      return "";
    }
    StringJoiner text = new StringJoiner(" ");
    text.add(policy.name());
    policy.options().forEach((option, value) -> text.add(option + "=" + value));
    return text.toString();
  }

  private String placesText() {
    StringJoiner text = new StringJoiner(" + ");
    pools.places().forEach(place -> text.add(place.name()));
    return text.toString();
  }

  private Origin origin() {
    return new Origin(name, header.configDigest(), "%016x".formatted(metrics.stateHash()));
  }

  /// The source of a figure of this run alone.
  Source source() {
    return new Source(
        "%s; %s under %s on %s. Run, config/state:"
            .formatted(costs(), model(), policyText(), placesText()),
        List.of(origin()));
  }

  /// The source of a figure of several runs.
  static Source source(List<RunData> runs) {
    if (runs.size() == 1) {
      return runs.getFirst().source();
    }
    List<String> parts = new ArrayList<>();
    parts.add(common(runs.stream().map(RunData::costs).toList()));
    parts.add(common(runs.stream().map(RunData::model).toList()));
    return new Source(
        "%s; %s. Runs, config/state:".formatted(parts.getFirst(), parts.getLast()),
        runs.stream().map(RunData::origin).toList());
  }

  private static String common(List<String> texts) {
    return String.join(", ", texts.stream().distinct().toList());
  }
}
