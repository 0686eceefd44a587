package io.fusespill.cuda.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fusespill.cuda.driver.Context;
import io.fusespill.cuda.driver.PinnedBuffer;
import io.fusespill.cuda.kernel.Kernels;
import io.fusespill.host.model.KvShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The next pass, as the host describes it, and what it answers, in pinned memory; one for each
/// step in flight, used again and again.
///
/// From [#clear] on, entries are added in this order: decodes, remote decodes, prefills. Samples
/// and logits may be asked for at any time after the row's entry. Nothing may be changed from the
/// launch until the pass is done; then the answers are there until the next launch. For one thread
/// at a time, the caller sees to that.
public final class StepInput implements AutoCloseable {

  private static final int STRIDE_MIN = 64;

  private final Context context;
  private final KvShape kv;
  private final int vocabulary;
  private final int poolBlocks;
  private final ModelLimits limits;
  private final PinnedBuffer memory;
  private final PinnedBuffer sampledTokens;
  private @Nullable PinnedBuffer logits;

  private final int[] tokens;
  private final int[] sources;
  private final int[] positions;
  private final int[] slots;
  private final int[] contexts;
  private final int[][] remoteTables;
  private final int[] prefillEntries;
  private long[] tiles = new long[STRIDE_MIN];
  private int[] tileWords = new int[2 * STRIDE_MIN];

  /// Block ids of the tables of decodes and prefills, one table after another.
  private int[] blocks = new int[1 << 10];

  private final int[] tableEnds;

  private final int[] sampleRows;
  private final float[] temperatures;
  private final int[] topKs;
  private final float[] topPs;
  private final float[] minPs;
  private final long[] keys;
  private final long[] outputPositions;
  private final int[] logitsRows;

  private int rows;
  private int decodes;
  private int remotes;
  private int prefills;
  private int tileCount;
  private int tableMax;
  private int samples;
  private int logitsCount;

  StepInput(Context context, KvShape kv, int vocabulary, int poolBlocks, ModelLimits limits) {
    this.context = context;
    this.kv = kv;
    this.vocabulary = vocabulary;
    this.poolBlocks = poolBlocks;
    this.limits = limits;
    memory = context.allocatePinned(bytesMax(kv, poolBlocks, limits), "step input");
    sampledTokens =
        context.allocatePinned((long) Integer.BYTES * wantedMax(limits), "sampled tokens");
    tokens = new int[limits.maxRows()];
    sources = new int[limits.maxRows()];
    positions = new int[limits.maxRows()];
    slots = new int[limits.maxRows()];
    contexts = new int[limits.maxEntries()];
    remoteTables = new int[limits.maxEntries()][];
    prefillEntries = new int[4 * limits.maxEntries()];
    tableEnds = new int[limits.maxEntries()];
    sampleRows = new int[limits.maxSamples()];
    temperatures = new float[limits.maxSamples()];
    topKs = new int[limits.maxSamples()];
    topPs = new float[limits.maxSamples()];
    minPs = new float[limits.maxSamples()];
    keys = new long[limits.maxSamples()];
    outputPositions = new long[limits.maxSamples()];
    logitsRows = new int[limits.maxSamples()];
  }

  /// Bytes of the largest input.
  static long bytesMax(KvShape kv, int poolBlocks, ModelLimits limits) {
    int entries = limits.maxEntries();
    int rows = Math.max(limits.maxRows(), entries);
    int wanted = wantedMax(limits);
    int tiles = rows / Kernels.TILE_ROWS + entries;
    int stride = stride(Math.min(kv.blocks(limits.maxTokens()), poolBlocks));
    StepLayout prefills = new StepLayout(rows, 0, wanted, entries, tiles, stride);
    return prefills.bytes() + Integer.BYTES * (entries + 4L);
  }

  /// Most rows whose logits are wanted, those included by which decodes are filled up.
  private static int wantedMax(ModelLimits limits) {
    return Math.max(limits.maxSamples(), limits.maxEntries());
  }

  /// Begins again, without entries.
  public void clear() {
    rows = 0;
    decodes = 0;
    remotes = 0;
    prefills = 0;
    tileCount = 0;
    tableMax = 0;
    samples = 0;
    logitsCount = 0;
  }

