package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.sim.spec.SpecException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopologyFileTest {

  private static final String SMALL =
      """
      devices:
        - {name: gpu, profile: a10, blocks: 100}
        - {name: other, profile: rtx-3090, blocks: 50}
      hosts:
        - {name: host, memory: 1}
      disks:
        - {name: disk, size: 2}
      links:
        - {from: gpu, to: host, profile: pcie3, channel: root}
        - {from: other, to: host, bandwidth: 20e9, copy-nanos: 500, channel: root}
        - {from: host, to: disk}
      """;

  @TempDir private Path folder;

  // 1 GiB / 8 MiB = 128 host blocks, 2 GiB = 256 disk blocks.
  @Test
  void read_namesPlacesInOrderAndLinksBothWays() throws IOException {
    ResolvedScenario scenario = resolve(read(SMALL));
    Topology topology = scenario.config().topology();

    assertThat(topology.places())
        .extracting(place -> place.name() + " " + place.kind() + " " + place.blocks())
        .containsExactly("gpu DEVICE 100", "other DEVICE 50", "host HOST 128", "disk DISK 256");
    assertThat(topology.links())
        .containsExactly(
            new Link(0, 2, 12_800_000_000L, 2_280, 0),
            new Link(2, 0, 12_100_000_000L, 2_280, 0),
            new Link(1, 2, 20_000_000_000L, 500, 0),
            new Link(2, 1, 20_000_000_000L, 500, 0),
            new Link(2, 3, 3_500_000_000L, 10_000),
            new Link(3, 2, 6_500_000_000L, 10_000));
    JsonNode links = scenario.description().get("links");
    assertThat(links.get(0).get("channel").asInt()).isZero();
    assertThat(links.get(4).has("channel")).isFalse();
    assertThat(topology.places().get(2).attends()).isFalse();
  }

  @Test
  void read_directionsRatesAndChannels_areEachWaysOwn() throws IOException {
    TopologySpec spec =
        read(
            """
            devices:
              - {name: a, profile: a10, tp: 2, util: 0.8, card-link: pcie3}
              - {name: b, profile: rtx-4090+rtx-3090}
            hosts:
              - {name: h, memory: 1, profile: xeon-8358p}
              - {name: i, memory: 1, profile: xeon-8358p, attends: false}
            disks:
              - {name: d, size: 1, write: 1e9}
            links:
              - {from: h, to: a, bandwidth: 3e7, back-bandwidth: 20000000, copy-nanos: 0, channel: c, back-channel: e}
              - {from: a, to: b, direction: one-way, profile: pcie3, channel: c}
              - {from: b, to: i, profile: pcie4, back-channel: e}
              - {from: d, to: h}
            """);

    assertThat(spec.devices().getFirst())
        .isEqualTo(new TopologySpec.Device("a", DeviceSpec.parse("a10:tp=2,util=0.8"), "pcie3"));
    assertThat(spec.devices().getLast().spec()).isEqualTo(DeviceSpec.parse("rtx-4090+rtx-3090"));
    assertThat(spec.hosts().getFirst().attends()).isNotNull();
    assertThat(spec.hosts().getLast().attends()).isNull();
    assertThat(spec.links())
        .containsExactly(
            new TopologySpec.Link("h", "a", 30_000_000, 0, "c"),
            new TopologySpec.Link("a", "h", 20_000_000, 0, "e"),
            new TopologySpec.Link("a", "b", 12_100_000_000L, 2_280, "c"),
            new TopologySpec.Link("b", "i", 25_000_000_000L, 2_280, ""),
            new TopologySpec.Link("i", "b", 25_000_000_000L, 2_280, "e"),
            new TopologySpec.Link("d", "h", 6_500_000_000L, 10_000, ""),
            new TopologySpec.Link("h", "d", 1_000_000_000L, 10_000, ""));
    // Two cards copy their halves side by side; from two cards to two they do, too.
    assertThat(resolve(spec).config().topology().links())
        .extracting(Link::bytesPerSecond)
        .startsWith(60_000_000L, 40_000_000L, 24_200_000_000L, 50_000_000_000L);
  }

  @Test
  void read_profileOfAFile_isSoughtBesideTheTopology() throws IOException {
    Files.writeString(
        folder.resolve("fast.json"),
        """
        {"name": "fast", "description": "", "toDeviceBytesPerSecond": 9, "fromDeviceBytesPerSecond": 8,
         "copyNanos": 7, "allReduceNanos": 0, "sources": {}}
        """);
    TopologySpec spec = read(SMALL.replace("profile: pcie3", "profile: fast.json"));
    assertThat(spec.links().getFirst())
        .isEqualTo(new TopologySpec.Link("gpu", "host", 8, 7, "root"));
  }

  @Test
  void read_json_isTheSame() throws IOException {
    TopologySpec spec =
        read("{\"devices\": [{\"name\": \"gpu\", \"profile\": \"a10\", \"blocks\": 100}]}");
    assertThat(spec.devices()).extracting(TopologySpec.Device::name).containsExactly("gpu");
    assertThat(spec.links()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"2xa10-shared-root.yaml, 4, 6", "rtx-4090+rtx-3090.yaml, 3, 4"})
  void shippedTopologies_resolve(String file, int places, int links) {
    Path shipped = Path.of("../topologies").resolve(file);
    Topology topology = resolve(TopologyFile.read(shipped)).config().topology();
    assertThat(topology.places()).hasSize(places);
    assertThat(topology.links()).hasSize(links);
  }

  @Test
  void read_everythingWrong_namesAllProblems() {
    String text =
        """
        device: []
        devices:
          - {name: gpu, profile: a11, tp: 17, util: 2}
          - {name: gpu, profile: a10+a30, tp: 3, card-link: pcie6}
          - {profile: a10, blocks: 5, util: 0.5}
        hosts:
          - {name: host, memory: 0, attends: true}
          - {name: alone, memory: 4, profile: xeon}
        disks:
          - {name: disk, read: 0, colour: red}
        links:
          - {from: gpu, to: hots, profile: pcie4}
          - {from: gpu, to: host, profile: pcie4, bandwidth: 5e9, channel: root}
          - {from: host, to: gpu, direction: one-way, back-channel: x, bandwidth: 16}
          - {from: host, to: host, direction: up}
          - {from: host, to: disk, profile: pcie4, channel: rood, direction: one-way}
          - {from: disk, to: gpu}
        """;
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .message()
        .contains("topology.yaml has ", " problems:")
        .contains("device is not a key here; did you mean devices?")
        .contains("devices[0].profile: unknown hardware \"a11\"; did you mean a10")
        .contains("devices[0].tp is 17, must be 1 to 16")
        .contains("devices[0].util is 2.0, must be above 0 and at most 1")
        .contains("devices[1].name is \"gpu\", as another place is called already")
        .contains("devices[1].profile: device 'a10+a30': names 2 cards but tp=3")
        .contains("devices[1].card-link: unknown link \"pcie6\"; did you mean pcie3")
        .contains("devices[2].name is missing")
        .contains("devices[2].util stands beside blocks, must not")
        .contains("hosts[0].memory is 0.0 GiB, must be above 0 and at most 1,048,576")
        .contains("hosts[0].attends is true, but there is no profile that says how fast")
        .contains("hosts[1].profile: unknown hardware \"xeon\"; did you mean xeon-8358p?")
        .contains("disks[0].read is 0, must be 10,000,000 to 1,000,000,000,000,000")
        .contains("disks[0].size is missing")
        .contains("disks[0].colour is not a key here")
        .contains("links[0].to names the unknown place \"hots\"; did you mean host?; known: gpu,")
        .contains("links[1].bandwidth stands beside profile, must not")
        .contains("links[2].back-channel is for the way back, which a one-way link has not")
        .contains("links[2].bandwidth is 16, must be 10,000,000 to 1,000,000,000,000,000")
        .contains("links[2].copy-nanos is missing, must say what each copy takes")
        .contains("links[2].to makes a second link from host to gpu, must be at most one")
        .contains("links[3].to is \"host\" and so is from")
        .contains("links[3].direction names the unknown direction \"up\"; known: both, one-way")
        .contains("links[3].profile is missing; name one, or give bandwidth and copy-nanos")
        .contains("links[4].profile is not for the link of a disk, whose own rates count")
        .contains("links[4].channel is \"rood\", which no other link shares; did you mean root?")
        .contains("links[5].to makes a link between a disk and no host")
        .contains("links leave out alone: KV reaches it over a link alone");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a: b: c | topology.yaml:1: not YAML",
        "- a | must be an object with devices, hosts, disks, links",
        "hosts: [] | devices is empty, must hold at least one",
        "devices: a10 | devices is \"a10\", must be a list",
        "devices: [a10] | devices[0] is \"a10\", must be an object",
      })
  void read_noTopology_isNamed(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining(message);
  }

  @Test
  void read_textsForObjects_areNamedByPositionAndNotCalledEmpty() {
    assertThatThrownBy(() -> read("devices: [a10, h100]"))
        .isInstanceOf(SpecException.class)
        .hasMessageContaining("devices[0] is \"a10\", must be an object")
        .hasMessageContaining("devices[1] is \"h100\", must be an object")
        .hasMessageNotContaining("is empty");
  }

  private TopologySpec read(String text) throws IOException {
    return TopologyFile.read(Files.writeString(folder.resolve("topology.yaml"), text));
  }

  private static ResolvedScenario resolve(TopologySpec spec) {
    return new Scenario(
            "vicuna-7b",
            spec,
            PolicySpec.of("fusespill"),
            new Scenario.Limits(0, 0, 0, 0, 0),
            Scenario.Serving.DEFAULT,
            "roofline",
            Faults.NONE,
            1,
            0,
            JsonNodeFactory.instance.objectNode())
        .resolve();
  }
}
