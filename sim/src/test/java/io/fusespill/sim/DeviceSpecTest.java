package io.fusespill.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.profile.ProfileException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceSpecTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a10 | a10 | 0 | 0.9",
        "a10:blocks=5 | a10 | 5 | 0.9",
        "a10:util=0.5 | a10 | 0 | 0.5",
        "a10:tp=1 | a10 | 0 | 0.9",
        "a10:tp=2 | a10 a10 | 0 | 0.9",
        "a10:tp=2,util=0.8 | a10 a10 | 0 | 0.8",
        "a10:blocks=7,tp=3 | a10 a10 a10 | 7 | 0.9",
        "rtx-4090+rtx-3090 | rtx-4090 rtx-3090 | 0 | 0.9",
        "rtx-4090+rtx-3090:tp=2,blocks=9 | rtx-4090 rtx-3090 | 9 | 0.9",
      })
  void parse_legal_isRead(String text, String cards, int blocks, double utilisation) {
    assertThat(DeviceSpec.parse(text))
        .isEqualTo(new DeviceSpec(List.of(cards.split(" ")), blocks, utilisation));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a10:",
        "a10:tp=0",
        "a10:tp=17",
        "a10:tp=two",
        "a10:tp=2,",
        "a10:blocks=0",
        "a10:blocks=-1",
        "a10:util=0",
        "a10:util=1.1",
        "a10:util=NaN",
        "a10:blocks=5,util=0.5",
        "a10:util=0.5,util=0.6",
        "a10:cards=2",
      })
  void parse_illegal_namesDeviceAndSettings(String text) {
    assertThatThrownBy(() -> DeviceSpec.parse(text))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("device '" + text + "'")
        .hasMessageContaining("tp=N with N of 1 to 16");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a10,a10 | a10 | a10+a10",
        "a10,rtx-3090:blocks=5 | a10 | a10+rtx-3090",
        "2xa10 | a10 | a10:tp=2",
        "a10x4 | a10 | a10:tp=4",
        "a10:blocks=500,a10 | a10:blocks=500 | tp=N",
        "a10:tp=2,a10:tp=2 | a10:tp=2 | tp=N",
      })
  void parse_severalDevices_namesBothThatCanBeMeant(String text, String one, String group) {
    assertThatThrownBy(() -> DeviceSpec.parse(text))
        .isInstanceOf(ProfileException.class)
        .hasMessage(
            "device '%s': names several; give each in an option of its own (--device %s, and --device again), or as one tensor-parallel device with %s"
                .formatted(text, one, group));
  }

  @Test
  void parse_cardsAndTpDisagree_isAnError() {
    assertThatThrownBy(() -> DeviceSpec.parse("a10+a30:tp=3"))
        .hasMessage(
            "device 'a10+a30:tp=3': names 2 cards but tp=3; leave tp away, or name one card");
  }
}
