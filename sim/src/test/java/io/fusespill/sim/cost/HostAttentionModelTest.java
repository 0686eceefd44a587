package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.ProfileException;
import org.junit.jupiter.api.Test;

/// Vicuna-7B (32 layers, 32 heads of 128, float16) on a Xeon 8358P (50 us a layer, 204.8 GB/s at
/// 0.65) over 16 GB/s with 2.28 us a copy, by hand.
class HostAttentionModelTest {

  /// 32 · (50,000/7 + 2 · 2,280 + 2 · 5,600).
  private static final double HAND_OFF = 32 * (50_000 / 7.0 + 4_560 + 11_200);

  /// Up 32 · 96 · 128 numbers, down 32 · 32 · 128, two bytes each: 786,432 and 262,144 bytes.
  private static final double ROW = 786_432 / 16.0 + 262_144 / 16.0;

  /// 524,288 bytes of KV a token at 133.12 GB/s.
  private static final double TOKEN = 524_288 / 133.12;

  private static HostAttentionModel model(int cards) {
    return new HostAttentionModel(
        HardwareProfiles.named("xeon-8358p"),
        LinkProfiles.named("pcie4-16gbps"),
        cards,
        ModelProfiles.named("vicuna-7b"));
  }

  @Test
  void parts_areThoseComputedByHand() {
    assertThat(HAND_OFF).isCloseTo(732_891, within(1.0));
    assertThat(ROW).isEqualTo(65_536);
    assertThat(model(1).handOffNanos()).isCloseTo(HAND_OFF, within(1e-6));
    assertThat(model(1).rowNanos()).isCloseTo(ROW, within(1e-6));
    assertThat(model(1).tokenNanos()).isCloseTo(TOKEN, within(1e-6));
  }

  @Test
  void step_addsThemUp() {
    assertThat(model(1).nanos(0, 0, 1)).isEqualTo(732_891);
    assertThat(model(1).nanos(3, 4_000, 1)).isEqualTo((long) (HAND_OFF + 3 * ROW + 4_000 * TOKEN));
    assertThat(model(1).nanos(3, 4_000, 2)).isEqualTo((long) (HAND_OFF + 3 * ROW + 8_000 * TOKEN));
  }

  @Test
  void cards_shareTheRowsAndNotTheKv() {
    assertThat(model(2).rowNanos()).isCloseTo(ROW / 2, within(1e-6));
    assertThat(model(2).tokenNanos()).isCloseTo(TOKEN, within(1e-6));
    assertThat(model(2).handOffNanos()).isCloseTo(HAND_OFF, within(1e-6));
  }

  @Test
  void noCards_areRefused() {
    assertThatThrownBy(() -> model(0)).isInstanceOf(ProfileException.class);
  }

  /// The slowest of the sample over which the device's own attention is hidden.
  @Test
  void stepBesideTheHost_takesTheLongerOfBothAttentions() {
    RooflineModel device =
        new RooflineModel(HardwareProfiles.named("a10"), ModelProfiles.named("vicuna-7b"), 16);
    StepShape shape = new StepShape(8, 8_000, 0, 0, 0, 10, 10);
    long kv = device.breakdown(shape).kvNanos();
    assertThat(device.nanos(shape, kv / 2)).isEqualTo(device.nanos(shape));
    assertThat(device.nanos(shape, kv + 777)).isEqualTo(device.nanos(shape) + 777);
  }
}
