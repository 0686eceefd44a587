package io.fusespill.sim.cost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.Spelling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Calibrated times of the places and links of a machine, as a file holds them.
/// `docs/cost-profile-format.md` describes the format.
///
/// @param model name of the model profile it was measured with
/// @param blockTokens tokens a KV block held
/// @param blockBytes what a KV block took; 0 where nobody noted it, as much as the model's own type
///   comes to
/// @param source how and when it was measured
/// @param submitLatency from the end of a step to the start of one that was planned in answer
/// @param queuedNanos from the end of a step to the start of one that waited in its queue: part of
///   every step's time already
/// @param places at least one
/// @param links those over which transfers were measured
public record FittedProfile(
    String name,
    String model,
    int blockTokens,
    long blockBytes,
    String source,
    SubmitLatency submitLatency,
    long queuedNanos,
    List<FittedPlace> places,
    List<FittedLink> links) {

  /// The version of the file format that this reads and writes.
  public static final int FORMAT_VERSION = 2;

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final long BLOCK_BYTES_MAX = 1L << 40;
  private static final long QUEUED_NANOS_MAX = 60_000_000_000L;

  public FittedProfile {
    Check.text("name", name);
    Check.text("model", model);
    Check.range("blockTokens", blockTokens, 1, 1_024);
    Check.range("blockBytes", blockBytes, 0, BLOCK_BYTES_MAX);
    Check.range("queuedNanos", queuedNanos, 0, QUEUED_NANOS_MAX);
    Check.range("places", places.size(), 1, Integer.MAX_VALUE);
    places = List.copyOf(places);
    links = List.copyOf(links);
    Set<String> names = new LinkedHashSet<>();
    for (FittedPlace place : places) {
      if (!names.add(place.place())) {
        throw new ProfileException(
            "places: %s is there twice, must be there once".formatted(place.place()));
      }
    }
  }

  /// The profile of a file.
  ///
  /// @throws ProfileException if there is no such file, or it is no profile
  public static FittedProfile read(Path file) {
    try {
      return JsonReader.read(file, FittedProfile::from);
    } catch (ProfileException e) {
      if (e.getCause() instanceof IOException) {
        throw new ProfileException(
            e.getMessage() + "; a profile of step times is what calibrate or profile-device writes",
            e);
      }
      throw e;
    }
  }

  /// The profile's file, as [#read] takes it.
  public String toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("formatVersion", FORMAT_VERSION);
    json.put("name", name);
    json.put("model", model);
    json.put("blockTokens", blockTokens);
    if (blockBytes > 0) {
      json.put("blockBytes", blockBytes);
    }
    json.put("source", source);
    json.put("submitNanos", submitLatency.nanos());
    json.put("submitNanosPerSequence", submitLatency.nanosPerSequence());
    json.put("queuedNanos", queuedNanos);
    places.forEach(place -> place.writeTo(json.withArray("places").addObject()));
    links.forEach(link -> link.writeTo(json.withArray("links").addObject()));
    DefaultPrettyPrinter lines = new DefaultPrettyPrinter();
    lines.indentObjectsWith(new DefaultIndenter("  ", "\n"));
    try {
      return MAPPER.writer(lines).writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a profile cannot be written as JSON", e);
    }
  }

  /// The same with every number to as many digits as a file keeps: what [#read] makes of [#toJson].
  public FittedProfile rounded() {
    return new FittedProfile(
        name,
        model,
        blockTokens,
        blockBytes,
        source,
        submitLatency,
        queuedNanos,
        places.stream().map(FittedPlace::rounded).toList(),
        links.stream().map(FittedLink::rounded).toList());
  }

  /// The measured place of this name and hardware; else the first of that hardware. Names of
  /// hardware and model may be spelt in other ways; a place whose hardware is spelt just so is
  /// preferred.
  ///
  /// @throws ProfileException if this was measured for something else
  public FittedPlace place(String place, String hardware, String model, int blockTokens) {
    Optional<FittedPlace> found =
        places.stream()
            .filter(each -> Spelling.sameCard(each.hardware(), hardware))
            .min(
                Comparator.comparing((FittedPlace each) -> !each.hardware().equals(hardware))
                    .thenComparing(each -> !each.place().equals(place)));
    if (found.isEmpty()
        || !Spelling.sameModel(this.model, model)
        || this.blockTokens != blockTokens) {
      throw new ProfileException(
          """
          cost profile %s was fitted to %s, %s, blocks of %d, but this run is %s, %s, blocks of %d: \
          calibrate for it or take the roofline\
          """
              .formatted(
                  name,
                  String.join(
                      " and ", places.stream().map(FittedPlace::hardware).distinct().toList()),
                  this.model,
                  this.blockTokens,
                  hardware,
                  model,
                  blockTokens));
    }
    return found.get();
  }

  static FittedProfile from(JsonReader json) {
    if (!json.has("formatVersion")) {
      throw json.problem(
          "formatVersion",
          "is missing: this is no cost profile as 'fusespill calibrate' writes it");
    }
    Check.range("formatVersion", json.whole("formatVersion"), FORMAT_VERSION, FORMAT_VERSION);
    return new FittedProfile(
        json.text("name"),
        json.text("model"),
        json.count("blockTokens"),
        json.has("blockBytes") ? json.whole("blockBytes") : 0,
        json.text("source"),
        new SubmitLatency(
            json.whole("submitNanos"),
            json.has("submitNanosPerSequence") ? json.whole("submitNanosPerSequence") : 0),
        json.has("queuedNanos") ? json.whole("queuedNanos") : 0,
        json.objects("places").stream().map(FittedPlace::from).toList(),
        json.has("links")
            ? json.objects("links").stream().map(FittedLink::from).toList()
            : List.of());
  }
}
