package io.fusespill.cuda.kernel;

import io.fusespill.cuda.driver.Arguments;
import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.cuda.driver.DeviceBuffer;
import io.fusespill.cuda.driver.GpuInfo;
import io.fusespill.cuda.driver.Kernel;
import io.fusespill.cuda.driver.KernelModule;
import io.fusespill.cuda.driver.LaunchShape;
import io.fusespill.cuda.driver.Stream;
import io.fusespill.cuda.driver.TensorMap;
import io.fusespill.host.checkpoint.ElementType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Our kernels for one element type, T below: BF16 or F16. What each computes stands in its source,
/// `src/main/cuda`; here are the grids.
///
/// All `long`s are addresses of device memory, 16-byte aligned; 0 is the null pointer, where one is
/// allowed. Counts of rows are at least 1. Sums are float32.
///
/// For one thread at a time, bound to the context, and for one stream at a time: linear layers
/// share a workspace.
public final class Kernels implements AutoCloseable {

  /// Rows of a prefill entry that one tile holds.
  public static final int TILE_ROWS = 128;

  /// Bytes of the parameters of one sample: float32 temperature, int32 top_k, float32 top_p,
  /// float32 min_p, int64 key, int64 position.
  public static final int SAMPLE_BYTES = 32;

  private static final String RESOURCE = "kernels.fatbin";

  /// Compute capability, as the version of the PTX that machine code is of, whose kernels wait for
  /// those before, and add up in clusters; those for earlier ones do not, wherever they run.
  private static final int EARLY_PTX = 90;

  /// Most rows of a product for which the kernels of [LinearKernel] are as fast as cuBLASLt. Those
  /// of [WideTiling] take over behind them, where there are any.
  public static final int FEW_ROWS = 32;

  /// [#linear] reads rows of x up to a multiple of these, and makes nothing of what is beyond.
  public static final int LINEAR_ROWS_STEP = WideTiling.BATCH_STEP;

  /// Widths of heads and tokens of boxes for which decodes have kernels that the copy engine of
  /// compute capability 9.0 brings KV to.
  private static final int[] BOXED_HEAD_DIMS = {64, 128};

  private static final int BOX_TOKENS = 16;
  private static final int BOXED_SHARED_BYTES = 66_560;

  private static final int LINEAR_SHARED_BYTES = 98_304;

  /// What the driver takes of each block's shared memory, and a little more.
  private static final int RESERVED_SHARED_BYTES = 2_048;

  private static final int LINEAR_TILES_MAX = 65_535;
  private static final int SPLITS_MAX = 64;
  private static final int SPLIT_TOKENS_MIN = 128;
  private static final int HEADS_A_BLOCK = 8;
  private static final int COPYING_BLOCKS = 16;
  private static final int BEGINNING_BLOCKS = 64;
  private static final int SAMPLING_BLOCKS_MAX = 8;
  private static final int VOCABULARY_MAX = 1 << 19;

  private final ElementType type;
  private final KernelModule module;
  private final int linearSlots;
  private final int multiprocessors;

  /// Whether kernels begin before those before them have ended, and wait for them themselves.
  private final boolean early;

  private final DeviceBuffer linearWorkspace;
  private final long arrivals;
  private final Arguments arguments = new Arguments();

  private final Kernel beginStep;
  private final Kernel embed;
  private final Kernel rmsNorm;
  private final Kernel ropeWriteKv;
  private final Kernel attendDecode;

  /// By the width of a head; none where the GPU has no such kernels.
  private final Map<Integer, Kernel> attendBoxes;

  /// By what they describe; there is one pool, but in tests.
  private final Map<PoolOfHeads, TensorMap> pools = new HashMap<>();

  private final Kernel attendMerge;
  private final Kernel attendPrefill;
  private final Kernel swiglu;
  private final Kernel[] linear;

  /// Null where the GPU has no such kernels.
  private final @Nullable WideLinear wide;

  private final Kernel sample;
  private final Kernel copyBlocks;
  private final Kernel widen;
  private final Kernel narrow;

