package io.fusespill.sim.cost;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.Check;
import io.fusespill.sim.profile.JsonReader;
import java.util.List;

/// The time of a transfer from one place to another as it was measured: until an idle link begins,
/// and each byte.
///
/// @param from name of the place where the blocks lie
/// @param to name of the place where they go
/// @param latencyNanos until an idle link begins with a transfer, finite, at least 0
/// @param nanosPerByte finite, at least 0
/// @param bytes sizes that were measured
public record FittedLink(
    String from,
    String to,
    double latencyNanos,
    double nanosPerByte,
    FeatureRange bytes,
    FitErrors errors)
    implements TransferTimeModel {

  public FittedLink {
    Check.text("from", from);
    Check.text("to", to);
    Check.notNegative("latencyNanos", latencyNanos);
    Check.notNegative("nanosPerByte", nanosPerByte);
  }

  @Override
  public long beginNanos() {
    return (long) latencyNanos;
  }

  /// As it was measured, whatever number of copies a transfer is made of.
  @Override
  public long nanos(long bytes, long copies) {
    return Math.max(1, (long) (bytes * nanosPerByte));
  }

  /// The same between places of other names.
  public FittedLink between(String otherFrom, String otherTo) {
    return new FittedLink(otherFrom, otherTo, latencyNanos, nanosPerByte, bytes, errors);
  }

  static FittedLink from(JsonReader json) {
    List<Long> ends = json.wholes("bytes");
    if (ends.size() != 2) {
      throw json.problem("bytes", "is %s, must be [min, max]".formatted(ends));
    }
    return new FittedLink(
        json.text("from"),
        json.text("to"),
        json.number("latencyNanos"),
        json.number("nanosPerByte"),
        new FeatureRange(ends.getFirst(), ends.getLast()),
        FitErrors.from(json.object("heldOut")));
  }

  FittedLink rounded() {
    return new FittedLink(
        from, to, Digits.of(latencyNanos), Digits.of(nanosPerByte), bytes, errors);
  }

  void writeTo(ObjectNode json) {
    json.put("from", from);
    json.put("to", to);
    json.put("latencyNanos", latencyNanos);
    json.put("nanosPerByte", nanosPerByte);
    json.putArray("bytes").add(bytes.min()).add(bytes.max());
    errors.writeTo(json.putObject("heldOut"));
  }
}
