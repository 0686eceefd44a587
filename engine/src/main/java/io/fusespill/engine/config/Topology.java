package io.fusespill.engine.config;

import io.fusespill.engine.plan.TransferKind;
import java.util.List;

/// All places and the links between them.
public record Topology(List<Place> places, List<Link> links) {

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
  }

  public Place place(int id) {
    return places.get(id);
  }

  public boolean linked(int from, int to) {
    for (Link link : links) {
      if (link.from() == from && link.to() == to) {
        return true;
      }
    }
    return false;
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
