package io.fusespill.cuda.model;

import io.fusespill.cuda.blas.CublasLibrary;
import io.fusespill.cuda.blas.CublasLt;
import io.fusespill.cuda.blas.LinearShape;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.Event;
import io.fusespill.cuda.driver.GpuInfo;
import io.fusespill.cuda.driver.Graph;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.kernel.AttentionShape;
import io.fusespill.cuda.kernel.Kernels;
import io.fusespill.cuda.kernel.LinearMode;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.model.KvShape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A transformer that runs on a GPU, over a pool of KV blocks that somebody else keeps.
///
/// A step of decodes alone is padded to one of a few sizes and runs as one recorded graph: the
/// first step of a size runs kernel by kernel, the second is recorded. All other steps run kernel
/// by kernel.
///
/// For one thread at a time, bound to the context, and for one stream at a time: passes share their
/// workspace, and each may take tokens that the one before it sampled.
public final class CudaModel implements AutoCloseable {

  private static final int LAST_BUCKET = 256;

  /// Rows that steps of decodes are padded to; beyond, whole steps of the last.
  private static final int[] BUCKETS = {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, LAST_BUCKET};

  private final Context context;
  private final CudaWeights weights;
  private final ModelConfig config;
  private final KvShape kv;
  private final AttentionShape attention;
  private final long pool;
  private final int poolBlocks;
  private final ModelLimits limits;
  private final @Nullable CublasLt blas;
  private final Kernels kernels;
  private final CudaWeights.Layer[] layers;
  private final Workspace at;
  private final DeviceBuffer workspace;
  private final Event inputsReady;
  private @Nullable PinnedBuffer remoteInputs;
  private @Nullable PinnedBuffer remoteOutputs;

  /// Graphs by what they compute; empty where that ran once and is not recorded yet.
  private final Map<StepLayout, Optional<Graph>> graphs = new LinkedHashMap<>();

  /// A model over a pool on the same GPU; it closes neither the weights nor cuBLASLt.
  ///
  /// @param kv how a block of the pool lies in memory; of the weights' type
  /// @param poolAddress address of block 0; the blocks follow one another
  /// @param poolBlocks blocks of the pool, at least 1
  /// @param blas for linear layers of many rows; without it they are right but slow, as [#note]
  ///   says
  /// @throws io.fusespill.cuda.driver.CudaException if there is not enough device memory:
  ///   [#workspaceBytes]
  public CudaModel(
      Context context,
      CudaWeights weights,
      KvShape kv,
      long poolAddress,
      int poolBlocks,
      ModelLimits limits,
      Optional<CublasLt> blas) {
    check(weights, kv);
    this.context = context;
    this.weights = weights;
    this.kv = kv;
    this.poolBlocks = poolBlocks;
    this.limits = limits;
    this.blas = blas.orElse(null);
    pool = poolAddress;
    config = weights.config();
    attention = new AttentionShape(config.heads(), kv);
    layers = new CudaWeights.Layer[config.layers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = weights.layer(i);
    }
    at = workspace(context.gpu(), config, kv, poolBlocks, limits);
    workspace = context.allocate(at.bytes(), "model's workspace");
    inputsReady = context.event();
    try (Stream stream = context.stream("model's tables")) {
      kernels = new Kernels(context, weights.type(), stream);
      RotaryTable.upload(context, stream, config.rope(), limits.maxTokens(), address(at.cosSin()));
    }
  }

  private static void check(CudaWeights weights, KvShape kv) {
    KvShape needed = KvShape.of(weights.config(), kv.blockTokens(), weights.type());
    if (!kv.equals(needed)) {
      throw new IllegalArgumentException(
          "KV blocks must be %s for this model, got %s".formatted(needed, kv));
    }
  }

  /// Bytes of device memory that a model takes beside weights, KV and cuBLASLt, but for what the
  /// driver takes for kernels and graphs, some ten MiB.
  public static long workspaceBytes(
      GpuInfo gpu, ModelConfig config, KvShape kv, int poolBlocks, ModelLimits limits) {
    return workspace(gpu, config, kv, poolBlocks, limits).bytes() + Kernels.workspaceBytes(gpu);
  }

