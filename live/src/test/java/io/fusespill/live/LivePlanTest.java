package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LivePlanTest {

  @TempDir private Path temp;

  /// The machine of the fixture has 1 GiB, of which half may be used.
  @Test
  void hostsWithoutBlocks_shouldShareWhatThoseWithBlocksLeave() {
    try (LiveFixture live = LiveFixture.open(FaultContract.MODEL, temp)) {
      LiveSpec even = spec(Share.host(0, 1), Share.host(0, 1));
      int whole = 2 * blocks(live.plan(even), 0);
      LivePlan plan = live.plan(spec(Share.host(whole / 4, 1), Share.host(0, 1)));
      assertThat(blocks(plan, 0)).isEqualTo(whole / 4);
      assertThat(blocks(plan, 1)).isBetween(whole - whole / 4 - 1, whole - whole / 4 + 1);
    }
  }

  /// Whichever device the GPU is, steps of which the host attends take longer by the hand-off.
  @Test
  void hostThatAttends_shouldCostTheHandOffOfAnyGpu() {
    try (LiveFixture live = LiveFixture.open(FaultContract.MODEL, temp)) {
      Share host = Share.host(8, 1);
      Share gpu = Hardware.GPU.device(0, 64);
      long alone = attendingNanos(live, host, host);
      assertThat(attendingNanos(live, gpu, host)).isEqualTo(alone + LiveFixture.HAND_OFF_NANOS);
      assertThat(attendingNanos(live, host, gpu)).isEqualTo(alone + LiveFixture.HAND_OFF_NANOS);
    }
  }

  private static long attendingNanos(LiveFixture live, Share device, Share auxiliary) {
    LiveSpec one = LiveFixture.spec(PolicySpec.of("fusespill"), 1, Hardware.HOST, 64);
    LivePlan plan =
        live.plan(
            new LiveSpec(
                List.of(device),
                List.of(auxiliary),
                Share.host(0, 1),
                0.01,
                0,
                0.5,
                null,
                one.policy(),
                one.limits()));
    return plan.config().costs().get(2).overheadNanos();
  }

  private static int blocks(LivePlan plan, int place) {
    return plan.config().topology().place(place).blocks();
  }

  private static LiveSpec spec(Share first, Share second) {
    LiveSpec one = LiveFixture.spec(PolicySpec.of("continuous"), 1, Hardware.HOST, 64);
    return new LiveSpec(
        List.of(first, second),
        List.of(),
        null,
        0,
        0,
        0.5,
        one.kvType(),
        one.policy(),
        new LiveSpec.Limits(16, 65_536, 65_536, 512, 200, 1, ""));
  }
}
