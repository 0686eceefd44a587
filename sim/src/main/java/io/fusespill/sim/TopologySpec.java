package io.fusespill.sim;

import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.ProfileException;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Devices, hosts, disks and the links between them, before a model says how many blocks each
/// holds.
///
/// Places are numbered in this order, devices before hosts before disks. A host or disk that turns
/// out to hold not one block is left out with its links.
///
/// @param links at most one from a place to another
public record TopologySpec(
    List<Device> devices, List<Host> hosts, List<Disk> disks, List<Link> links) {

  /// The smallest rate of a link or disk that somebody may give: less is most likely another unit.
  public static final long RATE_MIN = 10_000_000L;

  /// The largest rate of a link or disk.
  public static final long RATE_MAX = 1_000_000_000_000_000L;

  /// The longest fixed time of a copy.
  public static final long COPY_NANOS_MAX = 1_000_000_000L;

  /// The largest memory for KV of a host or disk.
  public static final double GIB_MAX = 1 << 20;

  /// @param cardLink link profile over which the cards of a tensor-parallel device meet
  public record Device(String name, DeviceSpec spec, String cardLink) {}

  /// @param gib memory for KV
  /// @param attends what runs decode attention over the KV that lies there; null where nothing does
  public record Host(String name, double gib, @Nullable HardwareProfile attends) {}

  /// @param gib room for KV
  public record Disk(String name, double gib) {}

  /// One direction.
  ///
  /// @param bytesPerSecond of one card: a tensor-parallel device has such a link for each
  /// @param channel name of what it shares with the other links that name it; empty for none
  public record Link(String from, String to, long bytesPerSecond, long copyNanos, String channel) {}

  public TopologySpec {
    devices = List.copyOf(devices);
    hosts = List.copyOf(hosts);
    disks = List.copyOf(disks);
    links = List.copyOf(links);
    if (devices.isEmpty()) {
      throw new ProfileException("no device: a topology needs at least one");
    }
    List<String> names = names(devices, hosts, disks);
    for (String name : names) {
      if (Collections.frequency(names, name) > 1) {
        throw new ProfileException("two places are called \"%s\"".formatted(name));
      }
    }
    for (Link link : links) {
      if (!names.contains(link.from()) || !names.contains(link.to())) {
        throw new ProfileException(
            "a link from \"%s\" to \"%s\", but the places are %s"
                .formatted(link.from(), link.to(), String.join(", ", names)));
      }
    }
  }

  private static List<String> names(List<Device> devices, List<Host> hosts, List<Disk> disks) {
    return Stream.of(
            devices.stream().map(Device::name),
            hosts.stream().map(Host::name),
            disks.stream().map(Disk::name))
        .flatMap(names -> names)
        .toList();
  }
}