  /// Adds a sequence's next token, which attends to all of its tokens; its KV goes to the pool. The
  /// others' KV is there since earlier steps: no row of a step reads a token that another one of it
  /// writes, but within a prefill.
  ///
  /// @param token the token, if it is known
  /// @param source -1, or the number of the sample of the pass launched before this one that is the
  ///   token; then `token` means nothing
  /// @param context tokens of the sequence, this one included
  /// @param table its blocks in order, at least those of `context` tokens; copied
  /// @return the row
  public int decode(int token, int source, int context, int[] table) {
    if (remotes > 0 || prefills > 0) {
      throw new IllegalStateException("decodes come before remote decodes and prefills");
    }
    checkRoom(1);
    checkToken(token, source);
    int needed = checkTable(context, table, poolBlocks);
    int position = context - 1;
    contexts[decodes] = context;
    addTable(decodes++, table, needed);
    return addRow(token, source, position, slot(position, table));
  }

  /// Adds a sequence's next token where its KV lies elsewhere: its keys and values are written
  /// nowhere, and [RemoteAttention] attends. After all decodes.
  ///
  /// @param token as for [#decode]
  /// @param source as for [#decode]
  /// @param context tokens of the sequence, this one included
  /// @param table its blocks in order, of whatever pool they are in; kept, not copied
  /// @return the row
  public int remote(int token, int source, int context, int[] table) {
    if (prefills > 0) {
      throw new IllegalStateException("remote decodes come before prefills");
    }
    checkRoom(1);
    checkToken(token, source);
    checkContext(context, table);
    contexts[decodes + remotes] = context;
    remoteTables[remotes++] = table;
    return addRow(token, source, context - 1, -1);
  }

  /// Adds tokens of a sequence, whose earlier tokens have their KV in the pool. After all decodes.
  ///
  /// @param ids where the tokens are, from `from` to before `to`, at least one; copied
  /// @param start position in the sequence of the first of them
  /// @param table its blocks in order, at least those up to the last token; copied
  /// @return the row of the last token
  public int prefill(int[] ids, int from, int to, int start, int[] table) {
    if (from < 0 || to > ids.length || from >= to || start < 0) {
      throw new IllegalArgumentException(
          "tokens %d to %d of %d at position %d: at least one, of those there are, from position 0"
              .formatted(from, to, ids.length, start));
    }
    int count = to - from;
    checkRoom(count);
    for (int i = from; i < to; i++) {
      checkToken(ids[i], -1);
    }
    int needed = checkTable(Math.addExact(start, count), table, poolBlocks);
    int at = 4 * prefills;
    prefillEntries[at] = rows;
    prefillEntries[at + 1] = count;
    prefillEntries[at + 2] = start;
    addTable(decodes + prefills, table, needed);
    addTiles(count, start);
    prefills++;
    for (int i = 0; i < count; i++) {
      addRow(ids[from + i], -1, start + i, slot(start + i, table));
    }
    return rows - 1;
  }

  private void checkRoom(int more) {
    if (rows + more > limits.maxRows()) {
      throw new IllegalArgumentException(
          "a step has at most %d tokens, got %d".formatted(limits.maxRows(), rows + more));
    }
    if (decodes + remotes + prefills == limits.maxEntries()) {
      throw new IllegalArgumentException(
          "a step has at most %d entries".formatted(limits.maxEntries()));
    }
  }

  private void checkToken(int token, int source) {
    if (source < -1 || source >= limits.maxSamples()) {
      throw new IllegalArgumentException(
          "source must be -1 to %d, got %d".formatted(limits.maxSamples() - 1, source));
    }
    if (source < 0 && (token < 0 || token >= vocabulary)) {
      throw new IllegalArgumentException(
          "token must be 0 to %d, got %d".formatted(vocabulary - 1, token));
    }
  }

  private int checkContext(int context, int[] table) {
    if (context < 1 || context > limits.maxTokens()) {
      throw new IllegalArgumentException(
          "a sequence has 1 to %d tokens, got %d".formatted(limits.maxTokens(), context));
    }
    int needed = kv.blocks(context);
    if (table.length < needed) {
      throw new IllegalArgumentException(
          "%d tokens take %d blocks, the table has %d".formatted(context, needed, table.length));
    }
    return needed;
  }

  private int checkTable(int context, int[] table, int pool) {
    int needed = checkContext(context, table);
    for (int i = 0; i < needed; i++) {
      if (table[i] < 0 || table[i] >= pool) {
        throw new IllegalArgumentException(
            "block must be 0 to %d, got %d".formatted(pool - 1, table[i]));
      }
    }
    return needed;
  }

  private int slot(int position, int[] table) {
    return table[position / kv.blockTokens()] * kv.blockTokens() + position % kv.blockTokens();
  }

  private int addRow(int token, int source, int position, int slot) {
    tokens[rows] = source < 0 ? token : -1;
    sources[rows] = source;
    positions[rows] = position;
    slots[rows] = slot;
    return rows++;
  }