  private static Workspace workspace(
      GpuInfo gpu, ModelConfig config, KvShape kv, int poolBlocks, ModelLimits limits) {
    AttentionShape attention = new AttentionShape(config.heads(), kv);
    long partial = 0;
    for (int rows = 1; rows <= limits.maxEntries(); rows++) {
      int splits = Kernels.splits(gpu, attention, rows, limits.maxTokens());
      partial = Math.max(partial, Kernels.partialBytes(attention, rows, splits));
    }
    return Workspace.of(config, kv, poolBlocks, limits, partial);
  }

  /// What makes this model slower than it could be, in one line; empty if nothing does.
  public Optional<String> note() {
    return blas == null
        ? Optional.of(
            "steps of more than %d tokens are slow without cuBLASLt: %s"
                .formatted(kernels.linearRows(), CublasLibrary.find().missing()))
        : Optional.empty();
  }

  /// A new description of a pass for [#launch]; the caller closes it.
  public StepInput input() {
    return new StepInput(context, kv, config.vocabulary(), poolBlocks, limits);
  }

  /// [#launch(StepInput, Stream, RemoteAttention, Event)] that tells nobody when it begins.
  public void launch(StepInput input, Stream stream, @Nullable RemoteAttention remote) {
    launch(input, stream, remote, null);
  }

  /// Queues a pass: its input goes to the device, KV of the new tokens to the pool, tokens and
  /// logits come back. Returns at once, unless there are remote rows: then when the last layer's
  /// attention is done.
  ///
  /// @param input of this model, with at least one entry; not to be changed until the pass is done
  /// @param remote who attends for remote rows; may be null where there are none
  /// @param begun recorded once the input is on the device: what waits for the host until then is
  ///   not the device's work; null if nobody wants to know
  /// @throws IllegalArgumentException if there is no entry, or a remote row and nobody to attend
  public void launch(
      StepInput input, Stream stream, @Nullable RemoteAttention remote, @Nullable Event begun) {
    if (input.rows() == 0) {
      throw new IllegalArgumentException("a step needs at least one entry");
    }
    if (input.remotes() > 0 && remote == null) {
      throw new IllegalArgumentException(
          "the step has %d remote rows, and nobody attends to them".formatted(input.remotes()));
    }
    int bucket = input.decodes() == input.rows() ? bucket(input) : 0;
    StepLayout layout = input.layout(bucket);
    input.pack(layout);
    begin(input, layout, stream);
    if (begun != null) {
      stream.record(begun);
    }
    if (bucket > 0) {
      runRecorded(layout, stream);
    } else {
      run(
          layout,
          stream,
          remote != null && input.remotes() > 0 ? new Remote(input, stream, remote) : null);
    }
    copyLogits(input, stream);
  }

  /// Runs steps of decodes of each size up to 256 rows, so that their graphs, those for tables of
  /// up to 64 blocks, are recorded before anybody waits for them, then prompts of all numbers of
  /// rows that are common, because cuBLASLt loads each of its kernels when it first chooses it,
  /// which takes some 10 ms. Returns when that is done. Writes to the pool's first block.
  public void warmUp(Stream stream) {
    try (StepInput input = input()) {
      warmDecodes(input, stream);
      warmPrompts(input, stream);
    }
  }

  private void warmDecodes(StepInput input, Stream stream) {
    int[] table = {0};
    for (int bucket : BUCKETS) {
      int rows = Math.min(bucket, Math.min(limits.maxEntries(), limits.maxRows()));
      for (int pass = 0; pass < 2; pass++) {
        input.clear();
        for (int i = 0; i < rows; i++) {
          input.decode(0, -1, 1, table);
        }
        warm(input, stream);
      }
      if (rows < bucket) {
        return;
      }
    }
  }

  /// Each number of rows up to [Workspace#CHUNK_ROWS] that cuBLASLt multiplies, and beyond that
  /// four to each that doubles; one prompt at least.
  private void warmPrompts(StepInput input, Stream stream) {
    if (blas == null) {
      return;
    }
    int[] ids = new int[limits.maxTokens()];
    int[] table = new int[(ids.length + kv.blockTokens() - 1) / kv.blockTokens()];
    int most = (int) Math.min(limits.maxRows(), (long) limits.maxEntries() * ids.length);
    int rows = Math.min(kernels.linearRows(), most - 1);
    while (rows < most) {
      int next = rows < Workspace.CHUNK_ROWS ? rows + 1 : rows + Integer.highestOneBit(rows) / 4;
      rows = Math.min(Workspace.padded(next), most);
      input.clear();
      for (int left = rows; left > 0; left -= ids.length) {
        input.prefill(ids, 0, Math.min(left, ids.length), 0, table);
      }
      warm(input, stream);
    }
  }

