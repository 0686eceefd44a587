package io.fusespill.engine;

import static io.fusespill.engine.plan.TransferMode.ASYNC;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.EngineFixture.Run;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.cost.CostEstimator;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// What is queued on a channel is in the estimates of every link that shares it.
class ChannelTest {

  private static final int DEVICE = 0;
  private static final int HOST = 1;
  private static final int DISK = 2;

  /// 1,024 bytes at 1,000,000 bytes a second.
  private static final long BLOCK_NANOS = 1_024_000;

  @RegisterExtension final EngineFixture engine = new EngineFixture();

  @Test
  void queuedNanos_shouldCountWhatIsUnderWayOnTheSameChannel() {
    Run run =
        engine
            .given()
            .byHand()
            .device(5)
            .host(4)
            .disk(4)
            .link(DEVICE, HOST, 0)
            .link(HOST, DEVICE)
            .link(HOST, DISK, 0)
            .link(DISK, HOST)
            .start();
    run.arrives(6, 9).admits(0).steps(DEVICE, 0, 6).completes(DEVICE);
    run.transfers(DEVICE, HOST, ASYNC, 0).thenWhatever();
    CostEstimator estimator = estimator(run.view().config());

    assertThat(estimator.queuedNanos(run.view(), DEVICE, HOST, 3)).isEqualTo(5 * BLOCK_NANOS);
    assertThat(estimator.queuedNanos(run.view(), HOST, DISK, 3)).isEqualTo(5 * BLOCK_NANOS);
    assertThat(estimator.queuedNanos(run.view(), HOST, DEVICE, 3)).isEqualTo(3 * BLOCK_NANOS);
    assertThat(estimator.queuedNanos(run.view(), DEVICE, DISK, 3)).isZero();

    run.transferCompletes(0).then();
    assertThat(estimator.queuedNanos(run.view(), HOST, DISK, 3)).isEqualTo(3 * BLOCK_NANOS);
  }

  private static CostEstimator estimator(EngineConfig config) {
    return new CostEstimator(
        new EngineConfig(
            config.kv(),
            config.limits(),
            config.topology(),
            config.policy(),
            Collections.nCopies(config.topology().places().size(), StepCosts.NONE),
            config.predictor()));
  }
}
