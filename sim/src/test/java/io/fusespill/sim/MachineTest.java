package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.TopologySpec.Link;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineTest {

  @Test
  void topology_auxiliaryAndDisk_haveTheirNamesAndLinks() {
    TopologySpec spec =
        new Machine(
                devices("rtx-4090"),
                devices("rtx-3090"),
                "pcie4-16gbps",
                64,
                "xeon-8358p",
                DiskSpec.parse("200:read=7e9"),
                "pcie3")
            .topology();

    assertThat(spec.devices())
        .extracting(TopologySpec.Device::name)
        .containsExactly("rtx-4090", "aux-rtx-3090");
    assertThat(spec.hosts()).extracting(TopologySpec.Host::name).containsExactly("xeon-8358p");
    assertThat(spec.links())
        .containsExactly(
            new Link("rtx-4090", "xeon-8358p", 16_000_000_000L, 2_280, ""),
            new Link("xeon-8358p", "rtx-4090", 16_000_000_000L, 2_280, ""),
            new Link("aux-rtx-3090", "xeon-8358p", 16_000_000_000L, 2_280, ""),
            new Link("xeon-8358p", "aux-rtx-3090", 16_000_000_000L, 2_280, ""),
            new Link("xeon-8358p", "disk", 3_500_000_000L, 10_000, ""),
            new Link("disk", "xeon-8358p", 7_000_000_000L, 10_000, ""),
            new Link("rtx-4090", "aux-rtx-3090", 12_100_000_000L, 2_280, ""),
            new Link("aux-rtx-3090", "rtx-4090", 12_100_000_000L, 2_280, ""));
  }

  @Test
  void topology_severalOfAName_areNumberedByPlace() {
    TopologySpec spec =
        new Machine(devices("a10"), devices("a10", "a10"), "pcie4", 0, null, null, null).topology();

    assertThat(spec.devices())
        .extracting(TopologySpec.Device::name)
        .containsExactly("a10", "aux-a10-1", "aux-a10-2");
    assertThat(spec.links()).isEmpty();
  }

  @Test
  void new_diskWithoutHost_isRefused() {
    DiskSpec disk = DiskSpec.parse("200");
    assertThatThrownBy(() -> new Machine(devices("a10"), List.of(), "pcie4", 0, null, disk, null))
        .hasMessageContaining("a disk stands behind a host, and swap space 0 leaves none");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | disk of 0.0 GiB, must be above 0",
        "-1 | disk of -1.0 GiB, must be above 0",
        "NaN | disk of NaN GiB, must be above 0",
        "2e6 | disk of 2000000.0 GiB, must be above 0 and at most 1,048,576",
        "big | 'big' is no number of GiB",
        "5:read | 'read' must be read=N or write=N",
        "5:read=fast | 'read=fast' must be read=N or write=N",
        "5:read=1.5 | 'read=1.5' must be read=N or write=N",
        "5:write=0 | write rate of the disk is 0, must be 10000000 to",
        "5:read=2e15 | read rate of the disk is 2000000000000000, must be 10000000 to 1000000000000000",
        "5: | '' must be read=N or write=N",
      })
  void disk_malformed_isNamed(String text, String message) {
    assertThatThrownBy(() -> DiskSpec.parse(text)).hasMessageContaining(message);
  }

  private static List<DeviceSpec> devices(String... names) {
    return List.of(names).stream().map(DeviceSpec::parse).toList();
  }
}
