package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class HardwareProfileTest {

  @ParameterizedTest
  @MethodSource("io.fusespill.sim.profile.HardwareProfiles#names")
  void bundled_everyNumberHasASource(String name) {
    HardwareProfile profile = HardwareProfiles.named(name);

    assertThat(profile.name()).isEqualTo(name);
    assertThat(profile.sources().keySet()).containsExactlyElementsOf(HardwareProfile.NUMBERS);
    assertThat(profile.sources().values()).allSatisfy(source -> assertThat(source).isNotBlank());
  }

  @Test
  void names_areTheFilesOfTheFolder() throws Exception {
    assertThat(HardwareProfiles.names())
        .containsExactlyInAnyOrderElementsOf(Resources.names("/io/fusespill/sim/hardware"));
  }

  // NVIDIA's datasheets: dense 16-bit TFLOP/s with 32-bit accumulation, GB/s.
  @ParameterizedTest
  @CsvSource({
    "a10, 125, 600",
    "rtx-3090, 71, 936",
    "rtx-4090, 165.2, 1008",
    "rtx-pro-6000, 500, 1597",
    "a30, 165, 933",
    "l4, 121, 300",
    "l40s, 362.05, 864",
    "a100-40g, 312, 1555",
    "a100-80g, 312, 2039",
    "h100, 989, 3350",
    "h200, 989, 4800",
  })
  void bundled_peaksAreTheDatasheets(String name, double teraflops, double gigabytes) {
    HardwareProfile profile = HardwareProfiles.named(name);

    assertThat(profile.kind()).isEqualTo(DeviceKind.GPU);
    assertThat(profile.peakFlopsPerSecond()).isEqualTo(Math.round(teraflops * 1e12));
    assertThat(profile.bandwidthBytesPerSecond()).isEqualTo(Math.round(gigabytes * 1e9));
  }

  @Test
  void named_unknown_suggestsAndLists() {
    assertThatThrownBy(() -> HardwareProfiles.named("rtx4090"))
        .isInstanceOf(ProfileException.class)
        .hasMessageStartingWith("unknown hardware \"rtx4090\"; did you mean rtx-4090")
        .hasMessageContaining("known: a10, rtx-3090,")
        .hasMessageEndingWith("or give the path of a .json file");
  }

  @Test
  void named_path_readsTheFile(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("mine.json"), json());

    assertThat(HardwareProfiles.named(file.toString()).name()).isEqualTo("a10");
  }

  @ParameterizedTest
  @CsvSource({
    "memoryBytes, 0",
    "memoryBytes, -1",
    "usableBytes, 0",
    "usableBytes, 1e18",
    "contextBytes, -1",
    "contextBytes, 1e18",
    "peakFlopsPerSecond, 0",
    "bandwidthBytesPerSecond, 0",
    "layerOverheadNanos, -1",
    "stepOverheadNanos, -1",
    "linearFlops, 0",
    "linearFlops, 1.01",
    "attentionFlops, -0.1",
    "weightBandwidth, 1e400",
    "kvBandwidth, 0",
    "kind, \"tpu\"",
    "name, \" \"",
  })
  void read_valueOutOfRange_namesFileAndKey(String key, String value, @TempDir Path folder)
      throws IOException {
    String broken = json().replaceFirst("\"" + key + "\": [^,\n]+", "\"" + key + "\": " + value);
    Path file = Files.writeString(folder.resolve("broken.json"), broken);

    assertThatThrownBy(() -> HardwareProfiles.named(file.toString()))
        .isInstanceOf(ProfileException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(key)
        .hasMessageContaining("must");
  }

  @Test
  void read_unknownSource_isAnError(@TempDir Path folder) throws IOException {
    String broken = json().replaceFirst("\"efficiency.kvBandwidth\"", "\"efficiency.kvBandwith\"");
    Path file = Files.writeString(folder.resolve("broken.json"), broken);

    assertThatThrownBy(() -> HardwareProfile.read(file))
        .hasMessageContaining("sources.efficiency.kvBandwith is not a key of this format")
        .hasMessageContaining("did you mean efficiency.kvBandwidth");
  }

  private static String json() {
    return Resources.text("/io/fusespill/sim/hardware/a10.json");
  }
}
