package io.fusespill.cuda.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.kernel.Convert;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.random.CounterRandom;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenCounts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Each kernel on a real GPU against sums in double on the CPU, over outputs that were poisoned.
@Tag("gpu")
final class KernelsTest {

  private static final ElementType F32 = ElementType.F32;

  private final Random random = new Random(7);
  private Gpu gpu;

  @BeforeEach
  void open() {
    gpu = new Gpu();
  }

  @AfterEach
  void close() {
    gpu.close();
  }

  private static double tolerance(ElementType type) {
    return switch (type) {
      case F32 -> 1e-5;
      case F16 -> 2e-3;
      case BF16 -> 1e-2;
    };
  }

  private static void assertClose(float[] got, double[] expected, double tolerance) {
    assertThat(got).hasSameSizeAs(expected);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < got.length; i++) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    assertThat(Math.sqrt(difference / Math.max(norm, 1e-30))).isLessThan(tolerance);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void embed_takesRowsOfTheTable_zerosForPadding(ElementType type) {
    int hidden = 72;
    Gpu.Numbers table = gpu.random(random, type, 10 * hidden, 1);
    Gpu.Numbers residual = gpu.poisoned(F32, 3 * hidden);
    Kernels kernels = gpu.kernels(type);
    kernels.embed(gpu.stream, gpu.ints(9, -1, 4), table.address(), residual.address(), 3, hidden);
    float[] got = residual.read();
    for (int i = 0; i < hidden; i++) {
      assertThat(got[i]).isEqualTo(table.values[9 * hidden + i]);
      assertThat(got[hidden + i]).isZero();
      assertThat(got[2 * hidden + i]).isEqualTo(table.values[4 * hidden + i]);
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, 4096", "F16, 9216", "F16, 72", "BF16, 100"})
  void rmsNorm_normalises(ElementType type, int hidden) {
    int rows = 5;
    Gpu.Numbers residual = gpu.random(random, F32, rows * hidden, 3);
    Gpu.Numbers weight = gpu.random(random, F32, hidden, 1);
    Gpu.Numbers out = gpu.poisoned(type, rows * hidden);
    gpu.kernels(type)
        .rmsNorm(
            gpu.stream,
            residual.address(),
            weight.address(),
            out.address(),
            0,
            rows,
            hidden,
            1e-5f);
    double[] input =
        IntStream.range(0, rows * hidden).mapToDouble(i -> residual.values[i]).toArray();
    assertClose(out.read(), normalised(input, weight.values, hidden), tolerance(type));
    assertThat(residual.read()).isEqualTo(residual.values);
  }

  private static double[] normalised(double[] x, float[] weight, int width) {
    double[] out = new double[x.length];
    for (int from = 0; from < x.length; from += width) {
      double squares = 0;
      for (int i = 0; i < width; i++) {
        squares += x[from + i] * x[from + i];
      }
      double scale = 1 / Math.sqrt(squares / width + 1e-5);
      for (int i = 0; i < width; i++) {
        out[from + i] = x[from + i] * scale * weight[i];
      }
    }
    return out;
  }

  @Test
  void rmsNorm_takesTheRowsOfTheIndex() {
    int hidden = 64;
    int[] index = {2, 0, -1, 2};
    Gpu.Numbers residual = gpu.random(random, F32, 3 * hidden, 1);
    Gpu.Numbers weight = gpu.random(random, F32, hidden, 1);
    Gpu.Numbers out = gpu.poisoned(ElementType.BF16, index.length * hidden);
    gpu.kernels(ElementType.BF16)
        .rmsNorm(
            gpu.stream,
            residual.address(),
            weight.address(),
            out.address(),
            gpu.ints(index),
            index.length,
            hidden,
            1e-5f);
    double[] rows = new double[index.length * hidden];
    for (int row = 0; row < index.length; row++) {
      for (int i = 0; i < hidden; i++) {
        rows[row * hidden + i] = index[row] < 0 ? 0 : residual.values[index[row] * hidden + i];
      }
    }
    assertClose(out.read(), normalised(rows, weight.values, hidden), tolerance(ElementType.BF16));
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, 8, 2, 128, 16, true, true",
    "F16, 4, 4, 64, 8, false, false",
    "BF16, 6, 2, 20, 32, true, false",
    "F16, 3, 1, 16, 16, false, true"
  })
  void ropeWriteKv_rotatesAndWritesToTheSlots(
      ElementType type,
      int heads,
      int kvHeads,
      int headDim,
      int blockTokens,
      boolean withBias,
      boolean withNorm) {
    int layer = 1;
    int poolBlocks = 3;
    KvShape kv = new KvShape(2, kvHeads, headDim, blockTokens, type);
    AttentionShape shape = new AttentionShape(heads, kv);
    int width = shape.inputWidth();
    int[] positions = {5, 0, 6, 2};
    int[] slots = {2 * blockTokens + 5, blockTokens, -1, blockTokens + 7};
    Gpu.Numbers qkv = gpu.random(random, type, positions.length * width, 1);
    Gpu.Numbers bias = gpu.random(random, F32, width, 0.5);
    Gpu.Numbers queryNorm = gpu.random(random, F32, headDim, 1);
    Gpu.Numbers keyNorm = gpu.random(random, F32, headDim, 1);
    Gpu.Numbers cosSin = gpu.random(random, F32, 8 * headDim, 1);
    int poolNumbers = (int) (poolBlocks * kv.blockBytes() / type.bytes());
    Gpu.Numbers pool = gpu.poisoned(type, poolNumbers);
    gpu.kernels(type)
        .ropeWriteKv(
            gpu.stream,
            shape,
            layer,
            qkv.address(),
            withBias ? bias.address() : 0,
            withNorm ? queryNorm.address() : 0,
            withNorm ? keyNorm.address() : 0,
            cosSin.address(),
            gpu.ints(positions),
            gpu.ints(slots),
            pool.address(),
            positions.length,
            1e-5f);
    double[] inPlace = new double[positions.length * width];
    double[] inPool = new double[poolNumbers];
    Arrays.fill(inPool, Double.NaN);
    for (int row = 0; row < positions.length; row++) {
      for (int head = 0; head < heads + 2 * kvHeads; head++) {
        int from = row * width + head * headDim;
        double[] x = new double[headDim];
        for (int i = 0; i < headDim; i++) {
          x[i] = qkv.values[from + i] + (withBias ? bias.values[head * headDim + i] : 0);
        }
        boolean query = head < heads;
        boolean value = head >= heads + kvHeads;
        if (!value) {
          float[] norm = query ? queryNorm.values : keyNorm.values;
          x = rotated(withNorm ? normalised(x, norm, headDim) : x, cosSin, positions[row]);
        }
        for (int i = 0; i < headDim; i++) {
          inPlace[from + i] = query || slots[row] < 0 ? x[i] : qkv.values[from + i];
          if (!query && slots[row] >= 0) {
            long at =
                value ? kv.values(layer, head - heads - kvHeads) : kv.keys(layer, head - heads);
            at += slots[row] / blockTokens * kv.blockBytes();
            inPool[(int) (at / type.bytes()) + slots[row] % blockTokens * headDim + i] = x[i];
          }
        }
      }
    }
    assertClose(qkv.read(), inPlace, tolerance(type));
    float[] got = pool.read();
    double[] gotWritten = new double[poolNumbers];
    for (int i = 0; i < poolNumbers; i++) {
      assertThat(Float.isNaN(got[i]))
          .as("number %d of the pool", i)
          .isEqualTo(Double.isNaN(inPool[i]));
      if (Float.isNaN(got[i])) {
        got[i] = 0;
      } else {
        gotWritten[i] = inPool[i];
      }
    }
    assertClose(got, gotWritten, tolerance(type));
  }

  private static double[] rotated(double[] x, Gpu.Numbers cosSin, int position) {
    int half = x.length / 2;
    double[] out = new double[x.length];
    for (int i = 0; i < half; i++) {
      double cosine = cosSin.values[position * x.length + i];
      double sine = cosSin.values[position * x.length + half + i];
      out[i] = x[i] * cosine - x[half + i] * sine;
      out[half + i] = x[half + i] * cosine + x[i] * sine;
    }
    return out;
  }

  /// A pool of random keys and values, in which not-a-numbers lie past each context.
  private final class Contexts {

    final AttentionShape shape;
    final int[][] tables;
    final Gpu.Numbers pool;
    final int stride;

    Contexts(AttentionShape shape, int... contexts) {
      this.shape = shape;
      KvShape kv = shape.kv();
      int blocks = Arrays.stream(contexts).map(kv::blocks).sum();
      List<Integer> free = new ArrayList<>();
      for (int i = 0; i < blocks; i++) {
        free.add(i);
      }
      Collections.shuffle(free, random);
      tables = new int[contexts.length][];
      float[] numbers = new float[(int) (blocks * kv.blockBytes() / kv.type().bytes())];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (float) random.nextGaussian();
      }
      int longest = 1;
      for (int row = 0; row < contexts.length; row++) {
        tables[row] = new int[kv.blocks(contexts[row])];
        for (int i = 0; i < tables[row].length; i++) {
          tables[row][i] = free.removeLast();
        }
        longest = Math.max(longest, tables[row].length);
        for (int token = contexts[row]; token < tables[row].length * kv.blockTokens(); token++) {
          for (int head = 0; head < kv.kvHeads(); head++) {
            int key = at(row, head, token, false);
            int value = at(row, head, token, true);
            Arrays.fill(numbers, key, key + kv.headDim(), Float.NaN);
            Arrays.fill(numbers, value, value + kv.headDim(), Float.NaN);
          }
        }
      }
      stride = longest + 3;
      pool = gpu.of(kv.type(), numbers);
    }

    /// Where a key or value of layer 1 begins in the pool.
    int at(int row, int head, int token, boolean value) {
      KvShape kv = shape.kv();
      long bytes = tables[row][token / kv.blockTokens()] * kv.blockBytes();
      bytes += value ? kv.values(1, head) : kv.keys(1, head);
      return (int) (bytes / kv.type().bytes()) + token % kv.blockTokens() * kv.headDim();
    }

    long tableAddress() {
      int[] all = new int[tables.length * stride];
      Arrays.fill(all, 1 << 28);
      for (int row = 0; row < tables.length; row++) {
        System.arraycopy(tables[row], 0, all, row * stride, tables[row].length);
      }
      return gpu.ints(all);
    }

    /// The output of a query over the first `context` tokens of a row's table.
    void attend(float[] qkv, int from, int row, int context, double[] out, int to) {
      int headDim = shape.headDim();
      for (int head = 0; head < shape.heads(); head++) {
        int kvHead = head / (shape.heads() / shape.kvHeads());
        double[] weights = new double[context];
        double total = 0;
        for (int token = 0; token < context; token++) {
          int key = at(row, kvHead, token, false);
          double dot = 0;
          for (int i = 0; i < headDim; i++) {
            dot += (double) qkv[from + head * headDim + i] * pool.values[key + i];
          }
          weights[token] = Math.exp(dot / Math.sqrt(headDim));
          total += weights[token];
        }
        for (int token = 0; token < context; token++) {
          int value = at(row, kvHead, token, true);
          for (int i = 0; i < headDim; i++) {
            out[to + head * headDim + i] += weights[token] / total * pool.values[value + i];
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, 8, 8, 128, 16, 0",
    "BF16, 8, 2, 128, 16, 5",
    "F16, 6, 2, 64, 8, 3",
    "BF16, 4, 1, 32, 32, 1",
    "F16, 12, 1, 16, 16, 4",
    "BF16, 6, 3, 20, 16, 2"
  })
  void attendDecode_isAttention(
      ElementType type, int heads, int kvHeads, int headDim, int blockTokens, int splits) {
    AttentionShape shape =
        new AttentionShape(heads, new KvShape(2, kvHeads, headDim, blockTokens, type));
    int[] contexts = {700, 0, 1, 17, 130};
    Contexts kv = new Contexts(shape, contexts);
    Gpu.Numbers qkv = gpu.random(random, type, contexts.length * shape.inputWidth(), 1);
    Gpu.Numbers out = gpu.poisoned(type, contexts.length * shape.queryWidth());
    int cut = splits > 0 ? splits : Kernels.splits(gpu.context.gpu(), shape, contexts.length, 700);
    long partialBytes = Kernels.partialBytes(shape, contexts.length, cut);
    Gpu.Numbers partial = gpu.poisoned(F32, 1 + (int) (partialBytes / 4));
    gpu.kernels(type)
        .attendDecode(
            gpu.stream,
            shape,
            1,
            qkv.address(),
            kv.pool.address(),
            kv.tableAddress(),
            kv.stride,
            gpu.ints(contexts),
            out.address(),
            partial.address(),
            contexts.length,
            cut,
            false);
    double[] expected = new double[contexts.length * shape.queryWidth()];
    for (int row = 0; row < contexts.length; row++) {
      kv.attend(
          qkv.values,
          row * shape.inputWidth(),
          row,
          contexts[row],
          expected,
          row * shape.queryWidth());
    }
    assertClose(out.read(), expected, tolerance(type));
  }

  /// The last token of each context comes from the launch before, behind something slow, and
  /// nothing lies between the launches: decodes may begin with earlier tokens, but must wait for
  /// that one.
  @ParameterizedTest
  @CsvSource({
    "BF16, 8, 8, 128, 16, 1",
    "F16, 8, 2, 128, 16, 4",
    "BF16, 8, 2, 64, 32, 1",
    "F16, 4, 4, 64, 16, 3",
    "BF16, 4, 1, 32, 16, 1"
  })
  void attendDecode_behindTheRotation_waitsForTheNewToken(
      ElementType type, int heads, int kvHeads, int headDim, int blockTokens, int splits) {
    AttentionShape shape =
        new AttentionShape(heads, new KvShape(2, kvHeads, headDim, blockTokens, type));
    int[] contexts = {700, 1, 16, 17, 32, 33, 128, 129};
    int rows = contexts.length;
    Contexts kv = new Contexts(shape, contexts);
    float[] qkv = gpu.random(random, type, rows * shape.inputWidth(), 1).values.clone();
    float[] without = kv.pool.values.clone();
    int[] slots = new int[rows];
    for (int row = 0; row < rows; row++) {
      int last = contexts[row] - 1;
      slots[row] = kv.tables[row][last / blockTokens] * blockTokens + last % blockTokens;
      for (int head = 0; head < kvHeads; head++) {
        int from = row * shape.inputWidth() + (heads + head) * headDim;
        int key = kv.at(row, head, last, false);
        int value = kv.at(row, head, last, true);
        System.arraycopy(kv.pool.values, key, qkv, from, headDim);
        System.arraycopy(kv.pool.values, value, qkv, from + kvHeads * headDim, headDim);
        Arrays.fill(without, key, key + headDim, Float.NaN);
        Arrays.fill(without, value, value + headDim, Float.NaN);
      }
    }
    double[] expected = new double[rows * shape.queryWidth()];
    for (int row = 0; row < rows; row++) {
      kv.attend(
          qkv, row * shape.inputWidth(), row, contexts[row], expected, row * shape.queryWidth());
    }
    // Cosines of 1 and sines of 0 leave keys as they are.
    float[] still = new float[headDim];
    Arrays.fill(still, 0, headDim / 2, 1);
    Gpu.Numbers cosSin = gpu.of(F32, still);
    Gpu.Numbers slowFrom = gpu.poisoned(F32, 1 << 22);
    Gpu.Numbers slowTo = gpu.poisoned(type, slowFrom.values.length);
    Gpu.Numbers partial =
        gpu.poisoned(F32, 1 + (int) (Kernels.partialBytes(shape, rows, splits) / 4));
    long positions = gpu.ints(new int[rows]);
    long slotAddress = gpu.ints(slots);
    long lengths = gpu.ints(contexts);
    long tables = kv.tableAddress();
    Kernels kernels = gpu.kernels(type);
    for (int repeat = 0; repeat < 10; repeat++) {
      Gpu.Numbers written = gpu.of(type, qkv);
      Gpu.Numbers pool = gpu.of(type, without);
      Gpu.Numbers out = gpu.poisoned(type, expected.length);
      Gpu.Numbers read = gpu.poisoned(F32, expected.length);
      kernels.narrow(gpu.stream, slowFrom.address(), slowTo.address(), slowFrom.values.length);
      kernels.ropeWriteKv(
          gpu.stream,
          shape,
          1,
          written.address(),
          0,
          0,
          0,
          cosSin.address(),
          positions,
          slotAddress,
          pool.address(),
          rows,
          1e-5f);
      kernels.attendDecode(
          gpu.stream,
          shape,
          1,
          written.address(),
          pool.address(),
          tables,
          kv.stride,
          lengths,
          out.address(),
          partial.address(),
          rows,
          splits,
          false);
      kernels.widen(gpu.stream, out.address(), read.address(), expected.length);
      assertClose(read.read(), expected, tolerance(type));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, 8, 8, 128, 16",
    "F16, 8, 2, 64, 8",
    "BF16, 4, 1, 32, 32",
    "F16, 3, 1, 16, 16",
    "BF16, 6, 3, 20, 16"
  })
  void attendPrefill_isCausalAttention(
      ElementType type, int heads, int kvHeads, int headDim, int blockTokens) {
    AttentionShape shape =
        new AttentionShape(heads, new KvShape(2, kvHeads, headDim, blockTokens, type));
    int[] rows = {1, 300, 40};
    int[] starts = {90, 0, 33};
    Contexts kv = new Contexts(shape, 91, 300, 73);
    int all = Arrays.stream(rows).sum();
    Gpu.Numbers qkv = gpu.random(random, type, all * shape.inputWidth(), 1);
    Gpu.Numbers out = gpu.poisoned(type, all * shape.queryWidth());
    int[] entries = {0, 1, 90, 0, 1, 300, 0, 1, 301, 40, 33, 2};
    int[] tiles = {1, 256, 1, 128, 1, 0, -1, 0, 0, 0, 2, 0};
    gpu.kernels(type)
        .attendPrefill(
            gpu.stream,
            shape,
            1,
            qkv.address(),
            kv.pool.address(),
            kv.tableAddress(),
            kv.stride,
            gpu.ints(entries),
            gpu.ints(tiles),
            out.address(),
            tiles.length / 2);
    double[] expected = new double[all * shape.queryWidth()];
    int row = 0;
    for (int entry = 0; entry < rows.length; entry++) {
      for (int i = 0; i < rows[entry]; i++) {
        kv.attend(
            qkv.values,
            row * shape.inputWidth(),
            entry,
            starts[entry] + i + 1,
            expected,
            row * shape.queryWidth());
        row++;
      }
    }
    assertClose(out.read(), expected, tolerance(type));
  }

  /// A short piece of a long prompt, which takes longer than the decodes. Nothing lies between the
  /// launches, and what reads the results begins early, too: so it has to wait for both. And what
  /// both read is written last, behind something slow: decodes must not begin before that.
  @ParameterizedTest
  @CsvSource({"BF16, 8, 8, 128, 16, 1", "F16, 8, 2, 64, 8, 4", "BF16, 6, 3, 20, 16, 1"})
  void attendDecode_besidePrefill_bothAreAttention(
      ElementType type, int heads, int kvHeads, int headDim, int blockTokens, int splits) {
    AttentionShape shape =
        new AttentionShape(heads, new KvShape(2, kvHeads, headDim, blockTokens, type));
    int[] contexts = {700, 1, 17, 130, 333};
    int start = 3_000;
    int prompt = 59;
    int rows = contexts.length + prompt;
    int width = shape.queryWidth();
    Contexts kv = new Contexts(shape, 700, 1, 17, 130, 333, start + prompt);
    Gpu.Numbers qkv = gpu.random(random, type, rows * shape.inputWidth(), 1);
    Gpu.Numbers wideQkv = gpu.of(F32, qkv.values.clone());
    Gpu.Numbers slowFrom = gpu.poisoned(F32, 1 << 22);
    Gpu.Numbers slowTo = gpu.poisoned(type, slowFrom.values.length);
    double[][] expected = new double[rows][width];
    for (int row = 0; row < rows; row++) {
      int table = Math.min(row, contexts.length);
      int context = row < contexts.length ? contexts[row] : start + row - contexts.length + 1;
      kv.attend(qkv.values, row * shape.inputWidth(), table, context, expected[row], 0);
    }
    long partialBytes = Kernels.partialBytes(shape, contexts.length, splits);
    Gpu.Numbers partial = gpu.poisoned(F32, 1 + (int) (partialBytes / 4));
    long entries = gpu.ints(contexts.length, prompt, start, contexts.length);
    long tiles = gpu.ints(0, 0);
    long lengths = gpu.ints(contexts);
    long tables = kv.tableAddress();
    Kernels kernels = gpu.kernels(type);
    for (int repeat = 0; repeat < 10; repeat++) {
      Gpu.Numbers out = gpu.poisoned(type, rows * width);
      Gpu.Numbers read = gpu.poisoned(F32, rows * width);
      Gpu.Numbers written = gpu.poisoned(type, qkv.values.length);
      kernels.narrow(gpu.stream, slowFrom.address(), slowTo.address(), slowFrom.values.length);
      kernels.narrow(gpu.stream, wideQkv.address(), written.address(), qkv.values.length);
      kernels.attendPrefill(
          gpu.stream,
          shape,
          1,
          written.address(),
          kv.pool.address(),
          tables,
          kv.stride,
          entries,
          tiles,
          out.address(),
          1);
      kernels.attendDecode(
          gpu.stream,
          shape,
          1,
          written.address(),
          kv.pool.address(),
          tables,
          kv.stride,
          lengths,
          out.address(),
          partial.address(),
          contexts.length,
          splits,
          true);
      kernels.widen(gpu.stream, out.address(), read.address(), rows * width);
      float[] got = read.read();
      for (int row = 0; row < rows; row++) {
        float[] one = Arrays.copyOfRange(got, row * width, (row + 1) * width);
        assertClose(one, expected[row], 2 * tolerance(type));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, 11008", "F16, 172"})
  void swiglu_gates(ElementType type, int inner) {
    int rows = 3;
    Gpu.Numbers gateUp = gpu.random(random, type, rows * 2 * inner, 2);
    Gpu.Numbers out = gpu.poisoned(type, rows * inner);
    gpu.kernels(type).swiglu(gpu.stream, gateUp.address(), out.address(), rows, inner);
    double[] expected = new double[rows * inner];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < inner; i++) {
        double gate = gateUp.values[row * 2 * inner + i];
        double up = gateUp.values[row * 2 * inner + inner + i];
        expected[row * inner + i] = gate / (1 + Math.exp(-gate)) * up;
      }
    }
    assertClose(out.read(), expected, tolerance(type));
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, STORE, 1, 4096, 1024, true",
    "F16, STORE, 7, 200, 264, false",
    "BF16, STORE_FLOAT, 16, 600, 512, false",
    "F16, STORE_FLOAT, 24, 1001, 128, true",
    "BF16, GATED, 48, 172, 512, true",
    "F16, GATED, 64, 344, 72, false",
    "BF16, ADD, 5, 512, 2048, true",
    "F16, ADD, 64, 96, 8, false",
    // On 132 multiprocessors each of these takes another of the kernels, or shares tiles.
    "BF16, STORE, 8, 12288, 72, true",
    "F16, ADD, 5, 6144, 136, true",
    "F16, STORE, 16, 12288, 72, false",
    "BF16, GATED, 13, 14336, 72, true",
    "BF16, STORE, 32, 12288, 72, false",
    "F16, ADD, 31, 6144, 264, true",
    "BF16, GATED, 25, 11008, 72, false",
    "F16, STORE_FLOAT, 32, 28672, 72, true",
    "BF16, ADD, 30, 4096, 392, false",
    // Kernels for more rows, where the GPU has them: long sums, tails of rows, columns and sums.
    "BF16, STORE, 33, 12288, 72, true",
    "F16, STORE, 40, 4096, 1032, false",
    "F16, ADD, 48, 4096, 2048, true",
    "BF16, ADD, 64, 896, 4864, false",
    "BF16, GATED, 40, 11008, 136, false",
    "F16, GATED, 61, 4864, 896, true",
    "F16, STORE_FLOAT, 57, 32003, 72, true"
  })
  void linear_multipliesInEachMode(
      ElementType type, LinearMode mode, int rows, int outputs, int inputs, boolean withBias) {
    int wide = mode == LinearMode.GATED ? 2 * outputs : outputs;
    ElementType of = mode == LinearMode.STORE || mode == LinearMode.GATED ? type : ElementType.F32;
    int step = Kernels.LINEAR_ROWS_STEP;
    int rowsRead = Math.ceilDiv(rows, step) * step;
    Gpu.Numbers x = gpu.random(random, type, rowsRead * inputs, 1);
    Gpu.Numbers weights = gpu.random(random, type, wide * inputs, 1 / Math.sqrt(inputs));
    Gpu.Numbers bias = gpu.random(random, F32, wide, 1);
    Gpu.Numbers y =
        mode == LinearMode.ADD
            ? gpu.random(random, F32, rows * outputs, 1)
            : gpu.poisoned(of, rows * outputs);
    Kernels kernels = gpu.kernels(type);
    kernels.linear(
        gpu.stream,
        mode,
        x.address(),
        weights.address(),
        withBias ? bias.address() : 0,
        y.address(),
        rows,
        outputs,
        inputs);
    double[] expected = new double[rows * outputs];
    for (int row = 0; row < rows; row++) {
      for (int output = 0; output < outputs; output++) {
        double sum = product(x, weights, withBias ? bias : null, row, output, inputs);
        if (mode == LinearMode.GATED) {
          double up = product(x, weights, withBias ? bias : null, row, outputs + output, inputs);
          sum = sum / (1 + Math.exp(-sum)) * up;
        } else if (mode == LinearMode.ADD) {
          sum += y.values[row * outputs + output];
        }
        expected[row * outputs + output] = sum;
      }
    }
    assertClose(y.read(), expected, tolerance(of));
  }

  @ParameterizedTest
  @CsvSource({
    "F16, STORE, 65, 6144, 1032, true",
    "BF16, STORE, 96, 20, 4096, false",
    "BF16, ADD, 97, 4096, 1032, true",
    "F16, STORE_FLOAT, 128, 1001, 264, false",
    "BF16, GATED, 96, 11008, 72, true",
    "F16, GATED, 128, 14336, 136, false",
    "BF16, ADD, 128, 4096, 4096, true",
    "F16, ADD, 65, 4094, 4096, false",
    "BF16, GATED, 65, 11008, 1032, true",
    "F16, GATED, 70, 2816, 1032, true",
    "BF16, STORE, 129, 6144, 1032, false",
    "F16, ADD, 160, 4096, 520, true",
    "BF16, GATED, 191, 11008, 72, true",
    "F16, STORE_FLOAT, 192, 4003, 136, true"
  })
  void linear_multipliesAsManyRowsAsItTakes(
      ElementType type, LinearMode mode, int rows, int outputs, int inputs, boolean withBias) {
    int most = gpu.kernels(type).linearRowsMax();
    Assumptions.assumeTrue(rows <= most, "this GPU's kernels take %d rows".formatted(most));
    linear_multipliesInEachMode(type, mode, rows, outputs, inputs, withBias);
  }

  private static double product(
      Gpu.Numbers x, Gpu.Numbers weights, Gpu.Numbers bias, int row, int output, int inputs) {
    double sum = bias == null ? 0 : bias.values[output];
    for (int i = 0; i < inputs; i++) {
      sum += (double) x.values[row * inputs + i] * weights.values[output * inputs + i];
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({"600, 60", "601, 140", "128256, 3", "32001, 12", "32000, 40"})
  void sample_drawsAsTheHostsSampler(int vocabulary, int rows) {
    float[] temperatures = {0, 1, 0.75f, 1.25f, 1, 0.875f};
    int[] topKs = {0, 0, 20, 0, 0, 50};
    float[] topPs = {1, 1, 1, 0.75f, 1, 0.875f};
    float[] minPs = {0, 0, 0, 0, 0.125f, 0};
    Gpu.Numbers logits = gpu.random(random, F32, rows * vocabulary, 2);
    PinnedBuffer parameters = gpu.pinned((long) rows * Kernels.SAMPLE_BYTES);
    int[] expected = new int[rows];
    Sampler sampler = new Sampler(vocabulary);
    for (int row = 0; row < rows; row++) {
      int kind = row % temperatures.length;
      SamplingParams params =
          SamplingParams.parse(
              """
              {"temperature": %s, "top_k": %s, "top_p": %s, "min_p": %s, "seed": 99}
              """
                  .formatted(temperatures[kind], topKs[kind], topPs[kind], minPs[kind]));
      expected[row] =
          sampler.next(
              logits.values, row * vocabulary, params, new TokenCounts(), List.of(), row, 3);
      long at = (long) row * Kernels.SAMPLE_BYTES;
      parameters.memory().set(JAVA_FLOAT, at, temperatures[kind]);
      parameters.memory().set(JAVA_INT, at + 4, topKs[kind]);
      parameters.memory().set(JAVA_FLOAT, at + 8, topPs[kind]);
      parameters.memory().set(JAVA_FLOAT, at + 12, minPs[kind]);
      parameters.memory().set(JAVA_LONG, at + 16, CounterRandom.key(99, row));
      parameters.memory().set(JAVA_LONG, at + 24, 3);
    }
    long tokens = gpu.ints(new int[rows]);
    PinnedBuffer answer = gpu.pinned(4L * rows);
    PinnedBuffer copy = gpu.pinned(8);
    copy.memory().set(JAVA_LONG, 0, answer.address());
    gpu.kernels(ElementType.BF16)
        .sample(
            gpu.stream,
            logits.address(),
            vocabulary,
            parameters.address(),
            tokens,
            copy.address(),
            rows);
    assertThat(gpu.readInts(tokens, rows)).isEqualTo(expected);
    assertThat(answer.memory().toArray(JAVA_INT)).isEqualTo(expected);
  }

  @Test
  void sample_isMinusOne_whereLogitsAreNoNumbers() {
    Gpu.Numbers logits = gpu.poisoned(F32, 2 * 64);
    PinnedBuffer greedy = gpu.pinned(2L * Kernels.SAMPLE_BYTES);
    greedy.memory().fill((byte) 0);
    long tokens = gpu.ints(5, 5);
    gpu.kernels(ElementType.F16)
        .sample(gpu.stream, logits.address(), 64, greedy.address(), tokens, 0, 2);
    assertThat(gpu.readInts(tokens, 2)).containsExactly(-1, -1);
  }

  @Test
  void beginStep_bringsTheInput_andTakesWhatWasSampledOrWhatTheHostGives() {
    int words = 20_000;
    PinnedBuffer from = gpu.pinned(4L * words);
    for (int i = 0; i < words; i++) {
      from.memory().setAtIndex(JAVA_INT, i, i);
    }
    long input = gpu.ints(new int[words]);
    long tokens = gpu.ints(0, 0, 0, 0);
    gpu.kernels(ElementType.BF16)
        .beginStep(
            gpu.stream,
            from.address(),
            input,
            4L * words,
            tokens,
            gpu.ints(10, -1, 30, -1),
            gpu.ints(-1, 2, -1, 0),
            gpu.ints(7, 8, 9),
            4);
    assertThat(gpu.readInts(tokens, 4)).containsExactly(10, 9, 30, 7);
    assertThat(gpu.readInts(input, words)).isEqualTo(IntStream.range(0, words).toArray());
  }

  @Test
  void copyBlocks_copiesWholeBlocks() {
    KvShape kv = new KvShape(2, 2, 32, 16, ElementType.BF16);
    int block = (int) (kv.blockBytes() / 2);
    Gpu.Numbers pool = gpu.random(random, ElementType.BF16, 5 * block, 1);
    gpu.kernels(ElementType.BF16)
        .copyBlocks(
            gpu.stream, new AttentionShape(4, kv), pool.address(), gpu.ints(0, 3, -1, 1, 2, 4), 3);
    float[] got = pool.read();
    int[] from = {0, 1, 2, 0, 2};
    for (int i = 0; i < 5; i++) {
      assertThat(Arrays.copyOfRange(got, i * block, (i + 1) * block))
          .isEqualTo(Arrays.copyOfRange(pool.values, from[i] * block, (from[i] + 1) * block));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void widenAndNarrow_reachPinnedMemory(ElementType type) {
    int count = 4_104;
    Gpu.Numbers from = gpu.random(random, type, count, 1);
    Gpu.Numbers to = gpu.poisoned(type, count);
    PinnedBuffer between = gpu.pinned(4L * count);
    Kernels kernels = gpu.kernels(type);
    kernels.widen(gpu.stream, from.address(), between.address(), count);
    gpu.stream.synchronize();
    float[] wide = new float[count];
    for (int i = 0; i < count; i++) {
      wide[i] = between.memory().getAtIndex(JAVA_FLOAT, i);
      between.memory().setAtIndex(JAVA_FLOAT, i, 1.0001f * wide[i]);
    }
    assertThat(wide).isEqualTo(from.values);
    kernels.narrow(gpu.stream, between.address(), to.address(), count);
    float[] narrowed = to.read();
    for (int i = 0; i < count; i++) {
      assertThat(narrowed[i]).isEqualTo(Convert.round(type, 1.0001f * wide[i]));
    }
  }
}
