package io.fusespill.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// The conversions that bring records of older schema versions up to today's, one version after the
/// other.
///
/// Each turns an intact record of its version into one of the next, checksum included. The fixed
/// fields of a record lie at the same offsets in every version, so that damage shows before
/// anything is converted.
final class Upcasters {

  /// All that there are: schema version 1 is the first.
  static final Upcasters REGISTERED = new Upcasters(Map.of());

  private final Map<Integer, UnaryOperator<byte[]>> byVersion;

  /// @param byVersion conversions by the version that they start from
  Upcasters(Map<Integer, UnaryOperator<byte[]>> byVersion) {
    this.byVersion = Map.copyOf(byVersion);
  }

  /// The conversions that a record of this version goes through; none if it is today's.
  ///
  /// @throws JournalException if one is missing; the message is to follow the journal's name
  List<UnaryOperator<byte[]>> from(int schemaVersion) {
    List<UnaryOperator<byte[]>> steps = new ArrayList<>();
    for (int version = schemaVersion; version < JournalHeader.SCHEMA_VERSION; version++) {
      UnaryOperator<byte[]> step = byVersion.get(version);
      if (step == null) {
        throw new JournalException(
            "has schema version %d, which this program no longer reads; today's is %d"
                .formatted(schemaVersion, JournalHeader.SCHEMA_VERSION));
      }
      steps.add(step);
    }
    return steps;
  }
}
