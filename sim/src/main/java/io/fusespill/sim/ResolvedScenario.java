package io.fusespill.sim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.event.InputEvent.RunStarted;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// A scenario with every number in place.
///
/// @param description the whole configuration as JSON; its canonical text has a digest that the
///   run's log begins with
/// @param notes what is strange about it and yet simulated, for people
public record ResolvedScenario(
    EngineConfig config,
    World world,
    int samples,
    long seed,
    ObjectNode description,
    List<String> notes) {

  private static final ObjectMapper CANONICAL =
      new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

  /// The canonical text: keys in order, no white space.
  public String canonicalText() {
    try {
      return CANONICAL.writeValueAsString(CANONICAL.treeToValue(description, Object.class));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration cannot be written as JSON", e);
    }
  }

  /// SHA-256 of the canonical text, in hex.
  public String digest() {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(canonicalText().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /// The same under another description, with another digest.
  public ResolvedScenario describedAs(ObjectNode other) {
    return new ResolvedScenario(config, world, samples, seed, other, notes);
  }

  /// What [Simulation] takes.
  public Simulation.Setup setup() {
    return new Simulation.Setup(
        new RunStarted(0, EngineVersion.VERSION, digest(), seed, config), world, samples);
  }
}
