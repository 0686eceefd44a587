package io.fusespill.cuda.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.kernel.AttentionShape;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.random.CounterRandom;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenCounts;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The forward pass on a GPU against that on the CPU, over random weights.
@Tag("gpu")
final class CudaModelTest {

  private static final double LOGIT_ERROR = 2e-2;
  private static final int SEED = 11;

  private final Random random = new Random(5);

  private int[] tokens(int count, ModelConfig config) {
    return IntStream.range(0, count).map(i -> random.nextInt(config.vocabulary())).toArray();
  }

  private static int[] table(int sequence, int sequences, int blocks) {
    return IntStream.range(0, blocks).map(i -> i * sequences + sequence).toArray();
  }

  private static void assertLogits(
      DeviceModel gpu, StepInput input, int number, HostReference host, int[] tokens, int count) {
    assertThat(DeviceModel.error(gpu.logits(input, number), host.logits(tokens, count)))
        .as("logits after %d tokens", count)
        .isLessThan(LOGIT_ERROR);
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, BF16, 304, 16, 16, false, false, true",
    "BF16, BF16, 301, 64, 8, true, true, true",
    "F16, F32, 304, 20, 32, false, true, true",
    "F16, F16, 301, 128, 16, true, false, false",
    "BF16, F32, 304, 32, 16, true, true, false"
  })
  void mixedSteps_giveTheHostsLogits(
      ElementType type,
      ElementType stored,
      int vocabulary,
      int headDim,
      int blockTokens,
      boolean qkNorm,
      boolean biases,
      boolean withBlas) {
    ModelConfig config = RandomWeights.config(vocabulary, headDim, qkNorm, biases);
    RandomWeights weights = new RandomWeights(SEED, type, stored);
    int[] lengths = {5, 40, 190, 50};
    int[][] sequences = new int[lengths.length][];
    int[][] tables = new int[lengths.length][];
    for (int i = 0; i < lengths.length; i++) {
      sequences[i] = tokens(lengths[i], config);
      tables[i] = table(i, lengths.length, (lengths[i] + blockTokens - 1) / blockTokens);
    }
    try (HostReference host = new HostReference(config, weights);
        DeviceModel gpu =
            new DeviceModel(
                config,
                weights,
                type,
                blockTokens,
                100,
                new ModelLimits(300, 8, 8, 200),
                withBlas);
        StepInput input = gpu.model.input()) {
      input.prefill(sequences[0], 0, 4, 0, tables[0]);
      input.prefill(sequences[1], 0, 39, 0, tables[1]);
      input.prefill(sequences[3], 0, 20, 0, tables[3]);
      gpu.run(input, null);
      input.clear();
      int[] numbers = {
        input.logits(input.decode(sequences[0][4], -1, 5, tables[0])),
        input.logits(input.decode(sequences[1][39], -1, 40, tables[1])),
        input.logits(input.prefill(sequences[2], 0, 190, 0, tables[2])),
        input.logits(input.prefill(sequences[3], 20, 50, 20, tables[3]))
      };
      gpu.run(input, null);
      for (int i = 0; i < lengths.length; i++) {
        assertLogits(gpu, input, numbers[i], host, sequences[i], lengths[i]);
      }
    }
  }

  /// The first step of a size runs kernel by kernel, the second is recorded.
  @ParameterizedTest
  @CsvSource({
    "3, 304, true",
    "24, 301, true",
    "40, 301, true",
    "40, 304, false",
    "70, 304, true",
    "70, 301, true",
    "70, 304, false"
  })
  void decodes_giveTheHostsLogits_recordedOrNot(int sequences, int vocabulary, boolean withBlas) {
    ModelConfig config = RandomWeights.config(vocabulary, 32, false, true);
    RandomWeights weights = new RandomWeights(SEED, ElementType.BF16, ElementType.BF16);
    int steps = 4;
    int[][] tokens = new int[sequences][];
    Arrays.setAll(tokens, i -> tokens(steps, config));
    try (HostReference host = new HostReference(config, weights);
        DeviceModel gpu =
            new DeviceModel(
                config,
                weights,
                ElementType.BF16,
                16,
                100,
                new ModelLimits(100, 80, 80, 64),
                withBlas);
        StepInput input = gpu.model.input()) {
      for (int step = 0; step < steps; step++) {
        input.clear();
        int[] numbers = new int[sequences];
        for (int i = 0; i < sequences; i++) {
          int[] table = {(7 * i + 3) % 100};
          numbers[i] = input.logits(input.decode(tokens[i][step], -1, step + 1, table));
        }
        gpu.run(input, null);
        for (int i = 0; i < sequences; i += 7) {
          assertLogits(gpu, input, numbers[i], host, tokens[i], step + 1);
        }
      }
    }
  }

  @Test
  void tokensSampledByThePassBefore_giveTheSameOutput() {
    ModelConfig config = RandomWeights.config(304, 32, false, false);
    RandomWeights weights = new RandomWeights(SEED, ElementType.BF16, ElementType.BF16);
    int sequences = 5;
    int steps = 12;
    int[][] prompts = new int[sequences][];
    Arrays.setAll(prompts, i -> tokens(3 + 5 * i, config));
    try (DeviceModel gpu =
        new DeviceModel(
            config, weights, ElementType.BF16, 16, 50, new ModelLimits(100, 8, 8, 64), true)) {
      int[][] waiting = generate(gpu, prompts, steps, false);
      int[][] ahead = generate(gpu, prompts, steps, true);
      assertThat(ahead).isDeepEqualTo(waiting);
      assertThat(Arrays.stream(waiting[0]).distinct().count()).isGreaterThan(3);
    }
  }

  /// Sequence i is entry (i + step) % sequences of a step, so that the numbers of samples change.
  private static int[][] generate(DeviceModel gpu, int[][] prompts, int steps, boolean ahead) {
    int sequences = prompts.length;
    int[][] output = new int[sequences][steps];
    List<StepInput> inputs = List.of(gpu.model.input(), gpu.model.input());
    List<Event> done = List.of(gpu.context.event(), gpu.context.event());
    for (int step = 0; step <= steps; step++) {
      StepInput input = inputs.get(step % 2);
      if (ahead && step >= 2) {
        done.get(step % 2).synchronize();
        read(input, step - 2, output);
      }
      if (step < steps) {
        input.clear();
        for (int entry = 0; entry < sequences; entry++) {
          int i = Math.floorMod(entry - step, sequences);
          int[] table = table(i, sequences, 3);
          int context = prompts[i].length + step;
          int row =
              step == 0
                  ? input.prefill(prompts[i], 0, prompts[i].length, 0, table)
                  : ahead
                      ? input.decode(0, (i + step - 1) % sequences, context, table)
                      : input.decode(output[i][step - 1], -1, context, table);
          input.sample(row, 1, 0, 1, 0, CounterRandom.key(3, i), step);
        }
        gpu.model.launch(input, gpu.stream, null);
        gpu.stream.record(done.get(step % 2));
        if (!ahead) {
          gpu.stream.synchronize();
          read(input, step, output);
        }
      }
    }
    if (ahead) {
      gpu.stream.synchronize();
      read(inputs.get((steps - 1) % 2), steps - 1, output);
    }
    inputs.forEach(StepInput::close);
    done.forEach(Event::close);
    return output;
  }

  private static void read(StepInput input, int step, int[][] output) {
    for (int i = 0; i < output.length; i++) {
      output[i][step] = input.sampled((i + step) % output.length);
    }
  }

  @Test
  void warmUp_changesNoTokens() {
    ModelConfig config = RandomWeights.config(304, 32, false, false);
    RandomWeights weights = new RandomWeights(SEED, ElementType.BF16, ElementType.BF16);
    int[][] prompts = {tokens(5, config), tokens(9, config), tokens(4, config)};
    int[][] cold;
    try (DeviceModel gpu =
        new DeviceModel(
            config, weights, ElementType.BF16, 16, 50, new ModelLimits(40, 20, 1, 64), true)) {
      gpu.model.warmUp(gpu.stream);
    }
    ModelLimits limits = new ModelLimits(100, 8, 8, 64);
    try (DeviceModel gpu =
        new DeviceModel(config, weights, ElementType.BF16, 16, 50, limits, true)) {
      cold = generate(gpu, prompts, 8, true);
    }
    try (DeviceModel gpu =
        new DeviceModel(config, weights, ElementType.BF16, 16, 50, limits, true)) {
      gpu.model.warmUp(gpu.stream);
      assertThat(generate(gpu, prompts, 8, true)).isDeepEqualTo(cold);
    }
  }

  @Test
  void samplesOfOneRow_areTheHostsForItsLogits() {
    ModelConfig config = RandomWeights.config(304, 32, false, false);
    RandomWeights weights = new RandomWeights(SEED, ElementType.F16, ElementType.F16);
    int[] prompt = tokens(20, config);
    SamplingParams params =
        SamplingParams.parse("{\"temperature\": 2, \"top_k\": 100, \"seed\": 4}");
    try (DeviceModel gpu =
            new DeviceModel(
                config, weights, ElementType.F16, 16, 4, new ModelLimits(32, 2, 16, 64), true);
        StepInput input = gpu.model.input()) {
      int row = input.prefill(prompt, 0, prompt.length, 0, new int[] {2, 0});
      for (int i = 0; i < 10; i++) {
        int sample = input.sample(row, 2, 100, 1, 0, CounterRandom.key(4, i), 0);
        assertThat(sample).isEqualTo(i);
      }
      int number = input.logits(row);
      gpu.run(input, null);
      float[] logits = gpu.logits(input, number);
      Sampler sampler = new Sampler(config.vocabulary());
      for (int i = 0; i < 10; i++) {
        int expected = sampler.next(logits, 0, params, new TokenCounts(), List.of(), i, 0);
        assertThat(input.sampled(i)).as("sample %d", i).isEqualTo(expected);
      }
    }
  }

  /// Attends in double to keys and values that it keeps; a sequence is the first block of its
  /// table.
  private static final class ReferenceAttention implements RemoteAttention {

    private final ModelConfig config;
    private final AttentionShape shape;
    private final Map<String, List<float[]>> rows = new TreeMap<>();
    private int begun;
    private int awaited;

    ReferenceAttention(ModelConfig config) {
      this.config = config;
      shape = new AttentionShape(config.heads(), KvShape.of(config, 16, ElementType.F32));
    }

    @Override
    public void begin(int layer, StepInput input, MemorySegment qkv, MemorySegment out) {
      assertThat(begun++).isEqualTo(awaited);
      int width = shape.inputWidth();
      for (int remote = 0; remote < input.remotes(); remote++) {
        String key = layer + "/" + input.remoteTable(remote)[0];
        List<float[]> context = rows.computeIfAbsent(key, unused -> new ArrayList<>());
        context.add(qkv.asSlice(4L * remote * width, 4L * width).toArray(JAVA_FLOAT));
        assertThat(context).hasSize(input.remoteContext(remote));
        for (int head = 0; head < config.heads(); head++) {
          double[] attended = attend(context, head);
          for (int i = 0; i < attended.length; i++) {
            long at = ((long) remote * config.heads() + head) * attended.length + i;
            out.setAtIndex(JAVA_FLOAT, at, (float) attended[i]);
          }
        }
      }
    }

    private double[] attend(List<float[]> context, int head) {
      int headDim = config.headDim();
      int kvHead = head / (config.heads() / config.kvHeads());
      int key = (config.heads() + kvHead) * headDim;
      int value = key + config.kvWidth();
      double total = 0;
      double[] attended = new double[headDim];
      for (float[] row : context) {
        double dot = 0;
        for (int i = 0; i < headDim; i++) {
          dot += (double) context.getLast()[head * headDim + i] * row[key + i];
        }
        double weight = Math.exp(dot / Math.sqrt(headDim));
        total += weight;
        for (int i = 0; i < headDim; i++) {
          attended[i] += weight * row[value + i];
        }
      }
      for (int i = 0; i < headDim; i++) {
        attended[i] /= total;
      }
      return attended;
    }

    @Override
    public void await() {
      assertThat(++awaited).isEqualTo(begun);
    }
  }

  @Test
  void remoteRows_areAttendedElsewhere_besideOthers() {
    ModelConfig config = RandomWeights.config(304, 32, true, true);
    RandomWeights weights = new RandomWeights(SEED, ElementType.BF16, ElementType.BF16);
    int steps = 10;
    int[][] tokens = new int[4][];
    Arrays.setAll(tokens, i -> tokens(steps, config));
    ReferenceAttention remote = new ReferenceAttention(config);
    try (HostReference host = new HostReference(config, weights);
        DeviceModel gpu =
            new DeviceModel(
                config, weights, ElementType.BF16, 16, 4, new ModelLimits(32, 8, 8, 64), true);
        StepInput input = gpu.model.input()) {
      for (int step = 0; step < steps; step++) {
        input.clear();
        int[] numbers = {
          input.logits(input.decode(tokens[0][step], -1, step + 1, new int[] {3})),
          input.logits(input.remote(tokens[1][step], -1, step + 1, new int[] {1_000})),
          input.logits(input.remote(tokens[2][step], -1, step + 1, new int[] {7})),
          input.logits(input.prefill(tokens[3], step, step + 1, step, new int[] {1}))
        };
        gpu.run(input, remote);
        for (int i = 0; i < 4; i++) {
          assertLogits(gpu, input, numbers[i], host, tokens[i], step + 1);
        }
      }
    }
  }

  @Test
  void mistakes_areNamed() {
    ModelConfig config = RandomWeights.config(304, 32, false, false);
    RandomWeights weights = new RandomWeights(SEED, ElementType.BF16, ElementType.BF16);
    try (DeviceModel gpu =
            new DeviceModel(
                config, weights, ElementType.BF16, 16, 10, new ModelLimits(20, 2, 2, 64), false);
        StepInput input = gpu.model.input()) {
      assertThat(gpu.model.note().orElseThrow()).contains("slow without cuBLASLt");
      assertThatThrownBy(() -> gpu.model.launch(input, gpu.stream, null))
          .hasMessage("a step needs at least one entry");
      assertThatThrownBy(() -> input.decode(304, -1, 1, new int[] {0}))
          .hasMessage("token must be 0 to 303, got 304");
      assertThatThrownBy(() -> input.decode(0, 2, 1, new int[] {0}))
          .hasMessage("source must be -1 to 1, got 2");
      assertThatThrownBy(() -> input.decode(0, -1, 65, new int[5]))
          .hasMessage("a sequence has 1 to 64 tokens, got 65");
      assertThatThrownBy(() -> input.decode(0, -1, 17, new int[] {0}))
          .hasMessage("17 tokens take 2 blocks, the table has 1");
      assertThatThrownBy(() -> input.decode(0, -1, 1, new int[] {10}))
          .hasMessage("block must be 0 to 9, got 10");
      assertThatThrownBy(() -> input.prefill(new int[21], 0, 21, 0, new int[] {0, 1}))
          .hasMessage("a step has at most 20 tokens, got 21");
      int row = input.remote(1, -1, 1, new int[] {0});
      assertThatThrownBy(() -> input.decode(0, -1, 1, new int[] {0}))
          .hasMessage("decodes come before remote decodes and prefills");
      assertThatThrownBy(() -> gpu.model.launch(input, gpu.stream, null))
          .hasMessage("the step has 1 remote rows, and nobody attends to them");
      assertThatThrownBy(() -> input.sample(1, 0, 0, 1, 0, 0, 0))
          .hasMessage("row must be 0 to 0, got 1");
      input.sample(row, 0, 0, 1, 0, 0, 0);
      input.logits(row);
      assertThatThrownBy(() -> input.logits(row))
          .hasMessage("a step has at most 2 samples and logits for the host");
    }
  }
}
