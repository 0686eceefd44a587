package io.fusespill.cuda.blas;

import static io.fusespill.host.checkpoint.ElementType.BF16;
import static io.fusespill.host.checkpoint.ElementType.F16;
import static io.fusespill.host.checkpoint.ElementType.F32;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.checkpoint.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LinearShapeTest {

  @ParameterizedTest
  @CsvSource({"0, 8, 8, 0", "1, 0, 8, 0", "1, 12, 8, 12", "1, 8, 7, 7", "1, 8, -8, -8"})
  void illegalSizes_areNamed(int rows, int outputs, int inputs, String named) {
    assertThatThrownBy(() -> LinearShape.of(rows, outputs, inputs, BF16, BF16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got " + named);
  }

  @Test
  void illegalTypes_areNamed() {
    assertThatThrownBy(() -> LinearShape.of(1, 8, 8, F32, F32)).hasMessageContaining("F32");
    ElementType other = F16;
    assertThatThrownBy(() -> LinearShape.of(1, 8, 8, BF16, other)).hasMessageContaining("F16");
  }
}
