package io.fusespill.cuda.model;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.WeightSource;
import java.util.function.LongConsumer;

/// Weights of a model on one GPU; shared by the logical devices of that GPU.
public final class CudaWeights implements AutoCloseable {

  private final ModelConfig config;
  private final ElementType type;
  private final WeightPlan plan;
  private final DeviceBuffer memory;

  /// Addresses of the weights of a layer; 0 for what the model does not have. Biases and norms are
  /// float32, but for `gateUpBiasNarrow`.
  record Layer(
      long inputNorm,
      long inputs,
      long inputBias,
      long queryNorm,
      long keyNorm,
      long output,
      long outputBias,
      long feedForwardNorm,
      long gateUp,
      long gateUpBias,
      long gateUpBiasNarrow,
      long down,
      long downBias) {}

  private CudaWeights(ModelConfig config, ElementType type, WeightPlan plan, DeviceBuffer memory) {
    this.config = config;
    this.type = type;
    this.plan = plan;
    this.memory = memory;
  }

  /// Copies a model's weights to the GPU, and converts them on the way where they are of another
  /// type, each number to the nearest, the even one of two. Takes 64 MiB of pinned memory
  /// meanwhile.
  ///
  /// @param type BF16 or F16: of the matrices; norms and biases are float32
  /// @param progressBytes is told how many of [#bytesOf] bytes are under way, tensor by tensor, by
  ///   the calling thread
  /// @throws io.fusespill.host.checkpoint.CheckpointException if a tensor is missing or has another
  ///   shape
  /// @throws io.fusespill.cuda.driver.CudaException if there is not that much device memory
  /// @throws IllegalArgumentException if the kernels cannot run a model of that shape
  public static CudaWeights upload(
      Context context,
      ModelConfig config,
      WeightSource source,
      ElementType type,
      LongConsumer progressBytes) {
    if (type == ElementType.F32) {
      throw new IllegalArgumentException("weights on a GPU must be BF16 or F16, got F32");
    }
    WeightPlan plan = WeightPlan.of(config);
    DeviceBuffer memory = context.allocate(plan.bytes(), "weights");
    try (WeightUpload upload = new WeightUpload(context, progressBytes)) {
      upload.zero(memory.address(), memory.bytes());
      for (WeightPlan.Piece piece : plan.pieces()) {
        upload.put(
            source.tensor(piece.name(), piece.rows(), piece.columns()),
            piece.wide() ? ElementType.F32 : type,
            memory.address(piece.offset()),
            piece.stride());
      }
      upload.finish();
      return new CudaWeights(config, type, plan, memory);
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }

  /// Bytes of device memory that the weights of a model take.
  ///
  /// @throws IllegalArgumentException if the kernels cannot run a model of that shape
  public static long bytesOf(ModelConfig config) {
    return WeightPlan.of(config).bytes();
  }

  public ModelConfig config() {
    return config;
  }

  /// The element type of the matrices, and of the activations and KV that go with them.
  public ElementType type() {
    return type;
  }

  /// Bytes of device memory that they take.
  public long bytes() {
    return plan.bytes();
  }

  /// Width of the feed-forward layer as it lies here, at least the model's.
  int inner() {
    return WeightPlan.inner(config);
  }

  long embedding() {
    return address(plan.embedding());
  }

  Layer layer(int layer) {
    WeightPlan.Layer at = plan.layer(layer);
    return new Layer(
        address(at.inputNorm()),
        address(at.inputs()),
        address(at.inputBias()),
        address(at.queryNorm()),
        address(at.keyNorm()),
        address(at.output()),
        address(at.outputBias()),
        address(at.feedForwardNorm()),
        address(at.gateUp()),
        address(at.gateUpBias()),
        address(at.gateUpBiasNarrow()),
        address(at.down()),
        address(at.downBias()));
  }

  long norm() {
    return address(plan.norm());
  }

  long head() {
    return address(plan.head());
  }

  private long address(long offset) {
    return offset == WeightPlan.NONE ? 0 : memory.address(offset);
  }

  /// Frees the memory. No model may run with it any more. Does nothing the second time.
  @Override
  public void close() {
    memory.close();
  }
}
