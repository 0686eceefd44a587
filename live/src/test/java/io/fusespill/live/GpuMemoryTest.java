package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.engine.config.PolicySpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A GPU where somebody has left too little memory for something that a run needs, whatever that
/// is: the run does not begin, says what did not fit, and takes nothing.
@Tag("gpu")
@Timeout(300)
class GpuMemoryTest {

  private static final long MIB = 1L << 20;

  /// What the driver keeps for itself once it has run something.
  private static final long SLACK = 4 * MIB;

  @TempDir private Path temp;

  @Test
  void tooLittleMemory_isSaid_andNothingStaysTaken() throws Exception {
    List<String> refused = new ArrayList<>();
    int served = 0;
    try (Context context = Context.open(0)) {
      // Once, so that what the driver keeps is there.
      assertThat(serve(Files.createDirectory(temp.resolve("first")))).isNull();
      for (int left = 0; left <= 320; left += left < 96 ? 2 : 32) {
        long before = context.freeBytes();
        try (DeviceBuffer _ = context.allocate(before - (left + 2) * MIB, "somebody else's")) {
          CudaException failure = serve(Files.createDirectory(temp.resolve("left" + left)));
          if (failure == null) {
            served++;
          } else {
            assertThat(failure.isOutOfMemory()).as("%s", failure).isTrue();
            assertThat(failure).hasNoSuppressedExceptions();
            refused.add(failure.getMessage().replaceAll("[\\d,.]+ (bytes|MiB)", "_"));
          }
        }
        assertThat(context.freeBytes()).as("%d MiB", left).isGreaterThan(before - SLACK);
      }
    }
    assertThat(served).isPositive();
    assertThat(refused.stream().distinct().toList())
        .as("what did not fit")
        .hasSizeGreaterThan(2)
        .anyMatch(message -> message.matches(".*(model's|cuBLASLt's|linear layers') workspace.*"))
        .anyMatch(message -> message.contains("KV pool"));
  }

  /// A few requests on two devices of the GPU; what keeps them from beginning, or null.
  private static CudaException serve(Path folder) {
    try (LiveFixture live = LiveFixture.open(FaultContract.MODEL, folder)) {
      live.run(
          "run",
          LiveFixture.spec(
              PolicySpec.of("continuous"), 1, Hardware.GPU, false, 1.0 / 64, 0, 65_536, 65_536),
          live.requests(4, 1, 3));
      return null;
    } catch (CudaException e) {
      return e;
    }
  }
}
