package io.fusespill.cuda.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.model.KvShape;
import java.util.Optional;

/// A model on GPU 0 with a pool of its own, filled with not-a-numbers; closing it finds leaks.
final class DeviceModel implements AutoCloseable {

  final Context context = Context.open(0);
  final Stream stream = context.stream("test");
  final ModelConfig config;
  final KvShape kv;
  private final Optional<CublasLt> blas;
  private final CudaWeights weights;
  private final DeviceBuffer pool;
  final CudaModel model;

  DeviceModel(
      ModelConfig config,
      WeightSource source,
      ElementType type,
      int blockTokens,
      int poolBlocks,
      ModelLimits limits,
      boolean withBlas) {
    this.config = config;
    kv = KvShape.of(config, blockTokens, type);
    blas = withBlas ? Optional.of(CublasLt.open(context)) : Optional.empty();
    weights = CudaWeights.upload(context, config, source, type, bytes -> {});
    pool = context.allocate(poolBlocks * kv.blockBytes(), "pool");
    stream.fill(pool.address(), (byte) 0xff, pool.bytes());
    stream.synchronize();
    model = new CudaModel(context, weights, kv, pool.address(), poolBlocks, limits, blas);
  }

  /// Runs a pass to its end.
  void run(StepInput input, RemoteAttention remote) {
    model.launch(input, stream, remote);
    stream.synchronize();
  }

  float[] logits(StepInput input, int number) {
    return input.logitsOf(number).toArray(JAVA_FLOAT);
  }

  /// The largest difference, as a share of the largest expected number.
  static double error(float[] got, double[] expected) {
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(got[i] - expected[i]));
      if (Float.isNaN(got[i])) {
        return Double.NaN;
      }
    }
    return difference / largest;
  }

  @Override
  public void close() {
    model.close();
    pool.close();
    weights.close();
    blas.ifPresent(CublasLt::close);
    stream.close();
    context.close();
  }
}