  private void warm(StepInput input, Stream stream) {
    input.sample(0, 0, 0, 1, 0, 0, 0);
    launch(input, stream, null);
    stream.synchronize();
  }

  private int bucket(StepInput input) {
    int rows = Math.max(input.rows(), input.wanted());
    if (rows > limits.maxEntries()) {
      return 0;
    }
    for (int bucket : BUCKETS) {
      if (rows <= bucket && bucket < limits.maxEntries()) {
        return bucket;
      }
    }
    int beyond = (rows + LAST_BUCKET - 1) / LAST_BUCKET * LAST_BUCKET;
    return Math.min(beyond, limits.maxEntries());
  }

  private void runRecorded(StepLayout layout, Stream stream) {
    Optional<Graph> known = graphs.get(layout);
    if (known == null) {
      run(layout, stream, null);
      graphs.put(layout, Optional.empty());
      return;
    }
    Graph graph =
        known.orElseGet(() -> {
          String name = "decode of %d, tables of %d".formatted(layout.rows(), layout.tableStride());
          return stream.capture(name, () -> run(layout, stream, null));
        });
    if (known.isEmpty()) {
      graphs.put(layout, Optional.of(graph));
    }
    graph.launch(stream);
  }

  private void begin(StepInput input, StepLayout layout, Stream stream) {
    kernels.beginStep(
        stream,
        input.address(),
        address(at.input()),
        layout.bytes(),
        address(at.tokens()),
        input.address() + layout.tokens(),
        input.address() + layout.sources(),
        address(at.sampled()),
        layout.rows());
  }

  private void copyLogits(StepInput input, Stream stream) {
    if (input.logitsCount() > 0) {
      long row = (long) Float.BYTES * config.vocabulary();
      long from = address(at.logits()) + row * input.samples();
      stream.copyToHost(input.logitsAddress(), from, row * input.logitsCount());
    }
  }

  /// The whole pass. What it does depends on the layout alone, but for remote rows.
  private void run(StepLayout layout, Stream stream, @Nullable Remote remote) {
    int rows = layout.rows();
    long input = address(at.input());
    kernels.embed(
        stream,
        address(at.tokens()),
        weights.embedding(),
        address(at.residual()),
        rows,
        config.hidden());
    for (int i = 0; i < layers.length; i++) {
      CudaWeights.Layer layer = layers[i];
      normalise(stream, layer.inputNorm(), 0, rows);
      multiply(
          stream,
          layer.inputs(),
          at.normal(),
          at.inputs(),
          rows,
          attention.inputWidth(),
          config.hidden());
      kernels.ropeWriteKv(
          stream,
          attention,
          i,
          address(at.inputs()),
          layer.inputBias(),
          layer.queryNorm(),
          layer.keyNorm(),
          address(at.cosSin()),
          input + layout.positions(),
          input + layout.slots(),
          pool,
          rows,
          (float) config.normEpsilon());
      attend(i, layout, stream, remote);
      addProduct(
          stream,
          layer.output(),
          layer.outputBias(),
          at.attended(),
          0,
          rows,
          attention.queryWidth());
      normalise(stream, layer.feedForwardNorm(), 0, rows);
      feedForward(layer, rows, stream);
    }
    if (layout.wanted() > 0) {
      normalise(stream, weights.norm(), input + layout.rowIndex(), layout.wanted());
      projectHead(stream, layout.wanted());
      kernels.sample(
          stream,
          address(at.logits()),
          config.vocabulary(),
          input + layout.parameters(),
          address(at.sampled()),
          input + layout.answer(),
          layout.wanted());
    }
  }

  private void normalise(Stream stream, long weight, long rowIndex, int rows) {
    kernels.rmsNorm(
        stream,
        address(at.residual()),
        weight,
        address(at.normal()),
        rowIndex,
        rows,
        config.hidden(),
        (float) config.normEpsilon());
  }

