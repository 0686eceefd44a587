package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.Attention;
import io.fusespill.host.kernel.Convert;
import io.fusespill.host.kernel.Memory;
import io.fusespill.host.kernel.RangeTask;
import io.fusespill.host.kernel.WorkerPool;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Attention over KV in blocks, shared out among threads: an item is some rows of one entry, for
/// all query heads of one KV head.
///
/// A query takes the positions in chunks that begin at fixed positions, and the chunks in ascending
/// order: so its result depends on neither the blocks nor the other rows.
final class PagedAttention implements AutoCloseable {

  /// Queries of an item, more or less: what shares a chunk of keys while it is in the first cache.
  private static final int QUERIES = 32;

  private final int heads;
  private final int kvHeads;
  private final int headDim;
  private final int queriesPerRow;
  private final int tileRows;
  private final WorkerPool workers;
  private final Arena arena = Arena.ofShared();
  private final Scratch[] scratch;
  private final RangeTask writing = this::write;
  private final RangeTask attending = this::attend;

  private int tiles;
  private int[] tileEntries = new int[16];
  private int[] tileRowsFirst = new int[16];

  private @Nullable AttentionCall call;
  private @Nullable KvPool pool;
  private boolean writeFirst;

  /// Addresses of one thread's memory.
  private record Scratch(
      long queries, long scores, long states, long outputs, long keys, long values) {}

