package io.fusespill.cuda.exec;

import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.model.CudaModel;
import io.fusespill.cuda.model.CudaWeights;
import io.fusespill.cuda.model.ModelLimits;
import io.fusespill.cuda.model.RemoteAttention;
import io.fusespill.cuda.model.StepInput;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.host.model.KvShape;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/// What steps of a model cost on a GPU, from a handful of short passes: good enough for a policy to
/// start with, and no substitute for a fitted profile.
final class CudaProbe {

  private static final int REPEATS = 4;
  private static final int DECODES = 32;
  private static final int CONTEXT = 512;
  private static final int SHORT = 16;
  private static final int PROMPT = 512;
  private static final double PICOS = 1_000;

  /// Attends in no time, and badly.
  private static final RemoteAttention NOBODY =
      new RemoteAttention() {
        @Override
        public void begin(int layer, StepInput input, MemorySegment qkv, MemorySegment out) {}

        @Override
        public void await() {}
      };

  private final Context context;
  private final CudaModel model;
  private final Stream stream;
  private final StepInput input;
  private final Event begun;
  private final Event done;
  private final int[] table;
  private final int[] tokens = new int[PROMPT];

  private CudaProbe(Context context, CudaModel model, Stream stream, int blocks) {
    this.context = context;
    this.model = model;
    this.stream = stream;
    try (Context.Making making = context.make()) {
      input = model.input();
      begun = context.timedEvent();
      done = context.timedEvent();
      making.keep();
    }
    table = new int[blocks];
    for (int i = 0; i < blocks; i++) {
      table[i] = i;
    }
  }

  /// Takes a pool of its own meanwhile, for one sequence; all decodes read the same one.
  static <T> T measure(
      Context context,
      CudaWeights weights,
      KvShape kv,
      ModelLimits limits,
      BiFunction<CudaProbe, ModelLimits, T> what) {
    int tokens = Math.min(CONTEXT, limits.maxTokens());
    int blocks = kv.blocks(tokens);
    Optional<CublasLt> blas = CublasLt.openIfFound(context);
    try (DeviceBuffer pool = context.allocate(blocks * kv.blockBytes(), "probe's KV");
        Stream stream = context.stream("probe");
        CudaModel model =
            new CudaModel(context, weights, kv, pool.address(), blocks, limits, blas)) {
      stream.fill(pool.address(), (byte) 0, pool.bytes());
      CudaProbe probe = new CudaProbe(context, model, stream, blocks);
      try {
        return what.apply(probe, limits);
      } finally {
        probe.close();
      }
    } finally {
      blas.ifPresent(CublasLt::close);
    }
  }

  StepCosts measureSteps(ModelLimits limits) {
    int tokens = Math.min(CONTEXT, limits.maxTokens());
    int rows = Math.min(DECODES, limits.maxEntries());
    int prompt = Math.min(Math.min(PROMPT, tokens), limits.maxRows());
    int few = Math.min(SHORT, tokens);
    double one = nanos(in -> decodes(in, 1, few));
    double shortBatch = nanos(in -> decodes(in, rows, few));
    double longBatch = nanos(in -> decodes(in, rows, tokens));
    double whole = nanos(in -> in.prefill(this.tokens, 0, prompt, 0, table));
    int fewer = Math.max(1, prompt / 2);
    double half = nanos(in -> in.prefill(this.tokens, 0, fewer, 0, table));
    double contexts = Math.max(1, (double) rows * (tokens - few));
    return new StepCosts(
        0,
        Math.round(one),
        Math.round(Math.max(0, whole - half) * PICOS / Math.max(1, prompt - fewer)),
        0,
        Math.round(Math.max(0, shortBatch - one) * PICOS / Math.max(1, rows - 1)),
        Math.round(Math.max(0, longBatch - shortBatch) * PICOS / contexts),
        0,
        0,
        0);
  }

  long measureHandOff(ModelLimits limits) {
    int tokens = Math.min(SHORT, limits.maxTokens());
    double own = nanos(in -> decodes(in, 1, tokens));
    double handed = nanos(in -> in.sample(in.remote(0, -1, tokens, table), 0, 0, 1, 0, 0, 0));
    return Math.round(Math.max(0, handed - own));
  }

  private void decodes(StepInput in, int rows, int tokens) {
    for (int i = 0; i < rows; i++) {
      in.sample(in.decode(0, -1, tokens, table), 0, 0, 1, 0, 0, 0);
    }
  }

  /// The fastest of some passes, by the GPU's clock.
  private double nanos(Consumer<StepInput> entries) {
    context.bind();
    double best = Double.MAX_VALUE;
    for (int i = 0; i < REPEATS; i++) {
      input.clear();
      entries.accept(input);
      model.launch(input, stream, NOBODY, begun);
      stream.record(done);
      done.synchronize();
      best = Math.min(best, done.millisSince(begun) * 1e6);
    }
    return best;
  }

  private void close() {
    input.close();
    begun.close();
    done.close();
  }
}
