package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// When transfers end, by hand: a block is 1,000,000 bytes in 2 copies of 500 ns, so that it takes
/// 1,001,000 ns at 1 GB/s and 501,000 ns at 2 GB/s.
class SharedChannelTest {

  private static final int SLOW = 0;
  private static final int FAST = 1;
  private static final int HOST = 2;
  private static final int DISK = 3;
  private static final long SLOW_BLOCK = 1_001_000;
  private static final long FAST_BLOCK = 501_000;

  private static final Topology TOPOLOGY =
      new Topology(
          List.of(
              Place.device(SLOW, "slow", 9),
              Place.device(FAST, "fast", 9),
              Place.host(HOST, "host", 9),
              Place.disk(DISK, "disk", 9)),
          List.of(
              link(SLOW, HOST, 1, 0),
              link(HOST, SLOW, 1, 1),
              link(FAST, HOST, 2, 0),
              link(HOST, FAST, 2, 1),
              link(HOST, DISK, 1, Link.OWN_CHANNEL),
              link(DISK, HOST, 2, 0)));

  private final List<Long> ends = new ArrayList<>();
  private long now;

  private final SimulatedExecutor executor =
      new SimulatedExecutor(
          new EngineConfig(
              new KvLayout(16, 1_000_000, 2),
              new EngineLimits(8, 64, 128, 3, 0),
              TOPOLOGY,
              PolicySpec.of("continuous")),
          new World(List.of(), Faults.NONE),
          0,
          () -> now,
          (rank, result) -> ends.add(result.atNanos()));

  @Test
  void transfersOfOneChannel_shouldWaitForEachOtherWhateverTheirLinks() {
    transfer(SLOW, HOST, 2);
    transfer(FAST, HOST, 3);
    transfer(DISK, HOST, 1);
    assertThat(ends)
        .containsExactly(
            2 * SLOW_BLOCK, 2 * SLOW_BLOCK + 3 * FAST_BLOCK, 2 * SLOW_BLOCK + 4 * FAST_BLOCK);
  }

  @Test
  void otherChannels_shouldNotWait() {
    transfer(SLOW, HOST, 2);
    transfer(HOST, FAST, 1);
    transfer(HOST, DISK, 1);
    assertThat(ends).containsExactly(2 * SLOW_BLOCK, FAST_BLOCK, SLOW_BLOCK);
  }

  @Test
  void freeChannel_shouldBeginAtOnce() {
    transfer(SLOW, HOST, 1);
    now = 5_000_000;
    transfer(FAST, HOST, 1);
    assertThat(ends).containsExactly(SLOW_BLOCK, 5_000_000 + FAST_BLOCK);
  }

  private static Link link(int from, int to, int gigabytes, int channel) {
    return new Link(from, to, gigabytes * 1_000_000_000L, 500, channel);
  }

  private void transfer(int from, int to, int blocks) {
    int[] ids = new int[blocks];
    for (int i = 0; i < blocks; i++) {
      ids[i] = i;
    }
    executor.transfer(
        new TransferPlan(
            ends.size(),
            TOPOLOGY.transferKind(from, to),
            TransferMode.ASYNC,
            from,
            to,
            Ints.of(0),
            Ints.of(ids),
            Ints.of(ids)));
  }
}
