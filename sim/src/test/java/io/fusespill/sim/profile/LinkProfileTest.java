package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LinkProfileTest {

  @ParameterizedTest
  @MethodSource("io.fusespill.sim.profile.LinkProfiles#names")
  void bundled_everyNumberHasASource(String name) {
    LinkProfile profile = LinkProfiles.named(name);

    assertThat(profile.name()).isEqualTo(name);
    assertThat(profile.sources().keySet()).containsExactlyElementsOf(LinkProfile.NUMBERS);
  }

  @Test
  void names_areTheFilesOfTheFolder() throws Exception {
    assertThat(LinkProfiles.names())
        .containsExactlyInAnyOrderElementsOf(Resources.names("/io/fusespill/sim/links"));
  }

  @Test
  void named_unknown_suggests() {
    assertThatThrownBy(() -> LinkProfiles.named("pcie6"))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("unknown link \"pcie6\"; did you mean pcie3, pcie4 or pcie5?");
  }

  @Test
  void new_valueOutOfRange_isNamed() {
    assertThatThrownBy(() -> new LinkProfile("x", "", 0, 1, 0, 0, Map.of()))
        .hasMessage("toDeviceBytesPerSecond is 0, must be at least 1");
    assertThatThrownBy(() -> new LinkProfile("x", "", 1, 0, 0, 0, Map.of()))
        .hasMessage("fromDeviceBytesPerSecond is 0, must be at least 1");
    assertThatThrownBy(() -> new LinkProfile("x", "", 1, 1, -1, 0, Map.of()))
        .hasMessage("copyNanos is -1, must be at least 0");
    assertThatThrownBy(() -> new LinkProfile("x", "", 1, 1, 0, -1, Map.of()))
        .hasMessage("allReduceNanos is -1, must be at least 0");
  }
}