  private void attend(int layer, StepLayout layout, Stream stream, @Nullable Remote remote) {
    if (remote != null) {
      remote.take(stream);
    }
    long input = address(at.input());
    if (layout.prefills() > 0) {
      kernels.attendPrefill(
          stream,
          attention,
          layer,
          address(at.inputs()),
          pool,
          input + layout.tables(),
          layout.tableStride(),
          input + layout.entries(),
          input + layout.tileList(),
          address(at.attended()),
          layout.tiles());
    }
    if (layout.decodes() > 0) {
      int contextMax =
          (int) Math.min((long) layout.tableStride() * kv.blockTokens(), limits.maxTokens());
      kernels.attendDecode(
          stream,
          attention,
          layer,
          address(at.inputs()),
          pool,
          input + layout.tables(),
          layout.tableStride(),
          input + layout.contexts(),
          address(at.attended()),
          address(at.partial()),
          layout.decodes(),
          Kernels.splits(context.gpu(), attention, layout.decodes(), contextMax),
          layout.prefills() > 0);
    }
    if (remote != null) {
      remote.give(layer, stream);
    }
  }

  private void feedForward(CudaWeights.Layer layer, int rows, Stream stream) {
    int inner = weights.inner();
    for (int first = 0; first < rows; first += Workspace.CHUNK_ROWS) {
      int count = Math.min(Workspace.CHUNK_ROWS, rows - first);
      long normal = at.normal() + 2L * first * config.hidden();
      CublasLt blas = blasFor(count);
      if (blas == null) {
        gated(stream, layer, normal, count);
      } else {
        LinearShape shape =
            new LinearShape(
                Workspace.padded(count),
                2 * inner,
                config.hidden(),
                weights.type(),
                weights.type(),
                layer.gateUpBiasNarrow() != 0,
                false);
        blas.linear(
            stream,
            shape,
            address(normal),
            layer.gateUp(),
            layer.gateUpBiasNarrow(),
            address(at.gateUp()));
        kernels.swiglu(stream, address(at.gateUp()), address(at.inner()), count, inner);
      }
      addProduct(stream, layer.down(), layer.downBias(), at.inner(), first, count, inner);
    }
  }

  private void gated(Stream stream, CudaWeights.Layer layer, long normal, int rows) {
    for (int first = 0; first < rows; first += kernels.linearRowsMax()) {
      kernels.linear(
          stream,
          LinearMode.GATED,
          address(normal + 2L * first * config.hidden()),
          layer.gateUp(),
          layer.gateUpBias(),
          address(at.inner() + 2L * first * weights.inner()),
          Math.min(kernels.linearRowsMax(), rows - first),
          weights.inner(),
          config.hidden());
    }
  }

  /// cuBLASLt where it is there and as fast as our kernels.
  private @Nullable CublasLt blasFor(int rows) {
    return rows <= kernels.linearRows() ? null : blas;
  }

  /// Rows of `y` become x · Wᵀ.
  private void multiply(
      Stream stream, long matrix, long x, long y, int rows, int outputs, int inputs) {
    CublasLt blas = blasFor(rows);
    if (blas != null) {
      LinearShape shape =
          LinearShape.of(Workspace.padded(rows), outputs, inputs, weights.type(), weights.type());
      blas.linear(stream, shape, address(x), matrix, 0, address(y));
    } else {
      linear(stream, LinearMode.STORE, matrix, 0, x, y, rows, outputs, inputs);
    }
  }

  /// Adds x · Wᵀ + bias to rows of the residual from `first` on.
  private void addProduct(
      Stream stream, long matrix, long bias, long x, int first, int rows, int inputs) {
    int outputs = config.hidden();
    long y = at.residual() + (long) Float.BYTES * first * outputs;
    CublasLt blas = blasFor(rows);
    if (blas != null) {
      LinearShape shape =
          new LinearShape(
              Workspace.padded(rows),
              outputs,
              inputs,
              weights.type(),
              ElementType.F32,
              bias != 0,
              true);
      blas.linear(stream, shape, address(x), matrix, bias, address(y));
    } else {
      linear(stream, LinearMode.ADD, matrix, bias, x, y, rows, outputs, inputs);
    }
  }

