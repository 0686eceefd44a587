package io.fusespill.sim;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.Topology;
import io.fusespill.sim.TopologySpec.Device;
import io.fusespill.sim.TopologySpec.Disk;
import io.fusespill.sim.TopologySpec.Host;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.MemoryOptions;
import io.fusespill.sim.profile.MemoryPlan;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A topology with the blocks of a model counted, and what computes at its places.
///
/// @param hardware cards of each device, null where only its calibration knows it; devices are the
///   first places
/// @param cardLinks over which the cards of each device meet
/// @param attention how long each place takes to attend for others; null where it does not
/// @param notes what is strange about it and yet simulated
record ResolvedTopology(
    Topology topology,
    List<@Nullable TensorParallelGroup> hardware,
    List<LinkProfile> cardLinks,
    List<@Nullable HostAttentionModel> attention,
    List<String> notes) {

  private static final long GIB = 1L << 30;

  /// @param calibrated whether a fitted profile tells the times of each device
  /// @throws ProfileException if a profile is unknown or the model does not fit
  static ResolvedTopology of(
      TopologySpec spec, ModelProfile model, KvLayout kv, EngineLimits limits, boolean calibrated) {
    List<@Nullable TensorParallelGroup> hardware = new ArrayList<>();
    spec.devices().forEach(device -> hardware.add(hardware(device.spec(), calibrated)));
    List<LinkProfile> cardLinks =
        spec.devices().stream().map(device -> LinkProfiles.named(device.cardLink())).toList();
    List<Place> places = new ArrayList<>();
    for (int id = 0; id < hardware.size(); id++) {
      Device device = spec.devices().get(id);
      int blocks =
          device.spec().blocks() > 0
              ? device.spec().blocks()
              : memory(device.spec().group(), model, device.spec(), kv.blockTokens(), limits)
                  .blocks();
      places.add(Place.device(id, device.name(), blocks));
    }
    for (Host host : spec.hosts()) {
      int blocks = blocks(host.gib(), kv);
      if (blocks > 0) {
        boolean attends = host.attends() != null;
        places.add(new Place(places.size(), host.name(), PlaceKind.HOST, false, attends, blocks));
      }
    }
    for (Disk disk : spec.disks()) {
      int blocks = blocks(disk.gib(), kv);
      if (blocks > 0) {
        places.add(Place.disk(places.size(), disk.name(), blocks));
      }
    }
    Topology topology = new Topology(places, links(spec, places, hardware));
    return new ResolvedTopology(
        topology,
        hardware,
        cardLinks,
        attention(spec, topology, hardware, model),
        notes(spec, hardware, model));
  }

  /// Blocks that are given are taken as given, also where the model itself would not fit.
  private static List<String> notes(
      TopologySpec spec, List<@Nullable TensorParallelGroup> hardware, ModelProfile model) {
    List<String> notes = new ArrayList<>();
    for (int id = 0; id < hardware.size(); id++) {
      Device device = spec.devices().get(id);
      TensorParallelGroup group = hardware.get(id);
      if (group != null && device.spec().blocks() > 0 && !MemoryPlan.holdsWeights(group, model)) {
        notes.add(
            "the weights of %s, %,d bytes, do not fit the memory of %s: blocks=%d is taken as given all the same"
                .formatted(
                    model.name(), model.weightBytes(), device.name(), device.spec().blocks()));
      }
    }
    return notes;
  }

  private static @Nullable TensorParallelGroup hardware(DeviceSpec spec, boolean calibrated) {
    if (!calibrated && spec.isHost()) {
      throw new ProfileException(
          "device %s is known to those only who have measured it: give what calibrate or profile-device wrote there with --time-model, or another device"
              .formatted(spec.hardware()));
    }
    if (!calibrated || !spec.unprofiled()) {
      return spec.group();
    }
    if (spec.blocks() == 0) {
      throw new ProfileException(
          "device %s has no profile that tells its memory: give its KV blocks, for example %s%sblocks=500"
              .formatted(
                  spec.hardware(), spec.hardware(), spec.hardware().contains(":") ? "," : ":"));
    }
    return null;
  }

  private static MemoryPlan memory(
      TensorParallelGroup hardware,
      ModelProfile model,
      DeviceSpec device,
      int blockTokens,
      EngineLimits limits) {
    return MemoryPlan.of(
        hardware,
        model,
        new MemoryOptions(
            device.utilisation(), blockTokens, limits.maxNumBatchedTokens(), limits.maxNumSeqs()));
  }

  private static int blocks(double gib, KvLayout kv) {
    return (int) Math.min((long) (gib * GIB) / kv.blockBytes(), Place.MAX_BLOCKS);
  }

  private static List<Link> links(
      TopologySpec spec, List<Place> places, List<@Nullable TensorParallelGroup> hardware) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    places.forEach(place -> ids.put(place.name(), place.id()));
    Map<String, Integer> channels = new LinkedHashMap<>();
    List<Link> links = new ArrayList<>();
    for (TopologySpec.Link link : spec.links()) {
      Integer from = ids.get(link.from());
      Integer to = ids.get(link.to());
      if (from == null || to == null) {
        continue;
      }
      int channel =
          link.channel().isEmpty()
              ? Link.OWN_CHANNEL
              : channels.computeIfAbsent(link.channel(), name -> channels.size());
      int cards = Math.min(cards(hardware, from), cards(hardware, to));
      links.add(
          new Link(
              from,
              to,
              (cards == Integer.MAX_VALUE ? 1 : cards) * link.bytesPerSecond(),
              link.copyNanos(),
              channel));
    }
    return links;
  }

  /// Cards of a device, beyond any number for what is none.
  private static int cards(List<@Nullable TensorParallelGroup> hardware, int place) {
    if (place >= hardware.size()) {
      return Integer.MAX_VALUE;
    }
    TensorParallelGroup group = hardware.get(place);
    return group == null ? 1 : group.size();
  }

  private static List<@Nullable HostAttentionModel> attention(
      TopologySpec spec,
      Topology topology,
      List<@Nullable TensorParallelGroup> hardware,
      ModelProfile model) {
    Map<String, HardwareProfile> attending = new LinkedHashMap<>();
    for (Host host : spec.hosts()) {
      if (host.attends() != null) {
        attending.put(host.name(), host.attends());
      }
    }
    List<@Nullable HostAttentionModel> attention = new ArrayList<>();
    for (Place place : topology.places()) {
      HardwareProfile host = attending.get(place.name());
      attention.add(host == null ? null : attention(host, place.id(), topology, hardware, model));
    }
    return attention;
  }

  /// As for the device with the slowest link; null where the host is linked with none.
  private static @Nullable HostAttentionModel attention(
      HardwareProfile profile,
      int host,
      Topology topology,
      List<@Nullable TensorParallelGroup> hardware,
      ModelProfile model) {
    HostAttentionModel slowest = null;
    for (int device = 0; device < hardware.size(); device++) {
      if (topology.attends(host, device)) {
        Link up = topology.links().get(topology.linkIndex(device, host));
        Link down = topology.links().get(topology.linkIndex(host, device));
        int cards = cards(hardware, device);
        HostAttentionModel each =
            new HostAttentionModel(
                profile,
                down.bytesPerSecond() / cards,
                up.bytesPerSecond() / cards,
                Math.max(up.copyNanos(), down.copyNanos()),
                cards,
                model);
        if (slowest == null || each.rowNanos() > slowest.rowNanos()) {
          slowest = each;
        }
      }
    }
    return slowest;
  }
}