  /// Loads the kernels; `stream` is where the workspace is made ready.
  ///
  /// @throws CudaException if this program came without compiled kernels, or the GPU runs none of
  ///   them: they need compute capability 8.0
  public Kernels(Context context, ElementType type, Stream stream) {
    String suffix =
        switch (type) {
          case BF16 -> "_bf16";
          case F16 -> "_f16";
          case F32 ->
              throw new IllegalArgumentException("kernels are for BF16 or F16, got " + type);
        };
    this.type = type;
    linearSlots = linearSlots(context.gpu());
    multiprocessors = context.gpu().multiprocessors();
    module = context.load(image(), RESOURCE);
    beginStep = module.kernel("begin_step");
    early = beginStep.ptxVersion() >= EARLY_PTX;
    embed = module.kernel("embed" + suffix);
    rmsNorm = module.kernel("rms_norm" + suffix);
    ropeWriteKv = module.kernel("rope_write_kv" + suffix);
    attendDecode = module.kernel("attend_decode" + suffix);
    attendBoxes = early ? boxKernels(suffix) : Map.of();
    attendMerge = module.kernel("attend_merge" + suffix);
    attendPrefill = module.kernel("attend_prefill" + suffix);
    swiglu = module.kernel("swiglu" + suffix);
    sample = module.kernel("sample");
    copyBlocks = module.kernel("copy_blocks" + suffix);
    widen = module.kernel("widen" + suffix);
    narrow = module.kernel("narrow" + suffix);
    LinearKernel[] linears = LinearKernel.values();
    linear = new Kernel[linears.length];
    for (int i = 0; i < linear.length; i++) {
      linear[i] = module.kernel(linears[i].symbol() + suffix);
      linear[i].allowShared(LINEAR_SHARED_BYTES);
    }
    wide = early ? new WideLinear(module, suffix, multiprocessors) : null;
    attendPrefill.allowShared(prefillSharedBytes(128));
    linearWorkspace = context.allocate(workspaceBytes(context.gpu()), "linear layers' workspace");
    arrivals = linearWorkspace.address(shareBytes(context.gpu()));
    stream.fill(arrivals, (byte) 0, 4L * linearSlots);
  }

  /// A pool at an address, as rows of a head's width.
  private record PoolOfHeads(long address, int headDim) {}

  private Map<Integer, Kernel> boxKernels(String suffix) {
    Map<Integer, Kernel> kernels = new HashMap<>();
    for (int headDim : BOXED_HEAD_DIMS) {
      Kernel kernel = module.kernel("attend_decode_d" + headDim + suffix);
      kernel.allowShared(BOXED_SHARED_BYTES);
      kernels.put(headDim, kernel);
    }
    return kernels;
  }