  private void projectHead(Stream stream, int rows) {
    int outputs = config.vocabulary();
    CublasLt blas = blasFor(rows);
    if (blas != null && LinearShape.fits(outputs)) {
      LinearShape shape =
          LinearShape.of(
              Workspace.padded(rows), outputs, config.hidden(), weights.type(), ElementType.F32);
      blas.linear(stream, shape, address(at.normal()), weights.head(), 0, address(at.logits()));
    } else {
      linear(
          stream,
          LinearMode.STORE_FLOAT,
          weights.head(),
          0,
          at.normal(),
          at.logits(),
          rows,
          outputs,
          config.hidden());
    }
  }

  /// A linear layer by our kernels, as many rows at a time as they take.
  private void linear(
      Stream stream,
      LinearMode mode,
      long matrix,
      long bias,
      long x,
      long y,
      int rows,
      int outputs,
      int inputs) {
    long outputBytes = mode == LinearMode.STORE ? Short.BYTES : Float.BYTES;
    for (int first = 0; first < rows; first += kernels.linearRowsMax()) {
      kernels.linear(
          stream,
          mode,
          address(x + (long) Short.BYTES * first * inputs),
          matrix,
          bias,
          address(y + outputBytes * first * outputs),
          Math.min(kernels.linearRowsMax(), rows - first),
          outputs,
          inputs);
    }
  }

  private long address(long offset) {
    return workspace.address(offset);
  }

  /// The remote rows of a pass. The device writes their inputs to pinned memory, and reads the
  /// outputs from there.
  private final class Remote {

    private final StepInput input;
    private final RemoteAttention attending;
    private final int inputNumbers;
    private final int outputNumbers;
    private final PinnedBuffer inputs;
    private final PinnedBuffer outputs;

    Remote(StepInput input, Stream stream, RemoteAttention attending) {
      this.input = input;
      this.attending = attending;
      inputNumbers = input.remotes() * attention.inputWidth();
      outputNumbers = input.remotes() * attention.queryWidth();
      inputs = grown(stream, remoteInputs, inputNumbers, attention.inputWidth());
      remoteInputs = inputs;
      outputs = grown(stream, remoteOutputs, outputNumbers, attention.queryWidth());
      remoteOutputs = outputs;
    }

    private PinnedBuffer grown(Stream stream, @Nullable PinnedBuffer old, int numbers, int width) {
      long bytes = (long) Float.BYTES * numbers;
      if (old != null && old.bytes() >= bytes) {
        return old;
      }
      long larger = Math.min(2 * bytes, (long) Float.BYTES * width * limits.maxEntries());
      PinnedBuffer grown = context.allocatePinned(larger, "remote rows");
      if (old != null) {
        // The pass before may still read its last outputs.
        stream.synchronize();
        old.close();
      }
      return grown;
    }

    /// Has the rows' queries, keys and values copied to the host.
    void take(Stream stream) {
      long from = at.inputs() + (long) Short.BYTES * input.decodes() * attention.inputWidth();
      kernels.widen(stream, address(from), inputs.address(), inputNumbers);
      stream.record(inputsReady);
    }

    /// Has them attended to, and the outputs copied to the device.
    void give(int layer, Stream stream) {
      inputsReady.synchronize();
      attending.begin(
          layer,
          input,
          inputs.memory().asSlice(0, (long) Float.BYTES * inputNumbers),
          outputs.memory().asSlice(0, (long) Float.BYTES * outputNumbers));
      attending.await();
      long to = at.attended() + (long) Short.BYTES * input.decodes() * attention.queryWidth();
      kernels.narrow(stream, outputs.address(), address(to), outputNumbers);
    }
  }

  /// Waits for the device, then frees what the model has there. Does nothing the second time.
  @Override
  public void close() {
    context.settle();
    for (Optional<Graph> graph : graphs.values()) {
      graph.ifPresent(Graph::close);
    }
    graphs.clear();
    kernels.close();
    inputsReady.close();
    workspace.close();
    if (remoteInputs != null) {
      remoteInputs.close();
    }
    if (remoteOutputs != null) {
      remoteOutputs.close();
    }
  }
}
