package io.fusespill.cuda.blas;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Graph;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.ElementType;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products on a real GPU against sums in double on the CPU.
@Tag("gpu")
final class CublasLtTest {

  private Context context;
  private CublasLt blas;
  private Stream stream;

  @BeforeEach
  void open() {
    context = Context.open(0);
    blas = CublasLt.open(context);
    stream = context.stream("products");
  }

  @AfterEach
  void close() {
    stream.close();
    blas.close();
    context.close();
  }

  private static short bits(ElementType type, float value) {
    return type == ElementType.F16
        ? Float.floatToFloat16(value)
        : (short)
            (Float.floatToRawIntBits(value) + 0x7fff + (Float.floatToRawIntBits(value) >>> 16 & 1)
                >>> 16);
  }

  private static float value(ElementType type, short bits) {
    return type == ElementType.F16
        ? Float.float16ToFloat(bits)
        : Float.intBitsToFloat((bits & 0xffff) << 16);
  }

  /// A matrix on the device, with what it holds.
  private final class Matrix implements AutoCloseable {

    final ElementType type;
    final float[] values;
    final DeviceBuffer device;
    final PinnedBuffer host;

    Matrix(ElementType type, int count, Random random) {
      this.type = type;
      values = new float[count];
      device = context.allocate((long) count * type.bytes(), "matrix");
      host = context.allocatePinned((long) count * type.bytes(), "matrix");
      for (int i = 0; i < count; i++) {
        float drawn = (float) random.nextGaussian();
        if (type == ElementType.F32) {
          values[i] = drawn;
          host.memory().setAtIndex(JAVA_FLOAT, i, drawn);
        } else {
          short stored = bits(type, drawn);
          values[i] = value(type, stored);
          host.memory().setAtIndex(JAVA_SHORT, i, stored);
        }
      }
      stream.copyToDevice(device.address(), host.address(), host.bytes());
    }

    float[] read() {
      stream.copyToHost(host.address(), device.address(), host.bytes());
      stream.synchronize();
      float[] read = new float[values.length];
      for (int i = 0; i < read.length; i++) {
        read[i] =
            type == ElementType.F32
                ? host.memory().getAtIndex(JAVA_FLOAT, i)
                : value(type, host.memory().getAtIndex(JAVA_SHORT, i));
      }
      return read;
    }

    @Override
    public void close() {
      device.close();
      host.close();
    }
  }

  private static double[] expected(LinearShape shape, Matrix x, Matrix w, Matrix bias, Matrix y) {
    double[] sums = new double[shape.rows() * shape.outputs()];
    for (int row = 0; row < shape.rows(); row++) {
      for (int output = 0; output < shape.outputs(); output++) {
        double sum = shape.bias() ? bias.values[output] : 0;
        sum += shape.accumulate() ? y.values[row * shape.outputs() + output] : 0;
        for (int i = 0; i < shape.inputs(); i++) {
          sum +=
              (double) x.values[row * shape.inputs() + i] * w.values[output * shape.inputs() + i];
        }
        sums[row * shape.outputs() + output] = sum;
      }
    }
    return sums;
  }

  private static double relativeError(float[] got, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < got.length; i++) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 256, 512, BF16, BF16, false, false",
    "1, 8, 8, F16, F16, false, false",
    "7, 136, 264, BF16, F32, false, false",
    "32, 1024, 512, BF16, BF16, true, false",
    "33, 512, 1024, F16, F16, true, false",
    "64, 512, 512, F16, F32, false, true",
    "128, 384, 640, BF16, BF16, false, true",
    "5, 256, 256, BF16, F32, true, false",
    "200, 256, 256, F16, F16, true, true"
  })
  void products_areThoseOfTheCpu(
      int rows,
      int outputs,
      int inputs,
      ElementType type,
      ElementType output,
      boolean withBias,
      boolean accumulate) {
    LinearShape shape = new LinearShape(rows, outputs, inputs, type, output, withBias, accumulate);
    Random random = new Random(rows * 31L + outputs);
    try (Matrix x = new Matrix(type, rows * inputs, random);
        Matrix w = new Matrix(type, outputs * inputs, random);
        Matrix bias = new Matrix(output, outputs, random);
        Matrix y = new Matrix(output, rows * outputs, random)) {
      double[] expected = expected(shape, x, w, bias, y);
      blas.linear(
          stream,
          shape,
          x.device.address(),
          w.device.address(),
          withBias ? bias.device.address() : 0,
          y.device.address());
      double error = relativeError(y.read(), expected);
      assertThat(error)
          .isLessThan(output == ElementType.F32 ? 1e-5 : type == ElementType.F16 ? 1e-3 : 5e-3);
    }
  }

  @Test
  void products_runInGraphs() {
    LinearShape shape = LinearShape.of(16, 256, 256, ElementType.BF16, ElementType.F32);
    LinearShape adding =
        new LinearShape(16, 256, 256, ElementType.BF16, ElementType.F32, false, true);
    Random random = new Random(1);
    try (Matrix x = new Matrix(ElementType.BF16, 16 * 256, random);
        Matrix w = new Matrix(ElementType.BF16, 256 * 256, random);
        Matrix y = new Matrix(ElementType.F32, 16 * 256, random)) {
      double[] once = expected(shape, x, w, w, y);
      stream.synchronize();
      try (Graph graph =
          stream.capture(
              "twice",
              () -> {
                blas.linear(
                    stream, shape, x.device.address(), w.device.address(), 0, y.device.address());
                blas.linear(
                    stream, adding, x.device.address(), w.device.address(), 0, y.device.address());
              })) {
        graph.launch(stream);
        graph.launch(stream);
        float[] got = y.read();
        for (int i = 0; i < once.length; i++) {
          once[i] *= 2;
        }
        assertThat(relativeError(got, once)).isLessThan(1e-5);
      }
    }
  }

  @Test
  void bias_mustFitTheShape() {
    LinearShape shape = LinearShape.of(8, 8, 8, ElementType.BF16, ElementType.BF16);
    assertThatThrownBy(() -> blas.linear(stream, shape, 256, 256, 256, 256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x100");
  }

  @Test
  void library_tellsItsVersion() {
    assertThat(blas.version()).matches("1[23]\\.\\d+\\.\\d+");
    assertThat(blas.library()).exists();
  }
}
