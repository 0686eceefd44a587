package io.fusespill.journal;

import java.util.Map;
import java.util.function.UnaryOperator;

/// Brings records of older schema versions up to today's, one version after the other.
///
/// Each entry turns an intact record of its version into one of the next, checksum included. The fixed fields of a record
/// lie at the same offsets in every version, so that damage shows before anything is converted.
final class Upcasters {

  /// All conversions there are: schema version 1 is the first.
  static final Upcasters REGISTERED = new Upcasters(Map.of());

  private final Map<Integer, UnaryOperator<byte[]>> byVersion;

  /// @param byVersion conversions by the version that they start from
  Upcasters(Map<Integer, UnaryOperator<byte[]>> byVersion) {
    this.byVersion = Map.copyOf(byVersion);
  }

  /// Whether records of this version can be brought up to today's.
  boolean reach(int schemaVersion) {
    for (int version = schemaVersion; version < JournalHeader.SCHEMA_VERSION; version++) {
      if (!byVersion.containsKey(version)) {
        return false;
      }
    }
    return true;
  }

  byte[] upcast(int schemaVersion, byte[] record) {
    byte[] upcast = record;
    for (int version = schemaVersion; version < JournalHeader.SCHEMA_VERSION; version++) {
      upcast = byVersion.get(version).apply(upcast);
    }
    return upcast;
  }
}
