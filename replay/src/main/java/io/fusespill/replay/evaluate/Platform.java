package io.fusespill.replay.evaluate;

import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.DiskSpec;
import io.fusespill.sim.Machine;
import io.fusespill.sim.TopologyFile;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.spec.SpecReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Hardware that the policies of an evaluation share.
///
/// @param machine what its keys describe; null where a file describes the topology, and then no row
///   may use the cards in another way
public record Platform(String name, TopologySpec topology, @Nullable Machine machine) {

  private static final double DEFAULT_SWAP_GIB = 4;
  private static final Pattern SETTING = Pattern.compile("(tp|blocks|util)=");
  private static final List<String> MACHINE_KEYS =
      List.of("devices", "aux", "link", "swap-space", "host", "disk", "peer-link");

  public Platform(String name, Machine machine) {
    this(name, machine.topology(), machine);
  }

  /// The platform, or null where it has problems.
  ///
  /// @param folder what a topology's path is relative to
  static @Nullable Platform from(SpecReader spec, String name, Path folder) {
    if (spec.has("topology")) {
      for (String key : MACHINE_KEYS) {
        if (spec.has(key)) {
          spec.problem(key, "stands beside topology, which describes the whole; leave it away");
        }
      }
      Path file = folder.resolve(spec.text("topology")).normalize();
      TopologySpec topology = spec.check("topology", () -> TopologyFile.read(file));
      return topology == null ? null : new Platform(name, topology, null);
    }
    Machine machine = machine(spec);
    return machine == null ? null : new Platform(name, machine);
  }

  private static @Nullable Machine machine(SpecReader spec) {
    List<DeviceSpec> devices = devices(spec, "devices");
    if (spec.texts("devices").isEmpty()) {
      spec.problem("devices", "must name at least one");
    }
    List<DeviceSpec> auxiliary = devices(spec, "aux");
    String link = spec.text("link", Machine.DEFAULT_LINK);
    String host = spec.textOrNull("host");
    String disk = spec.textOrNull("disk");
    String peerLink = spec.textOrNull("peer-link");
    if (peerLink != null && spec.texts("devices").size() + spec.texts("aux").size() == 1) {
      spec.problem(
          "peer-link",
          "joins devices, must stand beside at least 2; leave it away, or name another");
    }
    double swapSpaceGib = spec.number("swap-space", DEFAULT_SWAP_GIB);
    boolean known =
        spec.check("link", () -> LinkProfiles.named(link)) != null
            && (host == null || spec.check("host", () -> HardwareProfiles.named(host)) != null)
            && (peerLink == null
                || spec.check("peer-link", () -> LinkProfiles.named(peerLink)) != null);
    DiskSpec parsed = disk == null ? null : spec.check("disk", () -> DiskSpec.parse(disk));
    return known && !devices.isEmpty()
        ? spec.check(
            "", () -> new Machine(devices, auxiliary, link, swapSpaceGib, host, parsed, peerLink))
        : null;
  }

  /// A list of devices, as `simulate --device` spells them.
  static List<DeviceSpec> devices(SpecReader spec, String key) {
    List<DeviceSpec> devices = new ArrayList<>();
    List<String> texts = spec.texts(key);
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i);
      DeviceSpec device = device(spec, key + "[" + i + "]", text);
      if (device != null) {
        devices.add(device);
      }
    }
    return devices;
  }

  private static @Nullable DeviceSpec device(SpecReader spec, String key, String text) {
    if (SETTING.matcher(text).lookingAt()) {
      spec.problem(
          key, "is \"%s\", a setting and no device: quote a device with commas".formatted(text));
      return null;
    }
    return text.isEmpty()
        ? null
        : spec.check(
            key,
            () -> {
              DeviceSpec parsed = DeviceSpec.parse(text);
              parsed.group();
              return parsed;
            });
  }

  /// All devices, auxiliary ones included.
  List<DeviceSpec> devices() {
    return topology.devices().stream().map(TopologySpec.Device::spec).toList();
  }

  /// Cards of `others` that this platform does not have, as people read them.
  List<String> missing(List<DeviceSpec> others) {
    List<Card> needed = cards(others);
    cards(devices()).forEach(needed::remove);
    return needed.stream().map(Card::toString).toList();
  }

  /// Whether the blocks of every device follow from the memory of its cards.
  static boolean hasMemory(List<DeviceSpec> devices) {
    return devices.stream().allMatch(device -> device.blocks() == 0);
  }

  private static List<Card> cards(List<DeviceSpec> devices) {
    List<Card> cards = new ArrayList<>();
    for (DeviceSpec device : devices) {
      device.cards().forEach(profile -> cards.add(new Card(profile, device.utilisation())));
    }
    return cards;
  }

  /// A card and the share of its memory that may be used.
  private record Card(String profile, double utilisation) {

    @Override
    public String toString() {
      return utilisation == DeviceSpec.DEFAULT_UTILISATION
          ? profile
          : "%s with util=%s".formatted(profile, utilisation);
    }
  }
}
