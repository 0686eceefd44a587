package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.Linear;
import io.fusespill.host.kernel.RangeTask;
import io.fusespill.host.kernel.Rows;
import io.fusespill.host.kernel.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A transformer that runs on the CPU. One pass at a time.
///
/// What a sequence's tokens give does not depend, to the bit, on what else is in the batch, on how
/// its prompt is cut into passes, on the number of threads, on its blocks, or on whether its KV is
/// remote (in blocks of the same type). It does depend on the machine's vector width.
///
/// Memory grows to the largest batch; a pass no larger than those before allocates nothing. Where
/// there is none, the pass fails and the next may be smaller.
public final class HostModel implements AutoCloseable {

  /// Numbers that one thread goes through faster than another wakes up.
  private static final int SMALL = 1 << 14;

  private static final int FIRST_POSITIONS = 1_024;

  private final ModelWeights weights;
  private final ModelConfig config;
  private final WorkerPool workers;
  private final Arena arena = Arena.ofShared();
  private final PagedAttention attention;
  private final Linear[] scratch;
  private final Product product = new Product();
  private final AttentionCall localCall = new AttentionCall();
  private final AttentionCall remoteCall = new AttentionCall();

  private final RangeTask embed = this::embed;
  private final RangeTask normaliseInput = this::normaliseInput;
  private final RangeTask rotate = this::rotate;
  private final RangeTask packAttended = this::packAttended;
  private final RangeTask normaliseAttended = this::normaliseAttended;
  private final RangeTask feedForward = this::feedForward;
  private final RangeTask normaliseLast = this::normaliseLast;

  private RopeTable rope;
  private Activations activations;
  private Logits logits;
  private int[] tokens = new int[0];
  private int[] positions = new int[0];
  private int[] wantedRows = new int[0];
  private int[] logitsRows = new int[0];
  private int rows;
  private int entries;
  private int wanted;
  private ModelWeights.Layer layer;

  /// A model that computes on `workers`; it closes neither them nor the weights.
  public HostModel(ModelWeights weights, WorkerPool workers) {
    this.weights = weights;
    this.workers = workers;
    config = weights.config();
    attention = new PagedAttention(config, workers);
    rope = new RopeTable(config.rope(), FIRST_POSITIONS);
    scratch = new Linear[workers.threads()];
    Arrays.setAll(scratch, i -> new Linear(arena));
    activations = new Activations(1);
    logits = new Logits(1);
    layer = weights.layer(0);
  }

  private int queryWidth() {
    return config.heads() * config.headDim();
  }

  private int inputWidth() {
    return queryWidth() + 2 * config.kvWidth();
  }

  /// Computes a batch: writes the new tokens' keys and values to their blocks, and the logits that
  /// are wanted to [#logits].
  ///
  /// @param pool where the KV of entries that are not remote lies
  /// @param remote who attends for remote entries; may be null where there are none
  /// @throws IllegalArgumentException if a token is not in the vocabulary, or a block not in the
  ///   pool; then nothing has been written
  public void forward(Batch batch, KvPool pool, @Nullable AttentionService remote) {
    check(batch, pool, remote);
    prepare(batch);
    eachRow(embed, rows, config.hidden());
    for (int i = 0; i < config.layers(); i++) {
      layer = weights.layer(i);
      eachRow(normaliseInput, rows, config.hidden());
      projectInputs();
      eachRow(rotate, rows, inputWidth());
      attend(i, pool, remote);
      eachRow(packAttended, rows, queryWidth());
      projectOutput();
      eachRow(normaliseAttended, rows, config.hidden());
      workers.run(feedForward, config.intermediate(), feedForwardChunk());
      projectDown();
    }
    eachRow(normaliseLast, wanted, config.hidden());
    projectHead();
    localCall.clear();
    remoteCall.clear();
  }

