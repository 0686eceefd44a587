package io.fusespill.engine.config;

import io.fusespill.engine.plan.TransferKind;
import java.util.BitSet;
import java.util.List;

/// All places and the links between them, at most one link from a place to another.
///
/// Shared channels are numbered from 0 without gaps, so that each topology has one form.
public record Topology(List<Place> places, List<Link> links) {

  /// The most channels that links may share.
  public static final int MAX_CHANNELS = 65_536;

  public Topology {
    places = List.copyOf(places);
    links = List.copyOf(links);
    for (int id = 0; id < places.size(); id++) {
      if (places.get(id).id() != id) {
        throw new IllegalArgumentException(
            "place %s has id %d at index %d"
                .formatted(places.get(id).name(), places.get(id).id(), id));
      }
    }
    if (places.stream().noneMatch(Place::computes)) {
      throw new IllegalArgumentException("no place computes: a topology needs at least one device");
    }
    for (Link link : links) {
      Check.range("link end", link.from(), 0, places.size() - 1);
      Check.range("link end", link.to(), 0, places.size() - 1);
    }
    requireOneLinkEachWay(places.size(), links);
    requireChannelsWithoutGaps(links);
  }

  private static void requireOneLinkEachWay(int places, List<Link> links) {
    BitSet seen = new BitSet(places * places);
    for (Link link : links) {
      int pair = link.from() * places + link.to();
      if (seen.get(pair)) {
        throw new IllegalArgumentException(
            "two links go from place %d to place %d, must be at most one"
                .formatted(link.from(), link.to()));
      }
      seen.set(pair);
    }
  }

  private static void requireChannelsWithoutGaps(List<Link> links) {
    BitSet used = new BitSet();
    links.stream().filter(link -> !link.hasOwnChannel()).forEach(link -> used.set(link.channel()));
    if (used.nextClearBit(0) < used.length()) {
      throw new IllegalArgumentException(
          "no link has channel %d, but one has %d: channels are numbered from 0 without gaps"
              .formatted(used.nextClearBit(0), used.length() - 1));
    }
  }

  public Place place(int id) {
    return places.get(id);
  }

  public boolean linked(int from, int to) {
    return linkIndex(from, to) >= 0;
  }

  /// Index in [#links], or -1 where nothing goes from the one place to the other.
  public int linkIndex(int from, int to) {
    for (int i = 0; i < links.size(); i++) {
      if (links.get(i).from() == from && links.get(i).to() == to) {
        return i;
      }
    }
    return -1;
  }

  /// The link itself and all others on its channel, in the order of [#links].
  public List<Link> sharing(Link link) {
    return link.hasOwnChannel()
        ? List.of(link)
        : links.stream().filter(other -> other.channel() == link.channel()).toList();
  }

  /// Whether `host` runs decode attention for steps of `device`: it can, and both directions are
  /// linked.
  public boolean attends(int host, int device) {
    return host >= 0 && place(host).attends() && linked(device, host) && linked(host, device);
  }

  /// The first host that attends for `device`, or -1.
  public int attendingHost(int device) {
    for (Place place : places) {
      if (attends(place.id(), device)) {
        return place.id();
      }
    }
    return -1;
  }

  /// The first disk that both directions link with `host`, or -1.
  public int diskBehind(int host) {
    for (Place place : places) {
      if (place.kind() == PlaceKind.DISK && linked(host, place.id()) && linked(place.id(), host)) {
        return place.id();
      }
    }
    return -1;
  }

  /// The first host without compute that both directions link with `device`, or -1.
  public int swapHost(int device) {
    for (Place place : places) {
      if (place.kind() == PlaceKind.HOST
          && !place.computes()
          && linked(device, place.id())
          && linked(place.id(), device)) {
        return place.id();
      }
    }
    return -1;
  }

  /// What a transfer between two places is called.
  public TransferKind transferKind(int from, int to) {
    Place source = place(from);
    Place target = place(to);
    if (target.computes()) {
      return source.computes() ? TransferKind.OFFLOAD : TransferKind.SWAP_IN;
    }
    if (source.computes()) {
      return TransferKind.SWAP_OUT;
    }
    return target.kind() == PlaceKind.DISK ? TransferKind.SPILL : TransferKind.UNSPILL;
  }
}
