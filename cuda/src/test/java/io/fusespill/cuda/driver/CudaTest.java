package io.fusespill.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is said where there is no GPU, and what needs none.
final class CudaTest {

  @Test
  void unavailable_isOneLineAndEveryUseSaysIt() {
    assumeTrue(Cuda.unavailable().isPresent(), "this machine has a GPU");
    String reason = Cuda.unavailable().orElseThrow();
    assertThat(reason).doesNotContain("\n").isNotBlank();
    assertThat(Cuda.devices()).isEmpty();
    assertThatThrownBy(() -> Context.open(0))
        .isInstanceOf(CudaException.class)
        .hasMessage("cuda:0: " + reason);
    assertThatThrownBy(() -> Context.open(0)).hasMessage("cuda:0: " + reason);
  }

  @Test
  void unavailable_withoutADriver_namesItsLibrary() {
    boolean driver =
        Files.exists(Path.of("/usr/lib/x86_64-linux-gnu/libcuda.so.1"))
            || Files.exists(Path.of("/usr/lib64/libcuda.so.1"))
            || Cuda.driverVersion().isPresent()
            || !System.getProperty("os.arch").equals("amd64");
    assumeTrue(!driver, "this machine has an NVIDIA driver, or none is made for it");
    assertThat(Cuda.unavailable().orElseThrow()).contains("libcuda.so.1");
  }

  @ParameterizedTest
  @CsvSource({"Linux, aarch64", "Mac OS X, x86_64", "Windows 11, amd64"})
  void unsupported_otherMachines_areNamed(String system, String processor) {
    assertThat(Cuda.unsupported(system, processor)).contains(system).contains(processor);
  }

  @Test
  void unsupported_linuxOnX86_isSupported() {
    assertThat(Cuda.unsupported("Linux", "amd64")).isNull();
  }

  @ParameterizedTest
  @CsvSource({"700, true", "719, true", "2, false", "1, false", "712, false", "-1, false"})
  void isFatal_isWhatLosesTheContext(int code, boolean fatal) {
    assertThat(new CudaException(code, "x").isFatal()).isEqualTo(fatal);
  }

  @Test
  void message_saysWhatWasBeingDone() {
    assertThat(
            CudaException.message(
                2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory", "allocating 7 bytes"))
        .isEqualTo(
            "allocating 7 bytes failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)"
                + "; take less, for example fewer KV blocks, shorter steps or a smaller model"
                + ", or free what others have taken");
    assertThat(CudaException.message(4_711, null, null, "x"))
        .isEqualTo("x failed: CUDA error 4711 (unknown)");
  }

  @Test
  void pciLink_isWhatTheSystemSays(@TempDir Path folder) throws IOException {
    GpuInfo gpu = new GpuInfo(0, "a", 1, 1, 9, 0, 1, 1, "0000:04:00.0");
    assertThat(gpu.pciLink(folder)).isEmpty();
    Path device = Files.createDirectory(folder.resolve("0000:04:00.0"));
    Files.writeString(device.resolve("max_link_speed"), "32.0 GT/s PCIe\n");
    Files.writeString(device.resolve("max_link_width"), "16\n");
    assertThat(gpu.pciLink(folder)).contains("32.0 GT/s x16");
    assertThat(gpu.computeCapability()).isEqualTo("9.0");
  }
}