  PagedAttention(ModelConfig config, WorkerPool workers) {
    heads = config.heads();
    kvHeads = config.kvHeads();
    headDim = config.headDim();
    queriesPerRow = heads / kvHeads;
    tileRows = Math.max(1, QUERIES / queriesPerRow);
    this.workers = workers;
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, i -> newScratch());
  }

  private Scratch newScratch() {
    long queries = (long) tileRows * queriesPerRow;
    long head = (long) headDim * Float.BYTES;
    return new Scratch(
        allocate(queries * head),
        allocate(queries * Attention.CHUNK * Float.BYTES),
        allocate(queries * 2 * Float.BYTES),
        allocate(queries * head),
        allocate(Attention.CHUNK * head),
        allocate(Attention.CHUNK * head));
  }

  private long allocate(long bytes) {
    return arena.allocate(bytes, 64).address();
  }

  /// Checks that the blocks of an entry are blocks of the pool, and enough.
  static void check(KvPool pool, int start, int rows, int[] table) {
    int tokens = Math.addExact(start, rows);
    int needed = pool.shape().blocks(tokens);
    if (table.length < needed) {
      throw new IllegalArgumentException(
          "%d tokens need %d blocks of %d tokens, the table has %d"
              .formatted(tokens, needed, pool.shape().blockTokens(), table.length));
    }
    for (int i = 0; i < needed; i++) {
      pool.checkBlock(table[i]);
    }
  }

  /// Checks that a pool's blocks have a model's shape.
  static void check(KvPool pool, ModelConfig config) {
    KvShape shape = pool.shape();
    if (!shape.equals(KvShape.of(config, shape.blockTokens(), shape.type()))) {
      throw new IllegalArgumentException(
          "the KV pool has %s, the model needs %d layers of %d KV heads of %d"
              .formatted(shape, config.layers(), config.kvHeads(), config.headDim()));
    }
  }

  /// Does a call whose entries have been checked.
  void run(AttentionCall call, KvPool pool) {
    tiles = 0;
    boolean onePerEntry = true;
    for (int entry = 0; entry < call.entries(); entry++) {
      for (int row = 0; row < call.rows(entry); row += tileRows) {
        addTile(entry, row);
        onePerEntry &= row == 0;
      }
    }
    this.call = call;
    this.pool = pool;
    writeFirst = onePerEntry;
    if (!onePerEntry) {
      workers.run(writing, tiles * kvHeads, 1);
    }
    workers.run(attending, tiles * kvHeads, 1);
    this.call = null;
    this.pool = null;
  }

  private void addTile(int entry, int row) {
    if (tiles == tileEntries.length) {
      tileEntries = Arrays.copyOf(tileEntries, 2 * tiles);
      tileRowsFirst = Arrays.copyOf(tileRowsFirst, 2 * tiles);
    }
    tileEntries[tiles] = entry;
    tileRowsFirst[tiles] = row;
    tiles++;
  }

  private void write(int worker, int from, int to) {
    for (int i = from; i < to; i++) {
      writeTile(i / kvHeads, i % kvHeads);
    }
  }

  private void attend(int worker, int from, int to) {
    for (int i = from; i < to; i++) {
      if (writeFirst) {
        writeTile(i / kvHeads, i % kvHeads);
      }
      attendTile(scratch[worker], i / kvHeads, i % kvHeads);
    }
  }

  private void writeTile(int tile, int kvHead) {
    AttentionCall call = current(this.call);
    KvPool pool = current(this.pool);
    KvShape shape = pool.shape();
    int entry = tileEntries[tile];
    int first = tileRowsFirst[tile];
    int last = Math.min(call.rows(entry), first + tileRows);
    long keyBytes = (long) headDim * shape.type().bytes();
    for (int row = first; row < last; row++) {
      int position = call.start(entry) + row;
      long block =
          pool.address() + call.table(entry)[position / shape.blockTokens()] * shape.blockBytes();
      long token = position % shape.blockTokens() * keyBytes;
      long key = inputRow(call, entry, row) + 4L * (heads + kvHead) * headDim;
      long value = key + 4L * kvHeads * headDim;
      Convert.narrow(shape.type(), key, block + shape.keys(call.layer(), kvHead) + token, headDim);
      Convert.narrow(
          shape.type(), value, block + shape.values(call.layer(), kvHead) + token, headDim);
    }
  }

  private long inputRow(AttentionCall call, int entry, int row) {
    long width = (heads + 2L * kvHeads) * headDim;
    return call.input().address() + (call.firstRow(entry) + row) * width * Float.BYTES;
  }

  private static <T> T current(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("no call is in progress");
    }
    return value;
  }

  private void attendTile(Scratch s, int tile, int kvHead) {
    AttentionCall call = current(this.call);
    int entry = tileEntries[tile];
    int first = tileRowsFirst[tile];
    int rows = Math.min(call.rows(entry), first + tileRows) - first;
    int queries = rows * queriesPerRow;
    long head = 4L * headDim;
    begin(s, call, entry, first, queries, kvHead);
    int firstLimit = call.start(entry) + first + 1;
    int positions = firstLimit + rows - 1;
    for (int chunk = 0; chunk < positions; chunk += Attention.CHUNK) {
      int count = Math.min(Attention.CHUNK, positions - chunk);
      attendChunk(s, call, entry, kvHead, chunk, count, queries, firstLimit - chunk);
    }
    for (int q = 0; q < queries; q++) {
      int row = call.firstRow(entry) + first + q / queriesPerRow;
      long column = (long) kvHead * queriesPerRow + q % queriesPerRow;
      long target = call.output().address() + ((long) row * heads + column) * head;
      Memory.copy(s.outputs + q * head, target, head);
      Attention.scale(target, 1 / Memory.getFloat(s.states + 8L * q + 4), headDim);
    }
  }

  private void begin(Scratch s, AttentionCall call, int entry, int first, int queries, int kvHead) {
    long head = 4L * headDim;
    float scale = (float) (1 / Math.sqrt(headDim));
    Memory.zero(s.outputs, queries * head);
    for (int q = 0; q < queries; q++) {
      long column = (long) kvHead * queriesPerRow + q % queriesPerRow;
      long from = inputRow(call, entry, first + q / queriesPerRow) + column * head;
      Memory.copy(from, s.queries + q * head, head);
      Attention.scale(s.queries + q * head, scale, headDim);
      Memory.putFloat(s.states + 8L * q, Float.NEGATIVE_INFINITY);
      Memory.putFloat(s.states + 8L * q + 4, 0);
    }
  }

  /// Attends over the positions `chunk` to `chunk + count - 1`.
  ///
  /// @param firstLimit how many positions of the chunk the first row sees; the next row sees one
  ///   more
  private void attendChunk(
      Scratch s,
      AttentionCall call,
      int entry,
      int kvHead,
      int chunk,
      int count,
      int queries,
      int firstLimit) {
    KvPool pool = current(this.pool);
    KvShape shape = pool.shape();
    int[] table = call.table(entry);
    int blockTokens = shape.blockTokens();
    int run;
    for (int i = 0; i < count; i += run) {
      int position = chunk + i;
      run = Math.min(count - i, blockTokens - position % blockTokens);
      long keys = run(pool, table, position, shape.keys(call.layer(), kvHead), s.keys, i, run);
      scores(s, keys, i, run, queries, firstLimit);
    }
    for (int q = seeing(queries, firstLimit); q < queries; q++) {
      int seen = Math.min(count, firstLimit + q / queriesPerRow);
      long scores = s.scores + 4L * q * Attention.CHUNK;
      Attention.weigh(scores, seen, s.states + 8L * q, s.outputs + 4L * q * headDim, headDim);
    }
    for (int i = 0; i < count; i += run) {
      int position = chunk + i;
      run = Math.min(count - i, blockTokens - position % blockTokens);
      long values =
          run(pool, table, position, shape.values(call.layer(), kvHead), s.values, i, run);
      values(s, values, i, run, queries, firstLimit);
    }
  }

  /// The first query that sees any position of a chunk.
  private int seeing(int queries, int firstLimit) {
    return Math.min(queries, Math.max(0, 1 - firstLimit) * queriesPerRow);
  }

  /// The address of `count` keys or values from `position` on as f32: in the pool, or converted.
  private long run(
      KvPool pool, int[] table, int position, long inBlock, long wide, int at, int count) {
    KvShape shape = pool.shape();
    long address =
        pool.address()
            + table[position / shape.blockTokens()] * shape.blockBytes()
            + inBlock
            + (long) (position % shape.blockTokens()) * headDim * shape.type().bytes();
    if (shape.type() == ElementType.F32) {
      return address;
    }
    long target = wide + 4L * at * headDim;
    Convert.widen(shape.type(), address, target, count * headDim);
    return target;
  }

  private void scores(Scratch s, long keys, int at, int count, int queries, int firstLimit) {
    int q = seeing(queries, firstLimit) / Attention.GROUP * Attention.GROUP;
    for (; q + Attention.GROUP <= queries; q += Attention.GROUP) {
      Attention.scores4(s.queries + 4L * q * headDim, keys, count, headDim, scores(s, q, at));
    }
    for (; q < queries; q++) {
      Attention.scores1(s.queries + 4L * q * headDim, keys, count, headDim, scores(s, q, at));
    }
  }

  private static long scores(Scratch s, int query, int at) {
    return s.scores + 4L * (query * Attention.CHUNK + at);
  }

  private void values(Scratch s, long values, int at, int count, int queries, int firstLimit) {
    int q = seeing(queries, firstLimit);
    while (q < queries) {
      boolean group = q + Attention.GROUP <= queries && q % Attention.GROUP == 0;
      long output = s.outputs + 4L * q * headDim;
      int seen = firstLimit + q / queriesPerRow - at;
      if (group && seen >= count) {
        Attention.values4(scores(s, q, at), values, count, headDim, output);
        q += Attention.GROUP;
      } else {
        if (seen > 0) {
          Attention.values1(scores(s, q, at), values, Math.min(seen, count), headDim, output);
        }
        q++;
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
