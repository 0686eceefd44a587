package io.fusespill.cuda.model;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import java.util.stream.IntStream;

/// What the model on the CPU, in float32, says after some tokens.
final class HostReference implements AutoCloseable {

  private final ModelConfig config;
  private final ModelWeights weights;
  private final WorkerPool workers = WorkerPool.of(2);
  private final HostModel model;

  HostReference(ModelConfig config, WeightSource source) {
    this.config = config;
    weights = ModelWeights.of(config, source);
    model = new HostModel(weights, workers);
  }

  /// The logits after the first `count` of the tokens.
  double[] logits(int[] tokens, int count) {
    KvShape shape = KvShape.of(config, 16, ElementType.F32);
    int[] table = IntStream.range(0, shape.blocks(count)).toArray();
    try (KvPool pool = KvPool.of(shape, table.length)) {
      Batch batch = new Batch();
      int entry = batch.add(tokens, 0, count, 0, table, true, false);
      model.forward(batch, pool, null);
      float[] logits = new float[config.vocabulary()];
      model.copyLogits(entry, logits);
      return IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).toArray();
    }
  }

  @Override
  public void close() {
    model.close();
    workers.close();
    weights.close();
  }
}
