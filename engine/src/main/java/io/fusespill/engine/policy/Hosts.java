package io.fusespill.engine.policy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import io.fusespill.engine.state.SequenceStatus;
import org.jspecify.annotations.Nullable;

/// Which host and which disk stand behind each device under `fusespill`.
final class Hosts {

  private final int[] swapping;
  private final int[] attending;
  private final int[] disks;

  /// @param attention whether hosts may attend
  Hosts(Topology topology, boolean attention) {
    int places = topology.places().size();
    swapping = new int[places];
    attending = new int[places];
    disks = new int[places];
    for (Place place : topology.places()) {
      int id = place.id();
      swapping[id] = topology.swapHost(id);
      attending[id] = attention ? topology.attendingHost(id) : -1;
      disks[id] = topology.diskBehind(id);
    }
  }

  /// The host that `device` swaps to, or -1.
  int swapping(int device) {
    return swapping[device];
  }

  /// The host that attends for `device`, or -1.
  int attending(int device) {
    return attending[device];
  }

  /// The disk behind `host`, or -1.
  int disk(int host) {
    return host < 0 ? -1 : disks[host];
  }

  /// The newest sequence that rests in `host` and that nobody uses, or null.
  static @Nullable Sequence newestParked(EngineView view, int host) {
    SequenceQueue resting = view.residents(host);
    Sequence newest = null;
    for (int i = 0; i < resting.size(); i++) {
      Sequence sequence = resting.get(i);
      if (sequence.status() == SequenceStatus.SWAPPED
          && !sequence.pinned()
          && (newest == null || sequence.id() > newest.id())) {
        newest = sequence;
      }
    }
    return newest;
  }
}