  private void addTable(int entry, int[] table, int length) {
    int from = entry == 0 ? 0 : tableEnds[entry - 1];
    if (from + length > blocks.length) {
      blocks = Arrays.copyOf(blocks, Math.max(from + length, 2 * blocks.length));
    }
    System.arraycopy(table, 0, blocks, from, length);
    tableEnds[entry] = from + length;
    tableMax = Math.max(tableMax, length);
  }

  /// A tile as a number that grows with its context: that in the high half, then the entry and the
  /// tile's number within it.
  private void addTiles(int count, int start) {
    for (int first = 0; first < count; first += Kernels.TILE_ROWS) {
      if (tileCount == tiles.length) {
        tiles = Arrays.copyOf(tiles, 2 * tileCount);
        tileWords = new int[4 * tileCount];
      }
      long context = (long) start + Math.min(count, first + Kernels.TILE_ROWS);
      tiles[tileCount++] = context << 32 | (long) prefills << 16 | first / Kernels.TILE_ROWS;
    }
  }

  /// Wants a token after a row. Several samples may name one row.
  ///
  /// @param row as the entry's method returned it
  /// @param temperature below 1e-5: the likeliest token
  /// @param topK 0: all
  /// @param topP 1: all
  /// @param minP 0: all
  /// @param key of the sample's random stream
  /// @param position output tokens before this one
  /// @return the number of the sample, from 0
  public int sample(
      int row, float temperature, int topK, float topP, float minP, long key, long position) {
    checkWanted(row);
    sampleRows[samples] = row;
    temperatures[samples] = temperature;
    topKs[samples] = topK;
    topPs[samples] = topP;
    minPs[samples] = minP;
    keys[samples] = key;
    outputPositions[samples] = position;
    return samples++;
  }

  /// Wants the logits after a row copied to the host.
  ///
  /// @param row as the entry's method returned it
  /// @return the number among these, from 0
  public int logits(int row) {
    checkWanted(row);
    PinnedBuffer room = logits;
    if (room == null || room.bytes() < logitsBytes(logitsCount + 1)) {
      int count = Math.min(limits.maxSamples(), Math.max(4, 2 * logitsCount));
      if (room != null) {
        logits = null;
        room.close();
      }
      logits = context.allocatePinned(logitsBytes(count), "logits");
    }
    logitsRows[logitsCount] = row;
    return logitsCount++;
  }

  private void checkWanted(int row) {
    if (row < 0 || row >= rows) {
      throw new IllegalArgumentException("row must be 0 to %d, got %d".formatted(rows - 1, row));
    }
    if (wanted() == limits.maxSamples()) {
      throw new IllegalArgumentException(
          "a step has at most %d samples and logits for the host".formatted(limits.maxSamples()));
    }
  }

  private long logitsBytes(int count) {
    return (long) Float.BYTES * vocabulary * count;
  }

  /// Tokens that the pass computes.
  public int rows() {
    return rows;
  }

  /// Tokens that the pass samples.
  public int samples() {
    return samples;
  }

  /// Rows whose KV lies elsewhere.
  public int remotes() {
    return remotes;
  }

  /// Tokens of the sequence of a remote row, the new one included.
  ///
  /// @param remote 0 to [#remotes] - 1
  public int remoteContext(int remote) {
    return contexts[decodes + checkRemote(remote)];
  }

  /// The table of a remote row, as it was given.
  ///
  /// @param remote 0 to [#remotes] - 1
  public int[] remoteTable(int remote) {
    return remoteTables[checkRemote(remote)];
  }

  private int checkRemote(int remote) {
    if (remote < 0 || remote >= remotes) {
      throw new IndexOutOfBoundsException(
          "remote row must be 0 to %d, got %d".formatted(remotes - 1, remote));
    }
    return remote;
  }

  /// The token that a sample got, once the pass is done; -1 where the logits were no numbers.
  public int sampled(int sample) {
    if (sample < 0 || sample >= samples) {
      throw new IndexOutOfBoundsException(
          "sample must be 0 to %d, got %d".formatted(samples - 1, sample));
    }
    return sampledTokens.memory().getAtIndex(JAVA_INT, sample);
  }

  /// The logits of a row that the host wanted, once the pass is done: float32, one for each token
  /// of the vocabulary. They are there until [#clear].
  public MemorySegment logitsOf(int number) {
    PinnedBuffer room = logits;
    if (room == null || number < 0 || number >= logitsCount) {
      throw new IndexOutOfBoundsException(
          "number must be 0 to %d, got %d".formatted(logitsCount - 1, number));
    }
    return room.memory().asSlice(logitsBytes(number), logitsBytes(1));
  }

