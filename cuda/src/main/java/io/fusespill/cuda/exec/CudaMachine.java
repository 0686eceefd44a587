package io.fusespill.cuda.exec;

import io.fusespill.cuda.driver.Bandwidth;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.model.CudaModel;
import io.fusespill.cuda.model.CudaWeights;
import io.fusespill.cuda.model.ModelLimits;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.WeightSource;
import io.fusespill.host.exec.Accelerator;
import io.fusespill.host.model.KvShape;
import java.util.Map;
import java.util.TreeMap;

/// The GPUs of this machine as one model uses them: its weights are on each GPU that was asked for,
/// once, however many devices there are on it. For one thread at a time.
public final class CudaMachine implements AutoCloseable {

  /// What the driver takes for kernels and graphs of a device, and cuBLASLt for its workspace.
  private static final long DEVICE_BYTES = 512L << 20;

  private final ModelConfig config;
  private final WeightSource source;
  private final Map<Integer, Gpu> gpus = new TreeMap<>();

  private record Gpu(Context context, CudaWeights weights, long linkBytesPerSecond) {}

  /// @param source of the weights, read when a GPU is first asked for
  public CudaMachine(ModelConfig config, WeightSource source) {
    this.config = config;
    this.source = source;
  }

  /// @throws io.fusespill.cuda.driver.CudaException if there is no such GPU, or no room on it
  private Gpu gpu(int index) {
    Gpu known = gpus.get(index);
    if (known != null) {
      return known;
    }
    Context context = Context.open(index);
    try (Context.Making making = context.make()) {
      CudaWeights weights =
          CudaWeights.upload(context, config, source, config.gpuType(), bytes -> {});
      Bandwidth bandwidth = Bandwidth.measure(context);
      Gpu gpu = new Gpu(context, weights, Math.min(bandwidth.toDevice(), bandwidth.toHost()));
      gpus.put(index, gpu);
      making.keep();
      return gpu;
    } catch (RuntimeException | Error e) {
      CudaAccelerator.closeAfter(e, context);
      throw e;
    }
  }

  /// Bytes for KV on a GPU beside the weights and what the devices need; may be below 0.
  ///
  /// @param utilisation share of the GPU's memory that may be taken
  /// @param devices on that GPU
  public long kvBytes(int gpu, double utilisation, int devices, EngineLimits limits, KvShape kv) {
    Context context = gpu(gpu).context();
    long total = context.gpu().memoryBytes();
    long taken = total - context.freeBytes();
    int blocksMax = (int) Math.min(Integer.MAX_VALUE, total / kv.blockBytes());
    long working =
        DEVICE_BYTES
            + CudaModel.workspaceBytes(context.gpu(), config, kv, blocksMax, limits(limits));
    return (long) (total * utilisation) - taken - devices * working;
  }

  /// What steps cost on a GPU, from a handful of short passes.
  public StepCosts costs(int gpu, EngineLimits limits, KvShape kv) {
    Gpu on = gpu(gpu);
    return CudaProbe.measure(
        on.context(), on.weights(), kv, limits(limits), CudaProbe::measureSteps);
  }

  /// What a step takes longer if another place attends for one of its sequences, in no time.
  public long handOffNanos(int gpu, EngineLimits limits, KvShape kv) {
    Gpu on = gpu(gpu);
    return CudaProbe.measure(
        on.context(), on.weights(), kv, limits(limits), CudaProbe::measureHandOff);
  }

  /// The slower direction of the link between a GPU and pinned memory.
  public long bytesPerSecond(int gpu) {
    return gpu(gpu).linkBytesPerSecond();
  }

  /// A device on a GPU.
  public Accelerator accelerator(int gpu, KvShape kv, EngineLimits limits) {
    return new CudaAccelerator(gpu, gpu(gpu).weights(), kv, limits(limits));
  }

  /// What a GPU is called, for people.
  public String name(int gpu) {
    return gpu(gpu).context().gpu().name();
  }

  private static ModelLimits limits(EngineLimits limits) {
    return new ModelLimits(
        limits.maxNumBatchedTokens(),
        limits.maxNumSeqs(),
        Math.min(limits.maxNumSeqs() + EngineLimits.MAX_SAMPLES, ModelLimits.GRID_MAX),
        limits.maxModelTokens());
  }

  /// Frees the weights. All devices must be closed.
  @Override
  public void close() {
    RuntimeException failure = null;
    for (Gpu gpu : gpus.values()) {
      try (Context _ = gpu.context()) {
        gpu.weights().close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    gpus.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
