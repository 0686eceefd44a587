package io.fusespill.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The driver's `CUlaunchConfig` with programmatic stream serialization and, where blocks form
/// clusters, of how many each is, in memory that is used again and again.
final class EarlyLaunch {

  private static final long STREAM = 32;
  private static final long ATTRIBUTES = 40;
  private static final long ATTRIBUTE_COUNT = 48;

  /// `CUlaunchAttribute`: what it is, then from byte 8 its value.
  private static final long ATTRIBUTE = 56;

  private static final long ATTRIBUTE_BYTES = 72;
  private static final long CLUSTER = ATTRIBUTE + ATTRIBUTE_BYTES;
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;
  private static final int CLUSTER_DIMENSION = 4;
  private static final long BYTES = CLUSTER + ATTRIBUTE_BYTES;

  private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, Long.BYTES);

  EarlyLaunch() {
    memory.set(JAVA_LONG, ATTRIBUTES, memory.address() + ATTRIBUTE);
    memory.set(JAVA_INT, ATTRIBUTE, PROGRAMMATIC_STREAM_SERIALIZATION);
    memory.set(JAVA_INT, ATTRIBUTE + 8, 1);
    memory.set(JAVA_INT, CLUSTER, CLUSTER_DIMENSION);
    memory.set(JAVA_INT, CLUSTER + 12, 1);
    memory.set(JAVA_INT, CLUSTER + 16, 1);
  }

  /// The address of a launch of that shape.
  long of(LaunchShape shape, long stream) {
    memory.set(JAVA_INT, 0, shape.gridX());
    memory.set(JAVA_INT, 4, shape.gridY());
    memory.set(JAVA_INT, 8, shape.gridZ());
    memory.set(JAVA_INT, 12, shape.blockX());
    memory.set(JAVA_INT, 16, shape.blockY());
    memory.set(JAVA_INT, 20, shape.blockZ());
    memory.set(JAVA_INT, 24, shape.sharedBytes());
    memory.set(JAVA_LONG, STREAM, stream);
    memory.set(JAVA_INT, CLUSTER + 8, shape.cluster());
    memory.set(JAVA_INT, ATTRIBUTE_COUNT, shape.cluster() > 1 ? 2 : 1);
    return memory.address();
  }
}