  private void check(Batch batch, KvPool pool, @Nullable AttentionService remote) {
    PagedAttention.check(pool, config);
    for (int row = 0; row < batch.rows(); row++) {
      int token = batch.token(row);
      if (token < 0 || token >= config.vocabulary()) {
        throw new IllegalArgumentException(
            "token must be 0 to %d, got %d".formatted(config.vocabulary() - 1, token));
      }
    }
    for (int entry = 0; entry < batch.entries(); entry++) {
      if (!batch.remote(entry)) {
        PagedAttention.check(pool, batch.start(entry), batch.rows(entry), batch.table(entry));
      } else if (remote == null) {
        throw new IllegalArgumentException(
            "entry %d is remote, and there is no attention service".formatted(entry));
      }
    }
  }

  private void prepare(Batch batch) {
    rows = batch.rows();
    entries = batch.entries();
    grow();
    wanted = 0;
    int last = 0;
    localCall.clear();
    remoteCall.clear();
    for (int entry = 0; entry < entries; entry++) {
      int first = batch.firstRow(entry);
      int count = batch.rows(entry);
      int start = batch.start(entry);
      for (int i = 0; i < count; i++) {
        tokens[first + i] = batch.token(first + i);
        positions[first + i] = start + i;
      }
      last = Math.max(last, start + count);
      AttentionCall call = batch.remote(entry) ? remoteCall : localCall;
      call.add(first, count, start, batch.table(entry));
      logitsRows[entry] = -1;
      if (batch.logits(entry)) {
        wantedRows[wanted] = first + count - 1;
        logitsRows[entry] = wanted++;
      }
    }
    if (last > rope.positions()) {
      int larger = (int) Math.min(2L * rope.positions(), Integer.MAX_VALUE);
      RopeTable longer = new RopeTable(config.rope(), Math.max(last, larger));
      rope.close();
      rope = longer;
    }
    if (wanted > logits.capacity) {
      Logits more = new Logits(Math.max(wanted, 2 * logits.capacity));
      logits.close();
      logits = more;
    }
  }

  private void grow() {
    if (rows > activations.capacity) {
      Activations more = new Activations(Math.max(rows, 2 * activations.capacity));
      activations.close();
      activations = more;
    }
    if (rows > tokens.length) {
      tokens = new int[activations.capacity];
      positions = new int[activations.capacity];
    }
    if (entries > logitsRows.length) {
      wantedRows = new int[2 * entries];
      logitsRows = new int[2 * entries];
    }
  }

  private void eachRow(RangeTask task, int rows, int width) {
    boolean small = (long) rows * width <= SMALL;
    workers.run(task, rows, small ? Math.max(1, rows) : 1 + rows / (8 * workers.threads()));
  }

  private void embed(int worker, int from, int to) {
    for (int row = from; row < to; row++) {
      Rows.widen(weights.embedding(), tokens[row], activations.residual(row));
    }
  }

  private void normaliseInput(int worker, int from, int to) {
    boolean packed = layer.query().matrix().packed();
    for (int row = from; row < to; row++) {
      normalise(activations.residual(row), layer.inputNorm(), activations.normal(row), packed);
    }
  }

  private void normaliseAttended(int worker, int from, int to) {
    boolean packed = layer.gate().matrix().packed();
    for (int row = from; row < to; row++) {
      normalise(
          activations.residual(row), layer.feedForwardNorm(), activations.normal(row), packed);
    }
  }

  private void normaliseLast(int worker, int from, int to) {
    boolean packed = weights.head().matrix().packed();
    for (int i = from; i < to; i++) {
      long row = activations.residual(wantedRows[i]);
      normalise(row, weights.norm(), activations.normal(i), packed);
    }
  }

  private void normalise(long row, long weight, long target, boolean packed) {
    Rows.normalise(row, weight, config.normEpsilon(), target, config.hidden(), packed);
  }

