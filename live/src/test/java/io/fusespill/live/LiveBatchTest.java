package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.journal.EngineStoppedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class LiveBatchTest {

  @TempDir private Path temp;

  @Test
  @Timeout(60)
  void engineThatFails_isNotWaitedForUntilTheNextRequestIsDue() {
    LiveSpec spec = LiveFixture.spec(PolicySpec.of("continuous"), 1, Hardware.HOST, 4_096);
    try (LiveFixture live = LiveFixture.open("llama2-mha", temp)) {
      List<TextRequest> requests = new ArrayList<>(live.requests(1, 1, 3));
      TextRequest first = requests.getFirst();
      requests.add(
          new TextRequest(
              TimeUnit.HOURS.toNanos(1), first.promptIds(), first.params(), first.hintTokens()));
      assertThatThrownBy(() -> live.withOrders(Broken::new).run("broken", spec, requests))
          .isInstanceOf(EngineStoppedException.class)
          .hasMessageContaining("struck by lightning");
    }
  }

  private static final class Broken extends Orders {

    Broken(Executor executor) {
      super(executor);
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      throw new IllegalStateException("struck by lightning");
    }
  }
}
