package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.cuda.driver.Cuda;
import io.fusespill.host.kernel.Cores;
import org.junit.jupiter.api.Test;

final class DevicesCommandTest {

  @Test
  void devices_withoutAGpu_areTheHostAndTheReason() {
    assumeTrue(Cuda.unavailable().isPresent(), "this machine has a GPU");
    Cli printed = Cli.run("devices", "--no-measure");
    assertThat(printed.exitCode()).isZero();
    assertThat(printed.err()).isEmpty();
    assertThat(printed.out().lines().filter(line -> line.startsWith("  host "))).hasSize(1);
    assertThat(printed.out()).contains("no GPU: " + Cuda.unavailable().orElseThrow());
    assertThat(printed.out()).doesNotContain("cuda:0");
  }

  @Test
  void json_saysTheSame() {
    JsonNode machine = Cli.run("devices", "--no-measure", "--json").json();
    assertThat(machine.get("gpus")).hasSize(Cuda.devices().size());
    assertThat(machine.get("no_gpu").isNull()).isEqualTo(Cuda.unavailable().isEmpty());
    assertThat(machine.get("host").get("cores").asInt()).isEqualTo(Cores.allowed().length);
    assertThat(machine.get("host").has("memory_bytes_per_second")).isFalse();
    assertThat(machine.get("cublaslt").get("library").isNull())
        .isNotEqualTo(machine.get("cublaslt").get("missing").isNull());
  }

  @Test
  void measured_theHostHasABandwidth() {
    JsonNode host = Cli.run("devices", "--json").json().get("host");
    assertThat(host.get("memory_bytes_per_second").asLong()).isGreaterThan(100_000_000L);
  }
}
