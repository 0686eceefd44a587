package io.fusespill.engine.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.Handling;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.PreemptionReason;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import org.junit.jupiter.api.Test;

/// The bytes of a log name constants by their place: a new one goes to the end, and none ever moves
/// or goes.
class EnumCodesTest {

  @Test
  void constants_standWhereEveryLogExpectsThem() {
    assertThat(PlaceKind.values())
        .containsExactly(PlaceKind.DEVICE, PlaceKind.HOST, PlaceKind.DISK);
    assertThat(FinishReason.values())
        .containsExactly(
            FinishReason.STOP, FinishReason.LENGTH, FinishReason.CANCELLED, FinishReason.FAILED);
    assertThat(PreemptionKind.values())
        .containsExactly(PreemptionKind.RECOMPUTE, PreemptionKind.SWAP, PreemptionKind.OFFLOAD);
    assertThat(PreemptionReason.values())
        .containsExactly(
            PreemptionReason.OUT_OF_BLOCKS,
            PreemptionReason.STEP_FAILED,
            PreemptionReason.OFFLOADED,
            PreemptionReason.POLICY_CHANGED);
    assertThat(Handling.values())
        .containsExactly(
            Handling.RECOMPUTE,
            Handling.SWAP,
            Handling.SPILL,
            Handling.OFFLOAD_DECODE,
            Handling.OFFLOAD_ATTENTION,
            Handling.STAY);
    assertThat(RejectionReason.values())
        .containsExactly(
            RejectionReason.PROMPT_TOO_LONG,
            RejectionReason.NEVER_FITS,
            RejectionReason.SWAP_SPACE_EXHAUSTED,
            RejectionReason.TOO_MANY_SAMPLES);
    assertThat(TransferKind.values())
        .containsExactly(
            TransferKind.SWAP_OUT,
            TransferKind.SWAP_IN,
            TransferKind.SPILL,
            TransferKind.UNSPILL,
            TransferKind.OFFLOAD);
    assertThat(TransferMode.values()).containsExactly(TransferMode.ORDERED, TransferMode.ASYNC);
  }
}
