package io.fusespill.engine.policy;

import io.fusespill.engine.cost.StepLoad;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.SequenceQueue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is known of a device when its sequences are weighed: what it would compute next without
/// anything changing, and how long that takes.
final class Scene {

  private static final int LIVES_ASKED = 8;
  private static final long UNKNOWN = -1;

  private final EngineView view;
  private final int device;
  private final StepLoad load;
  private final int sharing;
  private final int localRows;
  private final long stepNanos;
  private long awayNanos = UNKNOWN;
  private @Nullable List<Scene> takers;

  /// @param load what the device's next step would compute, rows of a host included; may be changed
  ///   while it is tried what others would cost
  /// @param sharing devices for which the attending host works at the same time
  /// @param localRows decodes of the device itself
  Scene(EngineView view, int device, StepLoad load, int sharing, int localRows, long stepNanos) {
    this.view = view;
    this.device = device;
    this.load = load;
    this.sharing = sharing;
    this.localRows = localRows;
    this.stepNanos = Math.max(1, stepNanos);
  }

  EngineView view() {
    return view;
  }

  int device() {
    return device;
  }

  StepLoad load() {
    return load;
  }

  long stepNanos() {
    return stepNanos;
  }

  /// Decodes of the device itself.
  int localRows() {
    return localRows;
  }

  int sharing() {
    return sharing;
  }

  long tokenWorth() {
    return stepNanos / Math.max(1, load.rows());
  }

  /// The devices that take what this one swaps out; asked for once.
  List<Scene> takers(Scenes scenes) {
    if (takers == null) {
      takers = scenes.takers(this);
    }
    return takers;
  }

  /// How long a parked sequence is expected to stay away: half of the mean remaining life of those
  /// that run, which is about when the blocks of one will be free.
  long awayNanos() {
    if (awayNanos == UNKNOWN) {
      SequenceQueue running = view.residents(device);
      int asked = Math.min(running.size(), LIVES_ASKED);
      long remaining = 0;
      for (int i = 0; i < asked; i++) {
        remaining += VictimOrder.remaining(running.get(i * running.size() / asked), view.lengths());
      }
      awayNanos =
          Math.max(1, asked == 0 ? 1 : HandlingWeigher.times(remaining, stepNanos) / asked / 2);
    }
    return awayNanos;
  }
}