  private void projectInputs() {
    product.begin(activations.normal(0), activations.normalBytes, rows);
    long output = activations.inputs.address();
    long stride = 4L * inputWidth();
    product.add(layer.query(), output);
    product.add(layer.key(), output + 4L * queryWidth());
    product.add(layer.value(), output + 4L * (queryWidth() + config.kvWidth()));
    product.run(stride, false);
  }

  private void projectOutput() {
    product.begin(activations.packedAttended(0), activations.attendedBytes, rows);
    product.add(layer.output(), activations.residual(0));
    product.run(4L * config.hidden(), true);
  }

  private void projectDown() {
    product.begin(activations.inner(0), activations.innerBytes, rows);
    product.add(layer.down(), activations.residual(0));
    product.run(4L * config.hidden(), true);
  }

  private void projectHead() {
    product.begin(activations.normal(0), activations.normalBytes, wanted);
    product.add(weights.head(), logits.memory.address());
    product.run(4L * config.vocabulary(), false);
  }

  private void rotate(int worker, int from, int to) {
    int headDim = config.headDim();
    int heads = config.heads() + config.kvHeads();
    for (int row = from; row < to; row++) {
      long head = activations.inputs.address() + row * 4L * inputWidth();
      long cosines = rope.cosines(positions[row]);
      long sines = rope.sines(positions[row]);
      for (int i = 0; i < heads; i++) {
        long norm = i < config.heads() ? layer.queryNorm() : layer.keyNorm();
        if (norm != 0) {
          Rows.normalise(head, norm, config.normEpsilon(), head, headDim, false);
        }
        Rows.rotate(head, cosines, sines, headDim / 2);
        head += 4L * headDim;
      }
    }
  }

  private void attend(int layer, KvPool pool, @Nullable AttentionService remote) {
    localCall.at(layer, activations.inputs, activations.attended);
    if (remote == null || remoteCall.entries() == 0) {
      attention.run(localCall, pool);
      return;
    }
    remoteCall.at(layer, activations.inputs, activations.attended);
    remote.submit(remoteCall);
    try {
      attention.run(localCall, pool);
    } finally {
      remote.await();
    }
  }

  private void packAttended(int worker, int from, int to) {
    boolean packed = layer.output().matrix().packed();
    for (int row = from; row < to; row++) {
      long attended = activations.attended.address() + row * 4L * queryWidth();
      Rows.arrange(attended, activations.packedAttended(row), queryWidth(), packed);
    }
  }

  private int feedForwardChunk() {
    return Linear.chunk(layer.gate().matrix(), rows, workers.threads(), Rows.GRAIN);
  }

  private void feedForward(int worker, int from, int to) {
    scratch[worker].gated(
        layer.gate().matrix(),
        layer.up().matrix(),
        from,
        to,
        activations.normal(0),
        activations.normalBytes,
        rows,
        layer.gate().bias(),
        layer.up().bias(),
        activations.inner(0),
        activations.innerBytes,
        layer.down().matrix().packed());
  }

  /// The logits of the last pass: rows of `vocabulary` f32, one for each entry that wanted them, in
  /// the order of the entries. The next pass writes over it, and may put another in its place.
  public MemorySegment logits() {
    return logits.memory;
  }

  /// Copies the logits of `entry` of the last pass to the first `vocabulary` numbers of `target`.
  public void copyLogits(int entry, float[] target) {
    long from = (long) logitsRow(entry) * config.vocabulary() * Float.BYTES;
    MemorySegment.copy(logits.memory, ValueLayout.JAVA_FLOAT, from, target, 0, config.vocabulary());
  }

  /// The token with the largest logit of `entry` in the last pass, the smallest id of equals.
  public int argmax(int entry) {
    long from = (long) logitsRow(entry) * config.vocabulary() * Float.BYTES;
    return Rows.argmax(logits.memory.address() + from, config.vocabulary());
  }