  int decodes() {
    return decodes;
  }

  int prefills() {
    return prefills;
  }

  int logitsCount() {
    return logitsCount;
  }

  int wanted() {
    return samples + logitsCount;
  }

  long address() {
    return memory.address();
  }

  long logitsAddress() {
    PinnedBuffer room = logits;
    return room == null ? 0 : room.address();
  }

  /// The layout of this input; a pure decode step is padded to `bucket` rows if that is not 0.
  StepLayout layout(int bucket) {
    int stride = stride(tableMax);
    return bucket == 0
        ? new StepLayout(rows, decodes, wanted(), prefills, tileCount, stride)
        : new StepLayout(bucket, bucket, bucket, 0, 0, stride);
  }

  private static int stride(int blocks) {
    return Math.max(STRIDE_MIN, Integer.highestOneBit(Math.max(1, 2 * blocks - 1)));
  }

  /// Writes all of it to pinned memory, and fills up what the layout has more than there is.
  void pack(StepLayout layout) {
    MemorySegment to = memory.memory();
    to.set(JAVA_LONG, layout.answer(), sampledTokens.address());
    packWanted(to, layout);
    put(to, layout.tokens(), tokens, rows, layout.rows(), -1);
    put(to, layout.sources(), sources, rows, layout.rows(), -1);
    put(to, layout.positions(), positions, rows, layout.rows(), 0);
    put(to, layout.slots(), slots, rows, layout.rows(), -1);
    put(to, layout.contexts(), contexts, decodes, layout.decodes(), 0);
    for (int i = 0; i < prefills; i++) {
      prefillEntries[4 * i + 3] = layout.decodes() + i;
    }
    put(to, layout.entries(), prefillEntries, 4 * prefills, 4 * prefills, 0);
    packTiles(to, layout);
    packTables(to, layout);
  }

  private void packWanted(MemorySegment to, StepLayout layout) {
    to.asSlice(layout.parameters(), (long) Kernels.SAMPLE_BYTES * layout.wanted()).fill((byte) 0);
    for (int i = 0; i < samples; i++) {
      long at = layout.parameters() + (long) Kernels.SAMPLE_BYTES * i;
      to.set(JAVA_FLOAT, at, temperatures[i]);
      to.set(JAVA_INT, at + 4, topKs[i]);
      to.set(JAVA_FLOAT, at + 8, topPs[i]);
      to.set(JAVA_FLOAT, at + 12, minPs[i]);
      to.set(JAVA_LONG, at + 16, keys[i]);
      to.set(JAVA_LONG, at + 24, outputPositions[i]);
    }
    put(to, layout.rowIndex(), sampleRows, samples, samples, -1);
    long after = layout.rowIndex() + (long) Integer.BYTES * samples;
    put(to, after, logitsRows, logitsCount, layout.wanted() - samples, -1);
  }

  private void packTiles(MemorySegment to, StepLayout layout) {
    Arrays.sort(tiles, 0, tileCount);
    for (int i = 0; i < tileCount; i++) {
      int low = (int) tiles[tileCount - 1 - i];
      tileWords[2 * i] = low >>> 16;
      tileWords[2 * i + 1] = (low & 0xffff) * Kernels.TILE_ROWS;
    }
    put(to, layout.tileList(), tileWords, 2 * tileCount, 2 * tileCount, 0);
  }

  private void packTables(MemorySegment to, StepLayout layout) {
    int from = 0;
    for (int entry = 0; entry < decodes + prefills; entry++) {
      int row = entry < decodes ? entry : layout.decodes() + entry - decodes;
      long at = layout.tables() + (long) Integer.BYTES * row * layout.tableStride();
      MemorySegment.copy(blocks, from, to, JAVA_INT, at, tableEnds[entry] - from);
      from = tableEnds[entry];
    }
  }

  private static void put(
      MemorySegment to, long offset, int[] values, int count, int padded, int padding) {
    MemorySegment.copy(values, 0, to, JAVA_INT, offset, count);
    for (int i = count; i < padded; i++) {
      to.set(JAVA_INT, offset + (long) Integer.BYTES * i, padding);
    }
  }

  /// Frees the pinned memory. Its pass must be done. Does nothing the second time.
  @Override
  public void close() {
    memory.close();
    sampledTokens.close();
    PinnedBuffer room = logits;
    if (room != null) {
      room.close();
    }
  }
}
