package io.fusespill.sim.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DiskProfileTest {

  @ParameterizedTest
  @MethodSource("io.fusespill.sim.profile.DiskProfiles#names")
  void bundled_everyNumberHasASource(String name) {
    DiskProfile profile = DiskProfiles.named(name);

    assertThat(profile.name()).isEqualTo(name);
    assertThat(profile.sources().keySet()).containsExactlyElementsOf(DiskProfile.NUMBERS);
  }

  @Test
  void names_areTheFilesOfTheFolder() throws Exception {
    assertThat(DiskProfiles.names())
        .containsExactlyInAnyOrderElementsOf(Resources.names("/io/fusespill/sim/disks"));
  }

  @Test
  void new_valueOutOfRange_isNamed() {
    assertThatThrownBy(() -> new DiskProfile("x", "", 0, 1, 0, Map.of()))
        .hasMessage("readBytesPerSecond is 0, must be at least 1");
    assertThatThrownBy(() -> new DiskProfile("x", "", 1, 0, 0, Map.of()))
        .hasMessage("writeBytesPerSecond is 0, must be at least 1");
    assertThatThrownBy(() -> new DiskProfile("x", "", 1, 1, -1, Map.of()))
        .hasMessage("copyNanos is -1, must be at least 0");
  }
}
