package io.fusespill.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LaunchShapeTest {

  @ParameterizedTest
  @CsvSource({
    "0, 1, 1, 32, 1, 1, 0, 1, 0 x 1 x 1",
    "1, 65536, 1, 32, 1, 1, 0, 1, 1 x 65536 x 1",
    "1, 1, 65536, 32, 1, 1, 0, 1, 1 x 1 x 65536",
    "1, 1, 1, 0, 1, 1, 0, 1, 0 x 1 x 1",
    "1, 1, 1, 1025, 1, 1, 0, 1, 1025 x 1 x 1",
    "1, 1, 1, 32, 8, 8, 0, 1, 32 x 8 x 8",
    "1, 1, 1, 65536, 65536, 1, 0, 1, 65536 x 65536 x 1",
    "1, 1, 1, 32, 1, 1, -1, 1, -1",
    "1, 1, 1, 32, 1, 1, 0, 0, got 0",
    "16, 1, 1, 32, 1, 1, 0, 16, got 16",
    "3, 1, 1, 32, 1, 1, 0, 2, 3 be a multiple"
  })
  void illegalShapes_areNamed(
      int gridX, int gridY, int gridZ, int x, int y, int z, int shared, int cluster, String named) {
    assertThatThrownBy(() -> new LaunchShape(gridX, gridY, gridZ, x, y, z, shared, cluster))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(named);
  }

  @Test
  void arguments_fitByNumberAndSize() {
    Arguments arguments = new Arguments().pointer(1).int32(2).float32(3).int64(4);
    assertThat(arguments.fit(new int[] {8, 4, 4, 8})).isTrue();
    assertThat(arguments.fit(new int[] {8, 4, 4})).isFalse();
    assertThat(arguments.fit(new int[] {8, 4, 8, 8})).isFalse();
    assertThat(arguments).hasToString("[8, 4, 4, 8]");
    assertThat(arguments.clear().int32(1).fit(new int[] {4})).isTrue();
  }

  @Test
  void arguments_moreThanFit_areRefused() {
    Arguments arguments = new Arguments();
    for (int i = 0; i < Arguments.LARGEST; i++) {
      arguments.int32(i);
    }
    assertThatThrownBy(() -> arguments.int32(0)).isInstanceOf(IllegalStateException.class);
  }
}
