package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// A journal of a run whose times were measured, and what its header says of its machine.
///
/// @param start its first event
/// @param model name of the model profile
/// @param described configuration as the header has it
record RecordedLiveRun(Path path, RunStarted start, String model, JsonNode described) {

  private static final int PROGRESS_MASK = (1 << 16) - 1;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// Reads the whole journal and hands each event on.
  ///
  /// @throws UsageException if its events do not follow from each other, its configuration changed
  ///   on the way, or its header does not name the model
  static RecordedLiveRun read(
      Path path, boolean partial, boolean quiet, List<Consumer<EngineEvent>> folds) {
    RunStarted start = null;
    try (JournalReader reader = JournalOptions.open(path, partial);
        ProgressLine progress = new ProgressLine("read", "events", 0, quiet)) {
      try {
        while (reader.next()) {
          EngineEvent event = reader.event();
          if (event instanceof RunStarted run) {
            start = run;
          }
          if (event instanceof ConfigurationChanged) {
            throw new UsageException(
                "%s changes its configuration at position %d: what was measured before and after would mix; give a run without a branch"
                    .formatted(path, reader.position()));
          }
          folds.forEach(fold -> fold.accept(event));
          if ((reader.position() & PROGRESS_MASK) == 0) {
            progress.at(reader.position());
          }
        }
      } catch (IllegalStateException | IndexOutOfBoundsException e) {
        throw new UsageException(
            "%s: its events do not follow from each other at position %d: %s"
                .formatted(path, reader.position(), e.getMessage()),
            e);
      }
      if (start == null) {
        throw new UsageException("%s holds no event: nothing ran in it".formatted(path));
      }
      JsonNode described = described(path, reader.header().configJson());
      return new RecordedLiveRun(path, start, described.get("model").asText(), described);
    }
  }

  private static JsonNode described(Path path, String json) {
    try {
      JsonNode described = MAPPER.readTree(json);
      if (described.path("model").isTextual()) {
        return described;
      }
    } catch (JsonProcessingException e) {
      throw new UsageException(
          "%s: its configuration is no JSON: %s".formatted(path, e.getOriginalMessage()), e);
    }
    throw new UsageException(
        "%s: its journal does not name its model, and a profile is of one model".formatted(path));
  }

  /// Hardware of a place, its own name where the journal does not tell.
  String hardware(String place) {
    for (JsonNode each : described.path("places")) {
      if (each.path("name").asText().equals(place)) {
        return each.path("hardware").asText(place);
      }
    }
    return place;
  }

  /// Whether its devices were simulated. Their steps take the time of the padding that plans have;
  /// those that run models compute none.
  boolean simulated() {
    return !described.has("load_format");
  }

  List<Place> places() {
    return start.config().topology().places();
  }
}
