package io.fusespill.sim;

import io.fusespill.sim.TopologySpec.Device;
import io.fusespill.sim.TopologySpec.Disk;
import io.fusespill.sim.TopologySpec.Host;
import io.fusespill.sim.TopologySpec.Link;
import io.fusespill.sim.profile.DeviceKind;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ProfileException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The machine that the command line describes: devices, each with a link to the one host, and
/// perhaps a disk behind that.
///
/// ```
///  device ─┐        ┌─ disk
///  device ─┼─ host ─┘
///     aux ─┘
/// ```
///
/// @param auxiliary devices after the others, named so that a policy can tell them apart
/// @param link profile of the link between each device and the host, and between the cards of a
///   tensor-parallel device
/// @param swapSpaceGib host memory for KV; 0 for no host
/// @param host profile of a host that attends; null for one that only keeps swapped KV
/// @param disk null for none
/// @param peerLink profile of direct links between the devices; null for none
public record Machine(
    List<DeviceSpec> devices,
    List<DeviceSpec> auxiliary,
    String link,
    double swapSpaceGib,
    @Nullable String host,
    @Nullable DiskSpec disk,
    @Nullable String peerLink) {

  public static final String DEFAULT_LINK = "pcie4";

  /// What live runs call their host memory, next to whose devices of cores none can be `host`.
  static final String MEMORY = "memory";

  private static final String HOST = "host";
  private static final String DISK = "disk";
  private static final String AUXILIARY = "aux-";

  public Machine {
    devices = List.copyOf(devices);
    auxiliary = List.copyOf(auxiliary);
    if (devices.isEmpty()) {
      throw new ProfileException(
          "no device: name at least one, for example a10; there are " + HardwareProfiles.names());
    }
    if (!(swapSpaceGib >= 0 && swapSpaceGib <= TopologySpec.GIB_MAX)) {
      throw new ProfileException(
          "swap space is %s GiB, must be 0 to %,.0f".formatted(swapSpaceGib, TopologySpec.GIB_MAX));
    }
    if (host != null && swapSpaceGib == 0) {
      throw new ProfileException(
          "host %s holds no KV with swap space 0; leave the host away, or give it memory"
              .formatted(host));
    }
    if (disk != null && swapSpaceGib == 0) {
      throw new ProfileException("a disk stands behind a host, and swap space 0 leaves none");
    }
  }

  /// Devices and a host that only keeps swapped KV.
  public Machine(List<DeviceSpec> devices, String link, double swapSpaceGib) {
    this(devices, List.of(), link, swapSpaceGib, null, null, null);
  }

  /// The same machine with its cards used in another way.
  public Machine withDevices(List<DeviceSpec> others) {
    return new Machine(others, List.of(), link, swapSpaceGib, host, disk, peerLink);
  }

  /// @throws ProfileException if a profile is not known
  public TopologySpec topology() {
    LinkProfile hostLink = LinkProfiles.named(link);
    List<Device> named = new ArrayList<>();
    name(devices, "", named);
    name(auxiliary, AUXILIARY, named);
    HardwareProfile attends = host == null ? null : HardwareProfiles.named(host);
    if (attends != null && attends.kind() != DeviceKind.CPU) {
      throw new ProfileException(
          "host %s is a GPU, must be a CPU, for example xeon-8358p or h200-host".formatted(host));
    }
    String hostName = attends == null ? hostName() : attends.name();
    List<Link> links = new ArrayList<>();
    if (swapSpaceGib > 0) {
      for (Device device : named) {
        long copyNanos = hostLink.copyNanos();
        links.add(link(device.name(), hostName, hostLink.fromDeviceBytesPerSecond(), copyNanos));
        links.add(link(hostName, device.name(), hostLink.toDeviceBytesPerSecond(), copyNanos));
      }
    }
    if (disk != null) {
      links.add(link(hostName, DISK, disk.writeBytesPerSecond(), disk.copyNanos()));
      links.add(link(DISK, hostName, disk.readBytesPerSecond(), disk.copyNanos()));
    }
    if (peerLink != null) {
      addPeerLinks(named, LinkProfiles.named(peerLink), links);
    }
    return new TopologySpec(
        named,
        swapSpaceGib > 0 ? List.of(new Host(hostName, swapSpaceGib, attends)) : List.of(),
        disk == null ? List.of() : List.of(new Disk(DISK, disk.gib())),
        links);
  }

  private String hostName() {
    return Stream.concat(devices.stream(), auxiliary.stream()).anyMatch(DeviceSpec::isHost)
        ? MEMORY
        : HOST;
  }

  private void name(List<DeviceSpec> specs, String prefix, List<Device> into) {
    for (DeviceSpec spec : specs) {
      String name = prefix + spec.placeName();
      into.add(new Device(specs.size() == 1 ? name : name + "-" + into.size(), spec, link));
    }
  }

  private static void addPeerLinks(List<Device> devices, LinkProfile peer, List<Link> links) {
    long rate = Math.min(peer.fromDeviceBytesPerSecond(), peer.toDeviceBytesPerSecond());
    for (Device from : devices) {
      for (Device to : devices) {
        if (!from.name().equals(to.name())) {
          links.add(link(from.name(), to.name(), rate, peer.copyNanos()));
        }
      }
    }
  }

  private static Link link(String from, String to, long bytesPerSecond, long copyNanos) {
    return new Link(from, to, bytesPerSecond, copyNanos, "");
  }
}
