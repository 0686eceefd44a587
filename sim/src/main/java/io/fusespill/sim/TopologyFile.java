package io.fusespill.sim;

import io.fusespill.engine.config.Place;
import io.fusespill.sim.TopologySpec.Device;
import io.fusespill.sim.TopologySpec.Disk;
import io.fusespill.sim.TopologySpec.Host;
import io.fusespill.sim.TopologySpec.Link;
import io.fusespill.sim.profile.DiskProfile;
import io.fusespill.sim.profile.DiskProfiles;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.sim.profile.TensorParallelGroup;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sim.spec.SpecReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A topology read from a YAML or JSON file, with every problem that it has. The format is in
/// `docs/configuration.md`.
///
/// Lives for one reading.
public final class TopologyFile {

  private static final String BOTH = "both";
  private static final String ONE_WAY = "one-way";

  private final SpecReader root;
  private final Path folder;
  private final List<Device> devices = new ArrayList<>();
  private final List<Host> hosts = new ArrayList<>();
  private final List<Disk> disks = new ArrayList<>();
  private final List<Link> links = new ArrayList<>();

  /// By name, for the links; a place with other problems is here too.
  private final Map<String, End> ends = new LinkedHashMap<>();

  /// What a link may end at.
  private sealed interface End {

    record OfDevice() implements End {}

    record OfHost() implements End {}

    record OfDisk(long read, long write, long copyNanos) implements End {}
  }

  /// One direction of a link.
  ///
  /// @param spec its entry in the file
  /// @param channelKey the key that names its channel
  private record Way(SpecReader spec, String channelKey, Link link) {}

  private TopologyFile(SpecReader root, Path folder) {
    this.root = root;
    this.folder = folder;
  }

  /// Paths of profiles are relative to the file's folder.
  ///
  /// @throws SpecException with every problem that the file has
  public static TopologySpec read(Path file) {
    SpecReader root = SpecReader.open(file, "devices, hosts, disks, links");
    Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
    TopologyFile reading = new TopologyFile(root, folder);
    reading.readPlaces();
    reading.readLinks();
    root.finish(file);
    return new TopologySpec(reading.devices, reading.hosts, reading.disks, reading.links);
  }

  // ---------------------------------------------------------------- places

  private void readPlaces() {
    root.objects("devices").forEach(this::readDevice);
    root.objectsIfAny("hosts").forEach(this::readHost);
    root.objectsIfAny("disks").forEach(this::readDisk);
  }

  private void readDevice(SpecReader spec) {
    String name = name(spec, new End.OfDevice());
    String profile = spec.text("profile");
    int tp = (int) orElse(spec.wholeOrNull("tp", 1, TensorParallelGroup.MAX_CARDS), 1);
    int blocks = (int) orElse(spec.wholeOrNull("blocks", 1, Place.MAX_BLOCKS), 0);
    double utilisation = spec.number("util", DeviceSpec.DEFAULT_UTILISATION);
    if (!(utilisation > 0 && utilisation <= 1)) {
      spec.problem("util", "is %s, must be above 0 and at most 1".formatted(utilisation));
    }
    if (spec.has("blocks") && spec.has("util")) {
      spec.problem("util", "stands beside blocks, must not: the blocks follow from one of them");
    }
    String cardLink = located(spec.text("card-link", Machine.DEFAULT_LINK));
    spec.check("card-link", () -> LinkProfiles.named(cardLink));
    if (profile.isEmpty()) {
      return;
    }
    DeviceSpec device =
        spec.check(
            "profile",
            () -> {
              List<String> cards =
                  List.of(profile.split("\\+", -1)).stream().map(this::located).toList();
              DeviceSpec made = DeviceSpec.of(profile, cards, tp, blocks, utilisation);
              made.group();
              return made;
            });
    if (device != null) {
      devices.add(new Device(name, device, cardLink));
    }
  }

  private void readHost(SpecReader spec) {
    String name = name(spec, new End.OfHost());
    double gib = gib(spec, "memory");
    String profile = spec.text("profile", "");
    HardwareProfile hardware =
        profile.isEmpty()
            ? null
            : spec.check("profile", () -> HardwareProfiles.named(located(profile)));
    boolean attends = spec.has("attends") ? spec.flag("attends") : !profile.isEmpty();
    if (attends && profile.isEmpty()) {
      spec.problem("attends", "is true, but there is no profile that says how fast");
    }
    hosts.add(new Host(name, gib, attends ? hardware : null));
  }