  private static byte[] image() {
    try (InputStream in = Kernels.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new CudaException(
            "this program came without compiled kernels: cuda/kernels.sh compiles them");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + RESOURCE, e);
    }
  }

  /// The element type T.
  public ElementType type() {
    return type;
  }

  /// Bytes that this takes on the device beside the kernels themselves.
  public static long workspaceBytes(GpuInfo gpu) {
    return shareBytes(gpu) + 4L * linearSlots(gpu);
  }

  /// Bytes of the sums that blocks leave for each other where they form no clusters. Those that
  /// share tiles all run at once.
  private static long shareBytes(GpuInfo gpu) {
    return 4L * linearSlots(gpu) * LinearKernel.NUMBERS_MAX;
  }

  /// Blocks of a linear layer that run at once.
  private static int linearSlots(GpuInfo gpu) {
    int two = 2 * (LINEAR_SHARED_BYTES + RESERVED_SHARED_BYTES);
    return gpu.multiprocessors() * (two <= gpu.sharedBytesMax() ? 2 : 1);
  }

  /// Begins a step once all before it is done: copies its input, and `tokens[i]` becomes
  /// `lastSampled[source[i]]`, or `fromHost[i]` where the source is negative.
  ///
  /// @param from pinned host memory
  /// @param bytes a multiple of 16
  /// @param fromHost int32 a row, pinned or on the device, as `source`
  public void beginStep(
      Stream stream,
      long from,
      long input,
      long bytes,
      long tokens,
      long fromHost,
      long source,
      long lastSampled,
      int rows) {
    int words = Math.toIntExact(bytes / 16);
    arguments.clear().pointer(from).pointer(input).int32(words);
    arguments.pointer(tokens).pointer(fromHost).pointer(source).pointer(lastSampled).int32(rows);
    int blocks = Math.min(BEGINNING_BLOCKS, ceil(Math.max(words, rows), 256));
    beginStep.launch(stream, LaunchShape.of(blocks, 256), arguments);
  }

  /// `residual` becomes rows of the table, T to float32; zeros for the token -1. Begins once all
  /// before it is done.
  public void embed(Stream stream, long tokens, long table, long residual, int rows, int hidden) {
    arguments.clear().pointer(tokens).pointer(table).pointer(residual).int32(rows).int32(hidden);
    embed.launch(stream, LaunchShape.of(rows, 256), arguments);
  }

  /// Writes the RMSNorm of `residual` (float32) as T.
  ///
  /// @param weight float32
  /// @param rowIndex may be null; else the row of `residual` that row i of `out` is of, -1 for
  ///   zeros
  public void rmsNorm(
      Stream stream,
      long residual,
      long weight,
      long out,
      long rowIndex,
      int rows,
      int hidden,
      float epsilon) {
    arguments.clear().pointer(residual).pointer(weight).pointer(out);
    arguments.pointer(rowIndex).int32(rows).int32(hidden).float32(epsilon);
    launch(rmsNorm, stream, LaunchShape.of(rows, 512));
  }

  /// Adds the bias, normalises and rotates queries and keys, and writes keys and values to the
  /// pool; where a row's slot is -1, they stay in `qkv`. Positions and slots are there since
  /// [#beginStep].
  ///
  /// @param bias float32, may be null
  /// @param queryNorm float32 `[headDim]`, may be null
  /// @param keyNorm float32 `[headDim]`, may be null
  /// @param cosSin float32 `[position][headDim]`: cosines of the pairs, then their sines
  /// @param slots block · blockTokens + place in the block
  /// @param pool address of block 0
  public void ropeWriteKv(
      Stream stream,
      AttentionShape shape,
      int layer,
      long qkv,
      long bias,
      long queryNorm,
      long keyNorm,
      long cosSin,
      long positions,
      long slots,
      long pool,
      int rows,
      float epsilon) {
    arguments.clear().pointer(qkv).pointer(bias).pointer(queryNorm).pointer(keyNorm);
    arguments.pointer(cosSin).pointer(positions).pointer(slots).pointer(pool);
    arguments.int64(shape.blockElements()).int64(shape.layerElements(layer)).int32(rows);
    arguments.int32(shape.heads()).int32(shape.kvHeads()).int32(shape.headDim());
    arguments.int32(shape.kv().blockTokens()).float32(epsilon);
    int heads = shape.heads() + 2 * shape.kvHeads();
    launch(ropeWriteKv, stream, LaunchShape.of(rows, ceil(heads, 8), 1, 256));
  }

  /// Into how many splits [#attendDecode] had best cut contexts of up to `contextMax` tokens.
  public static int splits(GpuInfo gpu, AttentionShape shape, int rows, int contextMax) {
    int blocks = Math.multiplyExact(rows, shape.kvHeads() * headTiles(shape));
    int filling = (rows == 1 ? 1 : 2) * gpu.multiprocessors() / blocks;
    return Math.clamp(Math.min(ceil(contextMax, SPLIT_TOKENS_MIN), filling), 1, SPLITS_MAX);
  }

  /// Bytes of the partial results of [#attendDecode]; 0 for one split.
  public static long partialBytes(AttentionShape shape, int rows, int splits) {
    return splits == 1 ? 0 : 4L * rows * shape.heads() * splits * (shape.headDim() + 2);
  }

  /// Attention of one query a row to a paged context, the new token included: that one written by
  /// the kernel before, the others, and tables and contexts, before [#beginStep].
  ///
  /// @param tables block ids, `tableStride` a row
  /// @param contexts tokens a row; 0 gives zeros
  /// @param out T `[row][heads * headDim]`
  /// @param partial of [#partialBytes]
  /// @param beside whether the kernel before is [#attendPrefill] of the same step: then both run at
  ///   once where the GPU allows it
  public void attendDecode(
      Stream stream,
      AttentionShape shape,
      int layer,
      long qkv,
      long pool,
      long tables,
      int tableStride,
      long contexts,
      long out,
      long partial,
      int rows,
      int splits,
      boolean beside) {
    LaunchShape grid = LaunchShape.of(splits, shape.kvHeads() * headTiles(shape), rows, 128);
    int blockTokens = shape.kv().blockTokens();
    Kernel boxes = blockTokens % BOX_TOKENS == 0 ? attendBoxes.get(shape.headDim()) : null;
    arguments.clear();
    if (boxes == null || beside) {
      arguments.pointer(qkv).int32(shape.inputWidth()).pointer(pool);
      addPlaces(shape, layer, tables, tableStride, contexts, out, partial, rows);
      arguments.int32(shape.headDim()).int32(blockTokens).float32(shape.scale()).int32(splits);
      arguments.int32(beside ? 1 : 0);
      launch(attendDecode, stream, grid);
    } else {
      arguments.tensorMap(
          pools.computeIfAbsent(
              new PoolOfHeads(pool, shape.headDim()),
              it -> new TensorMap(it.address, it.headDim, Integer.MAX_VALUE, 1, BOX_TOKENS, 1)));
      arguments.pointer(qkv).int32(shape.inputWidth());
      addPlaces(shape, layer, tables, tableStride, contexts, out, partial, rows);
      arguments.int32(blockTokens).float32(shape.scale()).int32(splits);
      boxes.launchEarly(stream, grid.withShared(BOXED_SHARED_BYTES), arguments);
    }
    if (splits > 1) {
      arguments.clear().pointer(partial).pointer(contexts).pointer(out).int32(rows);
      arguments.int32(shape.heads()).int32(shape.headDim()).int32(splits);
      launch(attendMerge, stream, LaunchShape.of(ceil(shape.heads(), 4), rows, 1, 128));
    }
  }

  /// What all kernels of decodes' attention take, up to the count of KV heads.
  private void addPlaces(
      AttentionShape shape,
      int layer,
      long tables,
      int tableStride,
      long contexts,
      long out,
      long partial,
      int rows) {
    arguments.int64(shape.blockElements()).int64(shape.layerElements(layer));
    arguments.pointer(tables).int32(tableStride).pointer(contexts).pointer(out).pointer(partial);
    arguments.int32(rows).int32(shape.heads()).int32(shape.kvHeads());
  }

  /// Causal attention of the rows of prefill entries to paged contexts, their own tokens included.
  ///
  /// @param entries `{first row, rows, position of the first, row of its table}` each
  /// @param tiles `{entry, first row within it}` each, of [#TILE_ROWS] rows; longest contexts first
  public void attendPrefill(
      Stream stream,
      AttentionShape shape,
      int layer,
      long qkv,
      long pool,
      long tables,
      int tableStride,
      long entries,
      long tiles,
      long out,
      int tileCount) {
    arguments.clear().pointer(qkv).int32(shape.inputWidth()).pointer(pool);
    arguments.int64(shape.blockElements()).int64(shape.layerElements(layer));
    arguments.pointer(tables).int32(tableStride).pointer(entries).pointer(tiles).pointer(out);
    arguments.int32(tileCount).int32(shape.heads()).int32(shape.kvHeads());
    arguments.int32(shape.headDim()).int32(shape.kv().blockTokens()).float32(shape.scale());
    LaunchShape grid =
        LaunchShape.of(shape.heads(), tileCount, 1, 128)
            .withShared(shape.headDim() <= 128 ? prefillSharedBytes(shape.headDim()) : 0);
    launch(attendPrefill, stream, grid);
  }

  private static int prefillSharedBytes(int headDim) {
    return 512 * (headDim + 8);
  }

  private static int headTiles(AttentionShape shape) {
    return ceil(shape.heads() / shape.kvHeads(), HEADS_A_BLOCK);
  }

  /// `out` becomes silu(gate) · up.
  ///
  /// @param gateUp T `[row][2 * inner]`: gate, then up
  public void swiglu(Stream stream, long gateUp, long out, int rows, int inner) {
    arguments.clear().pointer(gateUp).pointer(out).int32(rows).int32(inner);
    int blocks = Math.toIntExact(((long) rows * inner + 2_047) / 2_048);
    launch(swiglu, stream, LaunchShape.of(blocks, 256));
  }

  /// Up to how many rows products had, on the whole, best be [#linear]'s, where there is cuBLASLt:
  /// 32, or 192 on GPUs of compute capability 9.0.
  public int linearRows() {
    return wide == null ? FEW_ROWS : WideTiling.ROWS_MAX;
  }

  /// Most rows of [#linear].
  public int linearRowsMax() {
    return wide == null ? LinearKernel.BATCH_MAX : WideTiling.ROWS_MAX;
  }

  /// y = x · Wᵀ + bias for few rows.
  ///
  /// @param x T `[row][inputs]`, with memory for a multiple of [#LINEAR_ROWS_STEP] rows
  /// @param weights T `[outputs][inputs]`; gated: `[2 * outputs][inputs]`
  /// @param bias float32, a number for each row of the weights; may be null
  /// @param rows 1 to [#linearRowsMax]
  /// @param inputs a multiple of 8
  public void linear(
      Stream stream,
      LinearMode mode,
      long x,
      long weights,
      long bias,
      long y,
      int rows,
      int outputs,
      int inputs) {
    if (rows < 1 || rows > linearRowsMax() || inputs % 8 != 0) {
      throw new IllegalArgumentException(
          "rows must be 1 to %d and inputs a multiple of 8, got %d and %d"
              .formatted(linearRowsMax(), rows, inputs));
    }
    if (wide != null && rows > FEW_ROWS) {
      wide.multiply(arguments, stream, mode, x, weights, bias, y, rows, outputs, inputs);
      return;
    }
    int weightRows = mode == LinearMode.GATED ? 2 * outputs : outputs;
    LinearTiling tiling = LinearTiling.of(rows, weightRows, linearSlots);
    int tiles = tiling.kernel().tiles(weightRows);
    if (tiles > LINEAR_TILES_MAX) {
      throw new IllegalArgumentException(
          "the matrix must have at most %d rows, got %d"
              .formatted(tiling.kernel().tileRows * LINEAR_TILES_MAX, weightRows));
    }
    arguments.clear().pointer(x).pointer(weights).pointer(bias).pointer(y);
    arguments.int32(rows).int32(outputs).int32(inputs).int32(mode.ordinal());
    arguments.pointer(linearWorkspace.address()).pointer(arrivals);
    LaunchShape grid =
        LaunchShape.of(tiling.splits(), tiles, 1, 256)
            .withShared(LINEAR_SHARED_BYTES)
            .withCluster(early ? tiling.splits() : 1);
    launch(linear[tiling.kernel().ordinal()], stream, grid);
  }

  /// Picks a token for each row of float32 logits, as the host's sampler does; -1 for a row without
  /// a finite maximum.
  ///
  /// @param parameters [#SAMPLE_BYTES] a row
  /// @param vocabulary at most 524,288
  /// @param tokens int32 a row
  /// @param copy may be null; else where the address of pinned host memory stands to which the
  ///   tokens go, too, or 0
  public void sample(
      Stream stream,
      long logits,
      int vocabulary,
      long parameters,
      long tokens,
      long copy,
      int rows) {
    if (vocabulary > VOCABULARY_MAX) {
      throw new IllegalArgumentException(
          "the vocabulary must have at most %,d tokens, got %,d"
              .formatted(VOCABULARY_MAX, vocabulary));
    }
    arguments.clear().pointer(logits).int32(vocabulary).int32(vocabulary).pointer(parameters);
    arguments.pointer(tokens).pointer(copy).int32(rows);
    int blocks = early ? Math.clamp(multiprocessors / rows, 1, SAMPLING_BLOCKS_MAX) : 1;
    blocks = Integer.highestOneBit(blocks);
    launch(sample, stream, LaunchShape.of(blocks, rows, 1, 1_024).withCluster(blocks));
  }

  /// Copies blocks within the pool; no block is read and written by one call.
  ///
  /// @param pairs `{from, to}` each, int32
  public void copyBlocks(Stream stream, AttentionShape shape, long pool, long pairs, int count) {
    arguments.clear().pointer(pool).pointer(pairs).int32(count).int64(shape.blockElements());
    launch(copyBlocks, stream, LaunchShape.of(COPYING_BLOCKS, count, 1, 256));
  }

  /// `to` (float32) becomes the numbers of `from` (T). Either may be pinned host memory.
  ///
  /// @param count a multiple of 8
  public void widen(Stream stream, long from, long to, int count) {
    convert(widen, stream, from, to, count);
  }

  /// `to` (T) becomes the numbers of `from` (float32), rounded. Either may be pinned host memory.
  ///
  /// @param count a multiple of 8
  public void narrow(Stream stream, long from, long to, int count) {
    convert(narrow, stream, from, to, count);
  }

  private void convert(Kernel kernel, Stream stream, long from, long to, int count) {
    arguments.clear().pointer(from).pointer(to).int32(count);
    launch(kernel, stream, LaunchShape.of(ceil(count, 2_048), 256));
  }

  private void launch(Kernel kernel, Stream stream, LaunchShape shape) {
    if (early) {
      kernel.launchEarly(stream, shape, arguments);
    } else {
      kernel.launch(stream, shape, arguments);
    }
  }

  private static int ceil(int number, int divisor) {
    return (int) (((long) number + divisor - 1) / divisor);
  }

  @Override
  public void close() {
    linearWorkspace.close();
    module.close();
  }
}
