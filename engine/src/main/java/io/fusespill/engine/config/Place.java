package io.fusespill.engine.config;

/// A pool of KV blocks, with or without compute beside it.
///
/// @param id index in [Topology#places]
/// @param computes whether steps run here; always true for a device, never for a disk
/// @param attends whether decode attention over KV that lies here can run here for a step of a
///   linked device; only a host can
/// @param blocks number of blocks, 0 to 100,000,000; at least 1 where steps run
public record Place(
    int id, String name, PlaceKind kind, boolean computes, boolean attends, int blocks) {

  /// The most blocks that a pool may have.
  public static final int MAX_BLOCKS = 100_000_000;

  public Place {
    Check.range("place id", id, 0, 1_023);
    Check.range("blocks of place " + name, blocks, computes ? 1 : 0, MAX_BLOCKS);
    if (kind == PlaceKind.DEVICE != computes && kind != PlaceKind.HOST) {
      throw new IllegalArgumentException(
          "place %s: a %s %s compute".formatted(name, kind, computes ? "cannot" : "must"));
    }
    if (attends && kind != PlaceKind.HOST) {
      throw new IllegalArgumentException(
          "place %s: a %s cannot attend, only a host can".formatted(name, kind));
    }
  }

  /// A place whose KV only its own steps read.
  public Place(int id, String name, PlaceKind kind, boolean computes, int blocks) {
    this(id, name, kind, computes, false, blocks);
  }

  public static Place device(int id, String name, int blocks) {
    return new Place(id, name, PlaceKind.DEVICE, true, blocks);
  }

  public static Place host(int id, String name, int blocks) {
    return new Place(id, name, PlaceKind.HOST, false, blocks);
  }

  /// A host that runs decode attention over the KV that it holds.
  public static Place attendingHost(int id, String name, int blocks) {
    return new Place(id, name, PlaceKind.HOST, false, true, blocks);
  }

  public static Place disk(int id, String name, int blocks) {
    return new Place(id, name, PlaceKind.DISK, false, blocks);
  }
}