  private void readDisk(SpecReader spec) {
    String profile = spec.text("profile", DiskProfiles.DEFAULT);
    DiskProfile known = spec.check("profile", () -> DiskProfiles.named(located(profile)));
    DiskProfile rates = known == null ? DiskProfiles.named(DiskProfiles.DEFAULT) : known;
    long read = orElse(rate(spec, "read"), rates.readBytesPerSecond());
    long write = orElse(rate(spec, "write"), rates.writeBytesPerSecond());
    String name = name(spec, new End.OfDisk(read, write, rates.copyNanos()));
    disks.add(new Disk(name, gib(spec, "size")));
  }

  private String name(SpecReader spec, End end) {
    String name = spec.name("name");
    if (!name.isEmpty() && ends.putIfAbsent(name, end) != null) {
      spec.problem("name", "is \"%s\", as another place is called already".formatted(name));
    }
    return name;
  }

  private static double gib(SpecReader spec, String key) {
    Double gib = spec.numberOrNull(key);
    if (gib == null && !spec.has(key)) {
      spec.problem(key, "is missing");
    } else if (gib != null && !(gib > 0 && gib <= TopologySpec.GIB_MAX)) {
      spec.problem(
          key, "is %s GiB, must be above 0 and at most %,.0f".formatted(gib, TopologySpec.GIB_MAX));
    }
    return gib == null ? 1 : gib;
  }

  private static @Nullable Long rate(SpecReader spec, String key) {
    return spec.wholeOrNull(key, TopologySpec.RATE_MIN, TopologySpec.RATE_MAX);
  }

  private static long orElse(@Nullable Long value, long otherwise) {
    return value == null ? otherwise : value;
  }

  /// A profile's name as it is, its path from the file's folder.
  private String located(String profile) {
    return profile.endsWith(".json") ? folder.resolve(profile).normalize().toString() : profile;
  }

  // ----------------------------------------------------------------- links

  private void readLinks() {
    List<Way> ways = new ArrayList<>();
    for (SpecReader spec : root.objectsIfAny("links")) {
      readLink(spec, ways);
    }
    requireOneEachWay(ways);
    requireSharedChannels(ways);
    requireLinked(ways);
    ways.forEach(way -> links.add(way.link()));
  }

  private void readLink(SpecReader spec, List<Way> ways) {
    String from = spec.text("from");
    String to = spec.text("to");
    spec.requireKnown("from", "place", from, ends.keySet());
    spec.requireKnown("to", "place", to, ends.keySet());
    String direction = spec.text("direction", BOTH);
    spec.requireKnown("direction", "direction", direction, List.of(BOTH, ONE_WAY));
    boolean oneWay = direction.equals(ONE_WAY);
    for (String key : List.of("back-bandwidth", "back-channel")) {
      if (spec.has(key) && oneWay) {
        spec.problem(key, "is for the way back, which a one-way link has not");
      }
    }
    String channel = spec.text("channel", "");
    String backChannel = spec.text("back-channel", channel);
    Rates rates = rates(spec, ends.get(from), ends.get(to));
    if (!from.isEmpty() && from.equals(to)) {
      spec.problem("to", "is \"%s\" and so is from: a link joins two places".formatted(to));
    } else if (ends.containsKey(from) && ends.containsKey(to)) {
      ways.add(new Way(spec, "channel", new Link(from, to, rates.there, rates.copyNanos, channel)));
      if (!oneWay) {
        ways.add(
            new Way(
                spec,
                spec.has("back-channel") ? "back-channel" : "channel",
                new Link(to, from, rates.back, rates.copyNanos, backChannel)));
      }
    }
  }

  /// What copies over a link take; whatever where the file has a problem with it.
  ///
  /// @param back bytes a second from `to` to `from`
  private record Rates(long there, long back, long copyNanos) {

    static final Rates UNKNOWN = new Rates(1, 1, 0);
  }