  private int logitsRow(int entry) {
    if (entry < 0 || entry >= entries || logitsRows[entry] < 0) {
      throw new IllegalArgumentException(
          "entry %d of the last pass wanted no logits; there were %d entries"
              .formatted(entry, entries));
    }
    return logitsRows[entry];
  }

  /// Frees the model's memory. No pass may be in progress.
  @Override
  public void close() {
    attention.close();
    rope.close();
    activations.close();
    logits.close();
    arena.close();
  }

  /// What the rows of a pass are on their way through a layer. Strides are in bytes; rows that are
  /// multiplied by matrices are whole grains long, their ends always 0.
  private final class Activations implements AutoCloseable {

    private final int capacity;
    private final long normalBytes = 4L * Rows.padded(config.hidden());
    private final long attendedBytes = 4L * Rows.padded(queryWidth());
    private final long innerBytes = 4L * Rows.padded(config.intermediate());
    private final Arena arena = Arena.ofShared();
    private final MemorySegment inputs;
    private final MemorySegment attended;
    private final long residual;
    private final long normal;
    private final long packedAttended;
    private final long inner;

    Activations(int capacity) {
      this.capacity = capacity;
      residual = allocate(4L * config.hidden()).address();
      normal = allocate(normalBytes).address();
      inputs = allocate(4L * inputWidth());
      attended = allocate(4L * queryWidth());
      packedAttended = allocate(attendedBytes).address();
      inner = allocate(innerBytes).address();
    }

    private MemorySegment allocate(long rowBytes) {
      return arena.allocate(rowBytes * capacity, 64);
    }

    long residual(int row) {
      return residual + row * 4L * config.hidden();
    }

    long normal(int row) {
      return normal + row * normalBytes;
    }

    long packedAttended(int row) {
      return packedAttended + row * attendedBytes;
    }

    long inner(int row) {
      return inner + row * innerBytes;
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  private final class Logits implements AutoCloseable {

    private final int capacity;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    Logits(int capacity) {
      this.capacity = capacity;
      memory = arena.allocate(4L * capacity * config.vocabulary(), 64);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /// Products of the same activations with up to three matrices, as one task: its items are chunks
  /// of the matrices' rows.
  private final class Product implements RangeTask {

    private final ModelWeights.@Nullable Linear[] linears = new ModelWeights.Linear[3];
    private final long[] outputs = new long[3];
    private final int[] chunks = new int[3];
    private final int[] ends = new int[3];
    private int count;
    private long input;
    private long inputStride;
    private int rows;
    private long outputStride;
    private boolean add;

    void begin(long input, long inputStride, int rows) {
      this.input = input;
      this.inputStride = inputStride;
      this.rows = rows;
      count = 0;
    }

    void add(ModelWeights.Linear linear, long output) {
      int chunk = Linear.chunk(linear.matrix(), rows, workers.threads(), 4);
      int parts = (linear.matrix().rows() + chunk - 1) / chunk;
      linears[count] = linear;
      outputs[count] = output;
      chunks[count] = chunk;
      ends[count] = count == 0 ? parts : ends[count - 1] + parts;
      count++;
    }

    void run(long outputStride, boolean add) {
      this.outputStride = outputStride;
      this.add = add;
      if (rows > 0) {
        workers.run(this, ends[count - 1], 1);
      }
    }

    @Override
    public void run(int worker, int from, int to) {
      for (int item = from; item < to; item++) {
        int i = 0;
        while (item >= ends[i]) {
          i++;
        }
        ModelWeights.Linear linear = linears[i];
        if (linear != null) {
          int row = (item - (i == 0 ? 0 : ends[i - 1])) * chunks[i];
          int end = Math.min(linear.matrix().rows(), row + chunks[i]);
          scratch[worker].multiply(
              linear.matrix(),
              row,
              end,
              input,
              inputStride,
              rows,
              linear.bias(),
              outputs[i],
              outputStride,
              add);
        }
      }
    }
  }
}
