package io.fusespill.host.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Products against sums in double, for numbers of rows and columns that are multiples of nothing.
final class LinearTest {

  private static final int COLUMNS = 3 * Rows.GRAIN + 5;
  private static final int STRIDE = Rows.padded(COLUMNS);

  /// Rows of activations: few, and more than one block of them.
  private static final int[] COUNTS = {1, 2, 3, 4, 9, 131};

  private final SplittableRandom random = new SplittableRandom(11);
  private final Arena arena = Arena.ofConfined();
  private Linear linear;

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({"F32, true", "F32, false", "F16, true", "F16, false", "BF16, true", "BF16, false"})
  void multiply_isTheSumOfProducts_howeverTheRowsAreShared(ElementType type, boolean beside) {
    linear = new Linear(arena, beside);
    for (int rows : new int[] {1, 2, 3, 4, 7, 8, 22}) {
      Weights weights = new Weights(type, rows);
      long bias = vector(rows);
      for (int count : COUNTS) {
        Input input = new Input(count, weights.matrix.packed());
        for (boolean add : new boolean[] {false, true}) {
          for (int split = 0; split < rows; split += 3) {
            long output = vector(count * rows);
            double[] before = floats(output, count * rows);
            multiply(weights, 0, split, input, bias, output, add);
            multiply(weights, split, rows, input, bias, output, add);
            for (int i = 0; i < count; i++) {
              for (int row = 0; row < rows; row++) {
                double expected =
                    weights.product(row, input, i)
                        + Memory.getFloat(bias + 4L * row)
                        + (add ? before[i * rows + row] : 0);
                assertThat((double) Memory.getFloat(output + 4L * (i * rows + row)))
                    .as("%s, %d rows, split at %d, product %d of %d", type, rows, split, row, i)
                    .isCloseTo(expected, within(1e-4));
              }
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, true", "F32, false", "F16, true", "F16, false", "BF16, true", "BF16, false"})
  void gated_isSiluOfTheGateTimesUp(ElementType type, boolean beside) {
    linear = new Linear(arena, beside);
    int rows = 256 + 2 * Rows.GRAIN + 6;
    Weights gate = new Weights(type, rows);
    Weights up = new Weights(type, rows);
    long gateBias = vector(rows);
    long upBias = vector(rows);
    for (int count : COUNTS) {
      Input input = new Input(count, gate.matrix.packed());
      for (boolean packed : new boolean[] {false, true}) {
        int stride = Rows.padded(rows);
        long output = vector(count * stride);
        for (int[] part : new int[][] {{0, Rows.GRAIN}, {Rows.GRAIN, rows}}) {
          linear.gated(
              gate.matrix,
              up.matrix,
              part[0],
              part[1],
              input.address,
              4L * STRIDE,
              count,
              gateBias,
              upBias,
              output,
              4L * stride,
              packed);
        }
        for (int i = 0; i < count; i++) {
          for (int row = 0; row < rows; row++) {
            double g = gate.product(row, input, i) + Memory.getFloat(gateBias + 4L * row);
            double u = up.product(row, input, i) + Memory.getFloat(upBias + 4L * row);
            int at = i * stride + (packed ? Rows.packedIndex(row) : row);
            assertThat((double) Memory.getFloat(output + 4L * at))
                .as("%s, %d of %d", type, row, i)
                .isCloseTo(g / (1 + Math.exp(-g)) * u, within(1e-3));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void multiply_givesTheSameBits_whereverTheRowsLie(ElementType type) {
    int rows = 22;
    Weights weights = new Weights(type, rows);
    for (int count : COUNTS) {
      Input input = new Input(count, weights.matrix.packed());
      long[] outputs = new long[2];
      for (int i = 0; i < 2; i++) {
        linear = new Linear(arena, i == 0);
        outputs[i] = vector(count * rows);
        multiply(weights, 0, rows, input, 0, outputs[i], false);
      }
      assertThat(floats(outputs[0], count * rows)).isEqualTo(floats(outputs[1], count * rows));
    }
  }

  private void multiply(
      Weights weights, int from, int to, Input input, long bias, long output, boolean add) {
    linear.multiply(
        weights.matrix,
        from,
        to,
        input.address,
        4L * STRIDE,
        input.count,
        bias,
        output,
        4L * weights.matrix.rows(),
        add);
  }

  private final class Weights {
    final Matrix matrix;
    final List<double[]> rows = new ArrayList<>();

    Weights(ElementType type, int count) {
      MemorySegment data = arena.allocate((long) count * COLUMNS * type.bytes(), 64);
      for (int row = 0; row < count; row++) {
        double[] values = new double[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
          values[i] = put(data, type, (long) row * COLUMNS + i, number());
        }
        rows.add(values);
      }
      matrix = Matrix.of(new Tensor("weights", type, count, COLUMNS, data), type, arena);
    }

    double product(int row, Input input, int i) {
      double sum = 0;
      for (int column = 0; column < COLUMNS; column++) {
        sum += rows.get(row)[column] * input.rows.get(i)[column];
      }
      return sum;
    }
  }

  private final class Input {
    final int count;
    final long address;
    final List<double[]> rows = new ArrayList<>();

    Input(int count, boolean packed) {
      this.count = count;
      address = arena.allocate(4L * STRIDE * count, 64).address();
      for (int row = 0; row < count; row++) {
        double[] values = new double[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
          float value = number();
          values[i] = value;
          int at = row * STRIDE + (packed ? Rows.packedIndex(i) : i);
          Memory.putFloat(address + 4L * at, value);
        }
        rows.add(values);
      }
    }
  }

  /// Writes a number as that type, and returns what it is then.
  private static double put(MemorySegment data, ElementType type, long index, float value) {
    return switch (type) {
      case F32 -> {
        data.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
        yield value;
      }
      case F16 -> {
        short half = Float.floatToFloat16(value);
        data.setAtIndex(ValueLayout.JAVA_SHORT, index, half);
        yield Float.float16ToFloat(half);
      }
      case BF16 -> {
        int upper = Float.floatToRawIntBits(value) >>> 16;
        data.setAtIndex(ValueLayout.JAVA_SHORT, index, (short) upper);
        yield Float.intBitsToFloat(upper << 16);
      }
    };
  }

  /// Random numbers, not zeros, so that what is left unwritten shows.
  private long vector(int count) {
    long address = arena.allocate(4L * count, 64).address();
    for (int i = 0; i < count; i++) {
      Memory.putFloat(address + 4L * i, number());
    }
    return address;
  }

  private static double[] floats(long address, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = Memory.getFloat(address + 4L * i);
    }
    return values;
  }

  private float number() {
    return (float) (2 * random.nextDouble() - 1);
  }
}