  private Rates rates(SpecReader spec, @Nullable End from, @Nullable End to) {
    Long bandwidth = rate(spec, "bandwidth");
    long back = orElse(rate(spec, "back-bandwidth"), orElse(bandwidth, 1));
    Long copyNanos = spec.wholeOrNull("copy-nanos", 0, TopologySpec.COPY_NANOS_MAX);
    String profile = spec.text("profile", "");
    if (from instanceof End.OfDisk || to instanceof End.OfDisk) {
      return diskRates(spec, from, to);
    }
    if (!profile.isEmpty()) {
      for (String key : List.of("bandwidth", "back-bandwidth", "copy-nanos")) {
        if (spec.has(key)) {
          spec.problem(key, "stands beside profile, must not: one of them says it");
        }
      }
      LinkProfile known = spec.check("profile", () -> LinkProfiles.named(located(profile)));
      return known == null ? Rates.UNKNOWN : rates(known, from, to);
    }
    if (!spec.has("bandwidth")) {
      spec.problem("profile", "is missing; name one, or give bandwidth and copy-nanos");
    } else if (!spec.has("copy-nanos")) {
      spec.problem("copy-nanos", "is missing, must say what each copy takes besides bandwidth");
    }
    return new Rates(orElse(bandwidth, 1), back, orElse(copyNanos, 0));
  }

  /// A disk's own rates, whatever it hangs on.
  private static Rates diskRates(SpecReader spec, @Nullable End from, @Nullable End to) {
    for (String key : List.of("profile", "bandwidth", "back-bandwidth", "copy-nanos")) {
      if (spec.has(key)) {
        spec.problem(key, "is not for the link of a disk, whose own rates count");
      }
    }
    if (from instanceof End.OfHost && to instanceof End.OfDisk disk) {
      return new Rates(disk.write, disk.read, disk.copyNanos);
    }
    if (from instanceof End.OfDisk disk && to instanceof End.OfHost) {
      return new Rates(disk.read, disk.write, disk.copyNanos);
    }
    if (from != null && to != null) {
      spec.problem("to", "makes a link between a disk and no host: a disk stands behind a host");
    }
    return Rates.UNKNOWN;
  }

  /// Between a device and a host each way has its rate; elsewhere a copy is a read and a write, and
  /// the slower one counts.
  private static Rates rates(LinkProfile link, @Nullable End from, @Nullable End to) {
    long toDevice = link.toDeviceBytesPerSecond();
    long fromDevice = link.fromDeviceBytesPerSecond();
    if (from instanceof End.OfDevice && to instanceof End.OfHost) {
      return new Rates(fromDevice, toDevice, link.copyNanos());
    }
    if (from instanceof End.OfHost && to instanceof End.OfDevice) {
      return new Rates(toDevice, fromDevice, link.copyNanos());
    }
    long slower = Math.min(toDevice, fromDevice);
    return new Rates(slower, slower, link.copyNanos());
  }

  private static void requireOneEachWay(List<Way> ways) {
    Set<List<String>> seen = new HashSet<>();
    for (Way way : ways) {
      if (!seen.add(List.of(way.link.from(), way.link.to()))) {
        way.spec.problem(
            "to",
            "makes a second link from %s to %s, must be at most one"
                .formatted(way.link.from(), way.link.to()));
      }
    }
  }

  /// A channel that one link alone names is a misspelt one.
  private static void requireSharedChannels(List<Way> ways) {
    Map<String, Integer> users = new TreeMap<>();
    for (Way way : ways) {
      if (!way.link.channel().isEmpty()) {
        users.merge(way.link.channel(), 1, Integer::sum);
      }
    }
    for (Way way : ways) {
      String channel = way.link.channel();
      if (users.getOrDefault(channel, 2) == 1) {
        List<String> others = users.keySet().stream().filter(o -> !o.equals(channel)).toList();
        way.spec.problem(
            way.channelKey,
            "is \"%s\", which no other link shares%s"
                .formatted(channel, NearMatch.hint(channel, others)));
      }
    }
  }

  private void requireLinked(List<Way> ways) {
    Set<String> linked = new HashSet<>();
    for (Way way : ways) {
      linked.add(way.link.from());
      linked.add(way.link.to());
    }
    ends.forEach((name, end) -> {
      if (!(end instanceof End.OfDevice) && !linked.contains(name)) {
        root.problem("links", "leave out %s: KV reaches it over a link alone".formatted(name));
      }
    });
  }
}
