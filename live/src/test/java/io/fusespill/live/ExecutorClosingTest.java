package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.EngineState;
import io.fusespill.host.exec.Accelerator;
import io.fusespill.host.exec.BlockStore;
import io.fusespill.host.exec.Device;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.exec.StepJob;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.ModelWeights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An executor gives back all that it has taken, in the opposite order, whatever fails.
class ExecutorClosingTest {

  @TempDir private Path temp;

  /// What was taken and not given back, in order.
  private final List<String> open = new ArrayList<>();

  private final List<String> closed = new ArrayList<>();

  /// Copies, each of which then fails.
  private final List<String> copied = Collections.synchronizedList(new ArrayList<>());

  /// What fails when it is made, or when it is closed.
  private String failing = "";

  private Set<Integer> used = Set.of(0, 1, 2);

  @Test
  void everything_isClosedInTheOppositeOrder() {
    try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
      executor(live).close();
    }
    assertThat(open).isEmpty();
    assertThat(closed)
        .containsExactly(
            "device cuda-0", "device aux-cuda-0-2", "pin", "store cuda-0", "store aux-cuda-0-2");
  }

  @Test
  void whatCannotBeMade_leavesNothingOpen() {
    for (String each :
        List.of("store aux-cuda-0-2", "pin", "device cuda-0", "device aux-cuda-0-2")) {
      failing = each;
      try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
        assertThatThrownBy(() -> executor(live))
            .hasMessage("no room for " + each)
            .hasNoSuppressedExceptions();
      }
      assertThat(open).as(each).isEmpty();
    }
  }

  @Test
  void whatCannotBeClosed_isSaid_andTheRestIsClosed() {
    for (String each : List.of("device cuda-0", "pin", "store cuda-0")) {
      try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
        failing = "";
        HostExecutor executor = executor(live);
        failing = each;
        assertThatThrownBy(executor::close).hasMessage("stuck: " + each);
      }
      assertThat(open).as(each).isEmpty();
    }
  }

  /// Pinning takes all of it from the system at once.
  @Test
  void memoryToWhichNothingMoves_isNotPinned() {
    used = Set.of(0, 1);
    try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
      executor(live).close();
    }
    assertThat(closed).doesNotContain("pin").contains("store cuda-0");
  }

  /// So that the first copy that counts is not the first of its thread.
  @Test
  void eachLink_copiesABlockBeforeThereIsAny() {
    try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
      executor(live).close();
    }
    assertThat(copied)
        .contains(
            "store cuda-0 out",
            "store cuda-0 in",
            "store aux-cuda-0-2 out",
            "store aux-cuda-0-2 in");
  }

  private HostExecutor executor(LiveFixture live) {
    LivePlan plan =
        live.plan(
            LiveFixture.spec(
                PolicySpec.of("fusespill"), 2, Hardware.GPU, false, 1.0 / 1024, 0, 80, 80));
    Accelerator accelerator = new Counted();
    try (ModelWeights weights = ModelWeights.of(live.checkpoint().config(), live.checkpoint())) {
      return new HostExecutor(
          new HostExecutor.Setup(
              weights,
              List.of(),
              null,
              plan.kv(),
              plan.threads(),
              temp,
              used,
              false,
              Map.of(0, accelerator, 1, accelerator)),
          plan.config(),
          new Unheard(),
          new EngineState());
    }
  }

  private String take(String what) {
    if (what.equals(failing)) {
      throw new IllegalStateException("no room for " + what);
    }
    open.add(what);
    return what;
  }

  private void give(String what) {
    open.remove(what);
    closed.add(what);
    if (what.equals(failing)) {
      throw new IllegalStateException("stuck: " + what);
    }
  }

  private final class Counted implements Accelerator {

    @Override
    public BlockStore.Remote store(Place place) {
      return new Store(take("store " + place.name()));
    }

    @Override
    public AutoCloseable pin(KvPool pool) {
      String pin = take("pin");
      return () -> give(pin);
    }

    @Override
    public Device device(
        Place place,
        BlockStore.Remote store,
        IntFunction<BlockStore> stores,
        IntFunction<@Nullable AttentionService> attention,
        Completions completions) {
      String device = take("device " + place.name());
      return new Device() {
        @Override
        public void submit(StepJob job) {
          throw new IllegalStateException("a step");
        }

        @Override
        public void close() {
          give(device);
        }
      };
    }
  }

  private final class Store implements BlockStore.Remote {

    private final String name;

    Store(String name) {
      this.name = name;
    }

    @Override
    public void copyFrom(Memory source, Ints blocks, Ints targetBlocks) {
      copied.add(name + " in");
      throw new IllegalStateException("a copy");
    }

    @Override
    public void copy(Ints blocks, BlockStore target, Ints targetBlocks) {
      copied.add(name + " out");
      throw new IllegalStateException("a copy");
    }

    @Override
    public void close() {
      give(name);
    }
  }

  private static final class Unheard implements Completions {
    @Override
    public void stepCompleted(
        int device, long step, Ints ended, Ints sampledTokens, long busyNanos) {}

    @Override
    public void sequenceFailed(int device, long step, int sequence, String cause) {}

    @Override
    public void stepFailed(int device, long step, String cause) {}

    @Override
    public void transferCompleted(int transfer) {}

    @Override
    public void transferFailed(int transfer, String cause) {}

    @Override
    public void placeFailed(int place, String cause) {}
  }
}
