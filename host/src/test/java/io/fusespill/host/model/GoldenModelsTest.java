package io.fusespill.host.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The forward pass against logits and tokens that a float32 reference computed.
class GoldenModelsTest {

  private static final double LOGIT_ERROR = 2e-3;

  /// Keys and values of 11 bits instead of 24.
  private static final double LOGIT_ERROR_F16 = 1e-2;

  private static final double MARGIN = 0.01;

  /// How a prompt is computed, and in which blocks.
  private record Way(int blockTokens, int promptTokensAStep, ElementType kv, int threads) {}

  private static final List<Way> WAYS =
      List.of(
          new Way(16, Integer.MAX_VALUE, ElementType.F32, 2),
          new Way(16, 1, ElementType.F32, 1),
          new Way(4, 3, ElementType.F32, 2),
          new Way(1, 7, ElementType.F32, 3),
          new Way(16, Integer.MAX_VALUE, ElementType.F16, 2));

  @TestFactory
  Stream<DynamicTest> logitsAndTokensAreTheReferences() {
    List<java.nio.file.Path> folders = GoldenModel.folders();
    assumeFalse(folders.isEmpty(), "no golden models; -Dgolden.models=DIR names their folder");
    return folders.stream()
        .flatMap(folder ->
            WAYS.stream()
                .map(way ->
                    DynamicTest.dynamicTest(
                        folder.getFileName() + " " + way,
                        () -> check(new GoldenModel(folder), way))));
  }

  private static void check(GoldenModel golden, Way way) {
    ModelConfig config = golden.config();
    KvShape shape = KvShape.of(config, way.blockTokens(), way.kv());
    int blocks = shape.blocks(config.maxPositions());
    try (ModelWeights weights = ModelWeights.of(config, golden);
        WorkerPool workers = WorkerPool.of(way.threads());
        KvPool pool = KvPool.of(shape, blocks);
        HostModel model = new HostModel(weights, workers)) {
      int[] table = IntStream.range(0, blocks).map(i -> blocks - 1 - i).toArray();
      for (JsonNode question : golden.expected().get("cases")) {
        check(question, way, config, model, pool, table);
      }
    }
  }

  private static void check(
      JsonNode question, Way way, ModelConfig config, HostModel model, KvPool pool, int[] table) {
    int[] prompt = ints(question.get("prompt_ids"));
    int[] argmax = ints(question.get("prompt_argmax"));
    double[] logits = doubles(question.get("prompt_logits_last"));
    int[] greedy = ints(question.get("greedy_ids"));
    double[] margins = doubles(question.get("greedy_top1_margin"));
    float[] found = new float[config.vocabulary()];
    Sequence sequence = new Sequence(prompt, table);
    Batch batch = new Batch();
    while (sequence.computed() < prompt.length) {
      batch.clear();
      int entry = sequence.step(batch, way.promptTokensAStep(), false);
      model.forward(batch, pool, null);
      if (way.kv() == ElementType.F32) {
        assertThat(model.argmax(entry)).isEqualTo(argmax[sequence.computed() - 1]);
      }
    }
    model.copyLogits(0, found);
    double largest = 0;
    double error = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(logits[i]));
      error = Math.max(error, Math.abs(found[i] - logits[i]));
    }
    assertThat(error / largest)
        .as("relative error of the logits")
        .isLessThan(way.kv() == ElementType.F32 ? LOGIT_ERROR : LOGIT_ERROR_F16);
    for (int i = 0; i < greedy.length; i++) {
      if (margins[i] > MARGIN && way.kv() == ElementType.F32) {
        assertThat(model.argmax(0)).as("greedy token %d", i).isEqualTo(greedy[i]);
      }
      sequence.append(greedy[i]);
      batch.clear();
      sequence.step(batch, 1, false);
      model.forward(batch, pool, null);
    }
  }

  static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }

  static double[] doubles(JsonNode array) {
    return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).asDouble()).toArray();
  }
}
