package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A sequence's logits are the same bits whatever goes on around it.
class BatchInvarianceTest {

  private static final int SEQUENCES = 5;
  private static final int LONGEST = 170;
  private static final int DECODED = 6;

  private record Model(ModelConfig config, Function<String, ElementType> types) {}

  private static final List<Model> MODELS =
      List.of(
          new Model(RandomModel.config(16, false, false), name -> ElementType.BF16),
          new Model(RandomModel.config(32, true, true), name -> ElementType.F16),
          new Model(RandomModel.config(24, false, true), name -> ElementType.F32),
          new Model(RandomModel.config(64, true, false), BatchInvarianceTest::mixed));

  private static ElementType mixed(String name) {
    return name.contains("k_proj") || name.contains("norm") ? ElementType.F32 : ElementType.BF16;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void logitsDependOnTheSequenceAlone(long seed) {
    Random random = new Random(seed);
    Model model = MODELS.get((int) (seed % MODELS.size()));
    ElementType kv = ElementType.values()[random.nextInt(3)];
    RandomModel source = new RandomModel(seed, model.types());
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < SEQUENCES; i++) {
      prompts.add(
          random.ints(1 + random.nextInt(LONGEST), 0, model.config().vocabulary()).toArray());
    }
    try (ModelWeights weights = ModelWeights.of(model.config(), source)) {
      List<Map<Integer, float[]>> alone = new ArrayList<>();
      for (int[] prompt : prompts) {
        alone.add(alone(weights, prompt, kv));
      }
      for (int round = 0; round < 3; round++) {
        together(weights, prompts, alone, kv, random, "seed " + seed + " round " + round);
      }
    }
  }

  /// The logits after the prompt and each decoded token, by tokens computed, one token a pass in a
  /// pool of its own.
  private static Map<Integer, float[]> alone(ModelWeights weights, int[] prompt, ElementType kv) {
    KvShape shape = KvShape.of(weights.config(), 16, kv);
    int blocks = shape.blocks(prompt.length + DECODED);
    Map<Integer, float[]> logits = new TreeMap<>();
    try (WorkerPool workers = WorkerPool.of(1);
        KvPool pool = KvPool.of(shape, blocks);
        HostModel model = new HostModel(weights, workers)) {
      Batch batch = new Batch();
      Sequence sequence = new Sequence(prompt, IntStream.range(0, blocks).toArray());
      while (sequence.computed() < prompt.length + DECODED) {
        batch.clear();
        int entry = sequence.step(batch, 1, false);
        model.forward(batch, pool, null);
        logits.put(sequence.computed(), logits(model, entry, weights.config()));
        if (sequence.computed() >= prompt.length) {
          sequence.append(model.argmax(entry));
        }
      }
    }
    return logits;
  }

  private static float[] logits(HostModel model, int entry, ModelConfig config) {
    float[] logits = new float[config.vocabulary()];
    model.copyLogits(entry, logits);
    return logits;
  }

  private static void together(
      ModelWeights weights,
      List<int[]> prompts,
      List<Map<Integer, float[]>> alone,
      ElementType kv,
      Random random,
      String what) {
    KvShape shape = KvShape.of(weights.config(), List.of(1, 4, 16, 64).get(random.nextInt(4)), kv);
    int each = shape.blocks(LONGEST + DECODED);
    KvShape remoteShape = KvShape.of(weights.config(), 1 + random.nextInt(32), kv);
    int eachRemote = remoteShape.blocks(LONGEST + DECODED);
    int[] ids = shuffled(each * SEQUENCES, random);
    int[] remoteIds = shuffled(eachRemote * SEQUENCES, random);
    try (WorkerPool workers = WorkerPool.of(1 + random.nextInt(3));
        WorkerPool remoteWorkers = WorkerPool.of(1 + random.nextInt(2));
        KvPool pool = KvPool.of(shape, ids.length);
        KvPool remotePool = KvPool.of(remoteShape, remoteIds.length);
        AttentionService remote = new HostAttention(weights.config(), remotePool, remoteWorkers);
        HostModel model = new HostModel(weights, workers)) {
      List<Sequence> sequences = new ArrayList<>();
      boolean[] away = new boolean[SEQUENCES];
      for (int i = 0; i < SEQUENCES; i++) {
        away[i] = random.nextInt(3) == 0;
        int[] table =
            away[i]
                ? java.util.Arrays.copyOfRange(remoteIds, i * eachRemote, (i + 1) * eachRemote)
                : java.util.Arrays.copyOfRange(ids, i * each, (i + 1) * each);
        sequences.add(new Sequence(prompts.get(i), table));
      }
      Batch batch = new Batch();
      int[] entries = new int[SEQUENCES];
      while (true) {
        batch.clear();
        for (int i = 0; i < SEQUENCES; i++) {
          Sequence sequence = sequences.get(i);
          boolean ended = sequence.computed() >= prompts.get(i).length + DECODED;
          boolean in = !ended && (batch.entries() == 0 || random.nextInt(4) > 0);
          int chunk = random.nextBoolean() ? 1 + random.nextInt(9) : 1 + random.nextInt(LONGEST);
          entries[i] = in ? sequence.step(batch, chunk, away[i]) : -1;
        }
        if (batch.entries() == 0) {
          return;
        }
        model.forward(batch, pool, remote);
        for (int i = 0; i < SEQUENCES; i++) {
          if (entries[i] >= 0) {
            Sequence sequence = sequences.get(i);
            assertThat(logits(model, entries[i], weights.config()))
                .as("%s, sequence %d, %d tokens", what, i, sequence.computed())
                .isEqualTo(alone.get(i).get(sequence.computed()));
            if (sequence.computed() == sequence.length()) {
              sequence.append(model.argmax(entries[i]));
            }
          }
        }
      }
    }
  }

  private static int[] shuffled(int count, Random random) {
    int[] ids = IntStream.range(0, count).toArray();
    for (int i = count - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int id = ids[i];
      ids[i] = ids[j];
      ids[j] = id;
    }
    return ids;
  }
}
