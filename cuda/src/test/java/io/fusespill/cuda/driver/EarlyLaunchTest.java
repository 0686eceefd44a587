package io.fusespill.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The bytes are those of `CUlaunchConfig` and `CUlaunchAttribute` in the driver's header,
/// `cuda.h`.
final class EarlyLaunchTest {

  private static final int CONFIG_BYTES = 56;
  private static final int ATTRIBUTE_BYTES = 72;

  private final EarlyLaunch early = new EarlyLaunch();

  @SuppressWarnings("restricted")
  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private static int[] ints(MemorySegment memory, long from, int count) {
    return IntStream.range(0, count)
        .map(i -> memory.get(JAVA_INT, from + (long) Integer.BYTES * i))
        .toArray();
  }

  @Test
  void launch_hasItsShapeAndStream_andOneAttribute() {
    long launch = early.of(new LaunchShape(6, 5, 4, 32, 3, 2, 1_024, 1), 99);

    MemorySegment config = at(launch, CONFIG_BYTES);
    assertThat(ints(config, 0, 7)).containsExactly(6, 5, 4, 32, 3, 2, 1_024);
    assertThat(config.get(JAVA_LONG, 32)).isEqualTo(99);
    assertThat(config.get(JAVA_INT, 48)).isEqualTo(1);
    MemorySegment attribute = at(config.get(JAVA_LONG, 40), ATTRIBUTE_BYTES);
    assertThat(ints(attribute, 0, 1)).as("programmatic stream serialization").containsExactly(6);
    assertThat(ints(attribute, 8, 1)).containsExactly(1);
  }

  @Test
  void clusters_areASecondAttribute_untilALaunchHasNone() {
    LaunchShape shape = LaunchShape.of(8, 2, 1, 160);

    MemorySegment config = at(early.of(shape.withCluster(4), 1), CONFIG_BYTES);
    assertThat(config.get(JAVA_INT, 48)).isEqualTo(2);
    MemorySegment attributes = at(config.get(JAVA_LONG, 40), 2 * ATTRIBUTE_BYTES);
    assertThat(ints(attributes, ATTRIBUTE_BYTES, 1)).as("cluster dimension").containsExactly(4);
    assertThat(ints(attributes, ATTRIBUTE_BYTES + 8, 3)).containsExactly(4, 1, 1);

    assertThat(at(early.of(shape, 1), CONFIG_BYTES).get(JAVA_INT, 48)).isEqualTo(1);
  }
}
