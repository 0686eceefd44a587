package io.fusespill.live;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.plan.TransferKind;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Logical devices of a GPU.
@Tag("gpu")
class GpuSpillTest extends SpillContract {

  GpuSpillTest() {
    super(Hardware.GPU);
  }

  @Test
  void decodeOnTheHost_givesTheSameTokens() {
    sameAsAmple(
        "llama3-gqa-ropescaled-tied-sharded",
        1,
        LiveFixture.spec(PolicySpec.of("fusespill"), 2, Hardware.GPU_AND_HOST, FEW, 2 * FEW),
        event ->
            event instanceof TransferPlanned planned
                && planned.plan().kind() == TransferKind.OFFLOAD);
  }
}
