package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.journal.EventDigest;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import io.fusespill.replay.Latencies;
import io.fusespill.replay.RunReport;
import io.fusespill.replay.whatif.LengthsCsv;
import io.fusespill.replay.whatif.RecordedRequests;
import io.fusespill.sim.Arrival;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A run that happened, as far as what it left tells: its figures, its requests, and what it was
/// asked for.
///
/// @param described the configuration that it began with
/// @param start its first event
/// @param options what it was asked for, or would have to be for that configuration
/// @param requests what arrived
/// @param arrivals the same, ready to arrive again
record RecordedRun(
    Path path,
    ObjectNode described,
    JournalHeader header,
    RunStarted start,
    GivenOptions options,
    RunReport report,
    RecordedRequests requests,
    List<Arrival> arrivals,
    long events,
    String digest) {

  private static final int PROGRESS_MASK = (1 << 16) - 1;

  /// Reads a run directory or a journal.
  ///
  /// @throws UsageException if its events do not follow from each other
  static RecordedRun read(Path path, JournalReader reader, ProgressLine progress) {
    Latencies latencies = new Latencies(outcome -> {});
    RunMetrics metrics = new RunMetrics(latencies);
    RecordedRequests requests = new RecordedRequests();
    EventDigest digest = new EventDigest();
    RunStarted start = null;
    try {
      while (reader.next()) {
        EngineEvent event = reader.event();
        if (event instanceof RunStarted run) {
          start = run;
        }
        metrics.accept(event);
        requests.accept(event);
        digest.add(reader.bytes(), reader.length());
        if ((digest.events() & PROGRESS_MASK) == 0) {
          progress.at(digest.events());
        }
      }
    } catch (IllegalStateException | IndexOutOfBoundsException e) {
      throw new UsageException(
          "%s: its events do not follow from each other at position %d: %s"
              .formatted(path, reader.position(), e.getMessage()),
          e);
    }
    if (start == null || requests.size() == 0) {
      throw new UsageException("%s holds no request that could arrive again".formatted(path));
    }
    ObjectNode described = described(path, reader.header());
    return new RecordedRun(
        path,
        described,
        reader.header(),
        start,
        options(path, described),
        new RunReport(metrics, latencies),
        requests,
        requests.arrivals(lengths(path)),
        digest.events(),
        digest.hex());
  }

  private static ObjectNode described(Path path, JournalHeader header) {
    try {
      if (new ObjectMapper().readTree(header.configJson()) instanceof ObjectNode described
          && described.get("workload") instanceof ObjectNode) {
        return described;
      }
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "%s: its configuration is no JSON: %s".formatted(path, e.getOriginalMessage()), e);
    }
    throw new UsageException(
        "%s: its journal does not say how it was configured, so nothing can be put in the place of that"
            .formatted(path));
  }

  private static GivenOptions options(Path path, ObjectNode described) {
    GivenOptions kept = new RunDirectory(path).options();
    return kept == null ? DescribedOptions.of(described) : kept;
  }

  private static Map<Integer, LengthsCsv.Lengths> lengths(Path path) {
    Path file = new RunDirectory(path).lengths();
    try {
      return Files.exists(file) ? LengthsCsv.read(file) : Map.of();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /// What its journal tells of the machine.
  RecordedMachine machine() {
    return new RecordedMachine(path, described, start.config());
  }

  ObjectNode workload() {
    return described.withObject("workload").deepCopy();
  }

  /// Policy that it began under.
  String policy() {
    return described.path("policy").path("name").asText();
  }
}
