package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.ProfileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinkModelTest {

  @Test
  void nanos_isCopiesPlusBytes() {
    LinkModel link = new LinkModel(2_000_000_000, 700);

    assertThat(link.nanos(1_000, 3)).isEqualTo(500 + 3 * 700);
    assertThat(link.nanos(1_000, 0)).isEqualTo(500);
  }

  @Test
  void nanos_nothing_isOne() {
    assertThat(new LinkModel(Long.MAX_VALUE, 0).nanos(0, 0)).isEqualTo(1);
    assertThat(new LinkModel(Long.MAX_VALUE, 0).nanos(1, 1)).isEqualTo(1);
  }

  // The measured pieces that the fixed time of a copy was fitted to, GB/s from the device.
  @ParameterizedTest
  @CsvSource({"16, 6.3", "64, 18.9", "256, 39.3", "1024, 49.6", "4096, 53.5"})
  void nanos_pcie5Pieces_areWithin5PercentOfTheMeasured(long kib, double gigabytesPerSecond) {
    long bytes = kib * 1024;

    long nanos = LinkModel.fromDevice(LinkProfiles.named("pcie5")).nanos(bytes, 1);

    assertThat(bytes / (double) nanos).isCloseTo(gigabytesPerSecond, withinPercentage(5));
  }

  @Test
  void directions_takeTheirOwnRate() {
    long bytes = 1_000_000_000;

    assertThat(LinkModel.toDevice(LinkProfiles.named("pcie5")).nanos(bytes, 0))
        .isEqualTo(18_018_018);
    assertThat(LinkModel.fromDevice(LinkProfiles.named("pcie5")).nanos(bytes, 0))
        .isEqualTo(18_050_541);
  }

  @Test
  void nanos_negative_isAnError() {
    LinkModel link = new LinkModel(1, 1);

    assertThatThrownBy(() -> link.nanos(-1, 0)).isInstanceOf(ProfileException.class);
    assertThatThrownBy(() -> link.nanos(0, -1)).isInstanceOf(ProfileException.class);
    assertThatThrownBy(() -> new LinkModel(0, 0)).isInstanceOf(ProfileException.class);
    assertThatThrownBy(() -> new LinkModel(1, -1)).isInstanceOf(ProfileException.class);
  }
}
