package io.fusespill.cuda.exec;

import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.PinnedRange;
import io.fusespill.cuda.model.CudaModel;
import io.fusespill.cuda.model.CudaWeights;
import io.fusespill.cuda.model.ModelLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.exec.Completions;
import io.fusespill.host.exec.Accelerator;
import io.fusespill.host.exec.BlockStore;
import io.fusespill.host.exec.Device;
import io.fusespill.host.model.AttentionService;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// A GPU, or one of several logical devices on it, each with a pool, streams and graphs of its own.
public final class CudaAccelerator implements Accelerator {

  private final int gpu;
  private final CudaWeights weights;
  private final KvShape kv;
  private final ModelLimits limits;

  /// @param weights on that GPU; they stay open longer than what is made here
  /// @param kv of the weights' type
  public CudaAccelerator(int gpu, CudaWeights weights, KvShape kv, ModelLimits limits) {
    if (kv.type() != weights.type()) {
      throw new IllegalArgumentException(
          "KV of %s beside weights of %s: on a GPU both are of one type"
              .formatted(kv.type(), weights.type()));
    }
    this.gpu = gpu;
    this.weights = weights;
    this.kv = kv;
    this.limits = limits;
  }

  @Override
  public BlockStore.Remote store(Place place) {
    Context context = Context.open(gpu);
    try {
      return new CudaStore(context, place.name(), kv.blockBytes(), place.blocks());
    } catch (RuntimeException | Error e) {
      closeAfter(e, context);
      throw e;
    }
  }

  @Override
  public AutoCloseable pin(KvPool pool) {
    Context context = Context.open(gpu);
    try {
      PinnedRange range = context.pin(pool.memory(), "KV pool");
      return () -> {
        try (context) {
          range.close();
        }
      };
    } catch (RuntimeException | Error e) {
      closeAfter(e, context);
      throw e;
    }
  }

  @Override
  public Device device(
      Place place,
      BlockStore.Remote store,
      IntFunction<BlockStore> stores,
      IntFunction<@Nullable AttentionService> attention,
      Completions completions) {
    CudaStore own = (CudaStore) store;
    Context context = own.context();
    context.bind();
    Optional<CublasLt> blas = CublasLt.openIfFound(context);
    try (Context.Making making = context.make()) {
      CudaModel model =
          new CudaModel(context, weights, kv, own.address(0), own.blocks(), limits, blas);
      Device device =
          new CudaDevice(place, weights.config(), own, model, blas, stores, attention, completions);
      making.keep();
      return device;
    } catch (RuntimeException | Error e) {
      blas.ifPresent(library -> closeAfter(e, library));
      throw e;
    }
  }

  static void closeAfter(Throwable e, AutoCloseable what) {
    try {
      what.close();
    } catch (Exception suppressed) {
      e.addSuppressed(suppressed);
    }
  }
}
