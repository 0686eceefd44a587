// Decode attention over the paged pool: one query row a sequence, the context split over CTAs ("flash-decoding"), then a merge.
//
// attend_decode_{bf16,f16}(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset, const int* tables,
//     int tableStride, const int* contexts, T* out, float* partial, int rows, int heads, int kvHeads, int headDim, int blockTokens,
//     float scale, int splits, int beside)
//   grid  (splits, kvHeads * ceil(heads / kvHeads / 8), rows), block 128, dynamic shared memory 0
// attend_merge_{bf16,f16}(const float* partial, const int* contexts, T* out, int rows, int heads, int headDim, int splits)
//   grid  (ceil(heads / 4), rows), block 128, dynamic shared memory 0; needed only for splits > 1
//
// Row r: query of head h at qkv + r*qkvStride + h*headDim; block table at tables + r*tableStride; contexts[r] tokens, the new one (already
// written to the pool) among them; output at out + r*heads*headDim. A context of 0 marks a padding row: its output is zeros, its table is not
// read. Table entries and pool slots past the context are never used. qkv 16-byte aligned and qkvStride a multiple of 8; kvBlock and
// layerOffset multiples of 8 and kv 16-byte aligned; heads a multiple of kvHeads.
// Fast (tensor cores) for headDim 16, 32, 64, 80, 96, 128 with blockTokens 8, 16, 32, …; any other even headDim up to 256 or any other
// blockTokens takes a slow path of the same kernel, which needs only 4-byte alignment.
//
// partial: rows * heads * splits * (headDim + 2) floats, 8-byte aligned (0 where splits is 1): first [row][head][split][headDim] unnormalised
// outputs, then [row][head][split]{largest logit in base 2, sum of weights}. It need not be cleared.
// A split takes at least 128 tokens: a row of c tokens uses min(splits, ceil(c/128)) of them, the others return at once, and a row that uses one
// writes its output itself (the merge leaves it alone). So `splits` may be fixed for the longest context of a CUDA graph.
//
// beside: 0, or 1 where the kernel before is attend_prefill of the same step. That has waited for all kernels before it and shares no output
// with this one, so this one need not wait for it to begin. Its last block does before it ends, and so whoever waits for this one has waited for
// both; the other blocks do not, as they would keep those that come after them from running beside the prefills.
// (That what this one reads is visible although it has not waited itself: attend_prefill has seen it before it let this one begin.)
// Behind any other kernel a 1 is a race.
//
// How many splits (integers, divisions round down unless said otherwise): about one CTA a multiprocessor for a single row, two for several,
// whose contexts differ. More only add to the merge.
//   ctas   = rows * kvHeads * ceil(heads / kvHeads / 8)
//   splits = max(1, min(64, ceil(maxContext / 128), (rows == 1 ? 1 : 2) * multiprocessors / ctas))
//
// One CTA serves up to eight query heads of one key/value head. Its four warps (times the splits of the row) take tiles of 16 tokens in turn,
// straight from device memory to registers in the layout of mma.m16n8k16 (no shared memory on the way): S^T[16 tokens][8 heads] = K·Q^T with
// the dimensions permuted alike in K and Q so that a lane's 16-byte load feeds two steps, then O^T[16 dims][8 heads] += V^T·P^T, where V^T
// pairs are two tokens of a lane's own 16-byte loads put side by side. Tokens past the context read the last token again with weight 0.

#include "attention.cuh"

namespace attention {

constexpr int DECODE_WARPS = 4;
constexpr int TILE_TOKENS = 16;
constexpr int TILE_HEADS = 8;
constexpr int SPLIT_TOKENS_MIN = 128;
constexpr int MERGE_AHEAD = 8;
constexpr int DECODE_HEAD_DIM_MAX = 128;

__device__ __forceinline__ int splits_used(int context, int splits) {
  return max(1, min(splits, (context + SPLIT_TOKENS_MIN - 1) / SPLIT_TOKENS_MIN));
}

struct DecodeShared {
  float maximum[DECODE_WARPS][TILE_HEADS];
  float sum[DECODE_WARPS][TILE_HEADS];
  float output[DECODE_WARPS][TILE_HEADS][DECODE_HEAD_DIM_MAX];
};

// Where a CTA's results go: to the output itself where its split is the row's only one, else to the partial results.
template <typename T>
struct DecodeTarget {
  T* out;
  float* partial;
  int outputs;  // heads of all rows
  int first;    // the CTA's first head among them
  int headDim;
  int splits;
  int split;
  bool whole;

  __device__ __forceinline__ void statistic(int head, float maximum, float sum) const {
    if (whole) return;
    float* statistics = partial + static_cast<long long>(outputs) * splits * headDim;
    *reinterpret_cast<float2*>(statistics + 2LL * ((first + head) * splits + split)) = make_float2(maximum, sum);
  }

  __device__ __forceinline__ void output(int head, int dim, float low, float high, float sum) const {
    if (whole) {
      const float share = __frcp_rn(sum);
      store_pair(out + static_cast<long long>(first + head) * headDim + dim, low * share, high * share);
    } else {
      *reinterpret_cast<float2*>(partial + static_cast<long long>((first + head) * splits + split) * headDim + dim) = make_float2(low, high);
    }
  }
};

// The part of a 16-token tile's keys and values that one lane holds: keys of rows group and group + 8, values of tokens 2*c, 2*c + 1,
// 2*c + 8, 2*c + 9, where group = lane / 4 and c = lane % 4.
template <typename T, int HEAD_DIM>
struct DecodeTile {
  static constexpr int KEY_REGISTERS = HEAD_DIM / 8;
  static constexpr int VALUE_REGISTERS = HEAD_DIM / 16;
  uint32_t keys[2][KEY_REGISTERS];
  uint32_t values[4][VALUE_REGISTERS];

  static __device__ __forceinline__ void load_row(uint32_t* d, const T* row, int quarter) {
#pragma unroll
    for (int i = 0; i < HEAD_DIM / 32; i++) load_stream16(d + 4 * i, row + 32 * i + 8 * quarter);
    if (HEAD_DIM % 32) load_stream8(d + 4 * (HEAD_DIM / 32), row + HEAD_DIM / 32 * 32 + 4 * quarter);
  }

  static __device__ __forceinline__ void load_value(uint32_t* d, const T* row, int eighth) {
#pragma unroll
    for (int i = 0; i < HEAD_DIM / 64; i++) load_stream16(d + 4 * i, row + 64 * i + 8 * eighth);
    if (HEAD_DIM & 32) load_stream8(d + HEAD_DIM / 64 * 4, row + HEAD_DIM / 64 * 64 + 4 * eighth);
    if (HEAD_DIM & 16) load_stream4(d + HEAD_DIM / 32 * 2, row + HEAD_DIM / 32 * 32 + 2 * eighth);
  }

  // The first of the two neighbouring dimensions that a lane holds of value register `i`.
  static __device__ __forceinline__ int dim(int i, int eighth) {
    if (i < HEAD_DIM / 64 * 4) return i / 4 * 64 + 8 * eighth + i % 4 * 2;
    if ((HEAD_DIM & 32) && i < HEAD_DIM / 32 * 2) return HEAD_DIM / 64 * 64 + 4 * eighth + i % 2 * 2;
    return HEAD_DIM / 32 * 32 + 2 * eighth;
  }
};

// The two runs of eight tokens of a tile: each lies in one block. A run past the context is replaced by the last one within it.
struct TileRuns {
  int first[2];
  int block[2];

  __device__ __forceinline__ TileRuns(int tile, int context, const int* table, int blockShift) {
    first[0] = tile * TILE_TOKENS;
    first[1] = min(first[0] + 8, (context - 1) & ~7);
#pragma unroll
    for (int i = 0; i < 2; i++) block[i] = __ldg(table + (first[i] >> blockShift));
  }
};

template <typename T, int HEAD_DIM>
__device__ __forceinline__ void decode_fast(const T* queries, const PagedHead<T>& head, int context, int firstTile, int tileStride, int heads,
                                            float scale2, const DecodeTarget<T>& target, DecodeShared& shared) {
  using Tile = DecodeTile<T, HEAD_DIM>;
  constexpr int STEPS = HEAD_DIM / 16;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x >> 5;
  const int group = lane >> 2;
  const int quarter = lane & 3;
  const int blockShift = 31 - __clz(head.blockTokens);

  uint32_t query[Tile::KEY_REGISTERS];
  if (group < heads) {
    Tile::load_row(query, queries + group * HEAD_DIM, quarter);
  } else {
#pragma unroll
    for (int i = 0; i < Tile::KEY_REGISTERS; i++) query[i] = 0;
  }

  Tile tile;
  auto run = [&](const TileRuns& runs, int i) {
    return head.keys + runs.block[i] * head.block + (runs.first[i] & (head.blockTokens - 1)) * HEAD_DIM;
  };
  auto load_keys = [&](const TileRuns& runs) {
#pragma unroll
    for (int i = 0; i < 2; i++) Tile::load_row(tile.keys[i], run(runs, i) + min(group, context - 1 - runs.first[i]) * HEAD_DIM, quarter);
  };
  auto load_values = [&](const TileRuns& runs) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      int token = min(2 * quarter + (i & 1), context - 1 - runs.first[i >> 1]);
      Tile::load_value(tile.values[i], run(runs, i >> 1) + head.valuesOffset + token * HEAD_DIM, group);
    }
  };

  float output[STEPS][4] = {};
  float maximum[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0.0f, 0.0f};

  const int tiles = (context + TILE_TOKENS - 1) / TILE_TOKENS;
  int at = firstTile;
  if (at < tiles) {
    TileRuns runs(at, context, head.table, blockShift);
    load_keys(runs);
    load_values(runs);
    TileRuns next(min(at + tileStride, tiles - 1), context, head.table, blockShift);
    for (; at < tiles; at += tileStride) {
      const bool more = at + tileStride < tiles;
      float even[4] = {}, odd[4] = {};
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
        Number<T>::mma(i & 1 ? odd : even, tile.keys[0][2 * i], tile.keys[1][2 * i], tile.keys[0][2 * i + 1], tile.keys[1][2 * i + 1],
                       query[2 * i], query[2 * i + 1]);
      }
      if (more) load_keys(next);

      float logit[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool within = at * TILE_TOKENS + group + (i >> 1) * 8 < context;
        logit[i] = within ? (even[i] + odd[i]) * scale2 : -INFINITY;
      }
      float keep[2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        float larger = fmaxf(logit[i], logit[i + 2]);
#pragma unroll
        for (int lanes = 4; lanes < 32; lanes <<= 1) larger = fmaxf(larger, __shfl_xor_sync(0xffffffffu, larger, lanes));
        larger = fmaxf(larger, maximum[i]);
        keep[i] = exp2_fast(maximum[i] - larger);
        maximum[i] = larger;
        logit[i] = exp2_fast(logit[i] - larger);
        logit[i + 2] = exp2_fast(logit[i + 2] - larger);
        sum[i] = sum[i] * keep[i] + logit[i] + logit[i + 2];
      }
      const uint32_t weights0 = transposed(packed<T>(logit[0], logit[1]));
      const uint32_t weights1 = transposed(packed<T>(logit[2], logit[3]));
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
        output[i][0] *= keep[0];
        output[i][1] *= keep[1];
        output[i][2] *= keep[0];
        output[i][3] *= keep[1];
        Number<T>::mma(output[i], __byte_perm(tile.values[0][i], tile.values[1][i], 0x5410),
                       __byte_perm(tile.values[0][i], tile.values[1][i], 0x7632), __byte_perm(tile.values[2][i], tile.values[3][i], 0x5410),
                       __byte_perm(tile.values[2][i], tile.values[3][i], 0x7632), weights0, weights1);
      }
      if (more) {
        load_values(next);
        next = TileRuns(min(at + 2 * tileStride, tiles - 1), context, head.table, blockShift);
      }
    }
  }

#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int lanes = 4; lanes < 32; lanes <<= 1) sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], lanes);
    if (group == 0) {
      shared.maximum[warp][2 * quarter + i] = maximum[i];
      shared.sum[warp][2 * quarter + i] = sum[i];
    }
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const int row = 2 * quarter + i;
    if (row < heads) {
      float larger = shared.maximum[0][row];
#pragma unroll
      for (int w = 1; w < DECODE_WARPS; w++) larger = fmaxf(larger, shared.maximum[w][row]);
      const float keep = exp2_fast(maximum[i] - larger);
#pragma unroll
      for (int j = 0; j < STEPS; j++) {
        *reinterpret_cast<float2*>(&shared.output[warp][row][Tile::dim(j, group)]) = make_float2(output[j][i] * keep, output[j][i + 2] * keep);
      }
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < heads * (HEAD_DIM / 2); i += DECODE_WARPS * 32) {
    const int row = i / (HEAD_DIM / 2);
    const int dim = i % (HEAD_DIM / 2) * 2;
    float larger = shared.maximum[0][row];
#pragma unroll
    for (int w = 1; w < DECODE_WARPS; w++) larger = fmaxf(larger, shared.maximum[w][row]);
    float total = 0.0f, low = 0.0f, high = 0.0f;
#pragma unroll
    for (int w = 0; w < DECODE_WARPS; w++) {
      total += shared.sum[w][row] * exp2_fast(shared.maximum[w][row] - larger);
      low += shared.output[w][row][dim];
      high += shared.output[w][row][dim + 1];
    }
    target.output(row, dim, low, high, total);
    if (dim == 0) target.statistic(row, larger, total);
  }
}

// One warp a head, one token after the other.
template <typename T>
__device__ void decode_generic(const T* queries, const PagedHead<T>& head, int headDim, int context, int first, int stride, int heads,
                               float scale2, const DecodeTarget<T>& target) {
  const int lane = threadIdx.x & 31;
  for (int i = threadIdx.x >> 5; i < heads; i += DECODE_WARPS) {
    GenericRow<T> row;
    row.begin(queries + i * headDim, headDim, scale2);
    for (int token = first; token < context; token += stride) row.attend(head, headDim, token);
#pragma unroll
    for (int j = 0; j < GenericRow<T>::PAIRS; j++) {
      int dim = 64 * j + 2 * lane;
      if (dim < headDim) target.output(i, dim, row.output[j][0], row.output[j][1], row.sum);
    }
    if (lane == 0) target.statistic(i, row.maximum, row.sum);
  }
}

template <typename T>
__device__ __forceinline__ void attend_split(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset,
                                             const int* tables, int tableStride, const int* contexts, T* out, float* partial, int rows,
                                             int heads, int kvHeads, int headDim, int blockTokens, float scale, int splits, int beside) {
  __shared__ DecodeShared shared;
  const int row = blockIdx.z;
  const int split = blockIdx.x;
  const int context = contexts[row];

  // What does not hang on the context is asked for while it is on its way.
  const int* table = tables + static_cast<long long>(row) * tableStride;
  const int firstTile = split * DECODE_WARPS + (threadIdx.x >> 5);
  touch(table + min(firstTile * TILE_TOKENS / blockTokens, tableStride - 1));

  // Contexts and tables are there since before the step's first kernel; all else is the predecessors'.
  releaseSuccessor();
  if (!beside) awaitPredecessor();
  const int group = heads / kvHeads;
  const int headTiles = (group + TILE_HEADS - 1) / TILE_HEADS;
  const int kvHead = blockIdx.y / headTiles;
  const int firstOfGroup = blockIdx.y % headTiles * TILE_HEADS;
  const int tileHeads = min(TILE_HEADS, group - firstOfGroup);
  const int firstHead = kvHead * group + firstOfGroup;
  const T* queries = qkv + static_cast<long long>(row) * qkvStride + firstHead * headDim;
  touch(queries + threadIdx.x % tileHeads * headDim);

  const int used = splits_used(context, splits);
  if (split >= used) return;

  if (context == 0) {
    T* to = out + (static_cast<long long>(row) * heads + firstHead) * headDim;
    for (int i = threadIdx.x; i < tileHeads * headDim / 2; i += DECODE_WARPS * 32) store_pair(to + 2 * i, 0.0f, 0.0f);
    return;
  }

  const DecodeTarget<T> target{out, partial, rows * heads, row * heads + firstHead, headDim, splits, split, used == 1};
  const PagedHead<T> head(kv, kvBlock, layerOffset, table, kvHead, kvHeads, headDim, blockTokens);
  const float scale2 = scale * LOG2_E;
  const int tileStride = used * DECODE_WARPS;

  const bool shiftable = blockTokens >= 8 && (blockTokens & (blockTokens - 1)) == 0;
  switch (shiftable ? headDim : 0) {
    case 16: decode_fast<T, 16>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    case 32: decode_fast<T, 32>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    case 64: decode_fast<T, 64>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    case 80: decode_fast<T, 80>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    case 96: decode_fast<T, 96>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    case 128: decode_fast<T, 128>(queries, head, context, firstTile, tileStride, tileHeads, scale2, target, shared); break;
    default:
      decode_generic(queries, head, headDim, context, split, used, tileHeads, scale2, target);
  }
}

template <typename T>
__device__ __forceinline__ void attend_decode(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset,
                                              const int* tables, int tableStride, const int* contexts, T* out, float* partial, int rows,
                                              int heads, int kvHeads, int headDim, int blockTokens, float scale, int splits, int beside) {
  attend_split<T>(qkv, qkvStride, kv, kvBlock, layerOffset, tables, tableStride, contexts, out, partial, rows, heads, kvHeads, headDim,
                  blockTokens, scale, splits, beside);
  const bool last = blockIdx.x == gridDim.x - 1 && blockIdx.y == gridDim.y - 1 && blockIdx.z == gridDim.z - 1;
  if (beside && last) awaitPredecessor();
}

template <typename T>
__device__ __forceinline__ void attend_merge(const float* partial, const int* contexts, T* out, int rows, int heads, int headDim, int splits) {
  releaseSuccessor();
  awaitPredecessor();
  const int row = blockIdx.y;
  const int head = blockIdx.x * DECODE_WARPS + (threadIdx.x >> 5);
  const int lane = threadIdx.x & 31;
  if (head >= heads) return;

  const long long first = (static_cast<long long>(row) * heads + head) * splits;
  const float2* statistics = reinterpret_cast<const float2*>(partial + static_cast<long long>(rows) * heads * splits * headDim) + first;
  const float2* outputs = reinterpret_cast<const float2*>(partial + first * headDim);
  const int pairs = headDim / 2;
  const int used = splits_used(contexts[row], splits);
  // Asked for before the context is known, which spares a round trip to memory: splits that were not used are left out later.
  const float2 statistic = statistics[min(lane, splits - 1)];
  float2 ahead[MERGE_AHEAD];
#pragma unroll
  for (int i = 0; i < MERGE_AHEAD; i++) ahead[i] = outputs[min(i, splits - 1) * pairs + min(lane, pairs - 1)];
  if (used == 1) return;

  float larger = lane < used ? statistic.x : -INFINITY;
  for (int i = lane + 32; i < used; i += 32) larger = fmaxf(larger, statistics[i].x);
  larger = warp_max(larger);
  float sum = lane < used ? statistic.y * exp2_fast(statistic.x - larger) : 0.0f;
  for (int i = lane + 32; i < used; i += 32) sum += statistics[i].y * exp2_fast(statistics[i].x - larger);
  sum = warp_sum(sum);
  for (int pair = lane; pair < pairs; pair += 32) {
    float low = 0.0f, high = 0.0f;
    auto add = [&](int i, float2 two) {
      const float keep = exp2_fast(statistics[i].x - larger);
      low += two.x * keep;
      high += two.y * keep;
    };
#pragma unroll
    for (int i = 0; i < MERGE_AHEAD; i++) {
      if (i < used) add(i, pair == lane ? ahead[i] : outputs[i * pairs + pair]);
    }
#pragma unroll 8
    for (int i = MERGE_AHEAD; i < used; i++) add(i, outputs[i * pairs + pair]);
    store_pair(out + (static_cast<long long>(row) * heads + head) * headDim + 2 * pair, low / sum, high / sum);
  }
}

}  // namespace attention

#define ATTEND_DECODE(NAME, MERGE, T)                                                                                                        \
  extern "C" __global__ void __launch_bounds__(128, 3)                                                                                       \
      NAME(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset, const int* tables, int tableStride,           \
           const int* contexts, T* out, float* partial, int rows, int heads, int kvHeads, int headDim, int blockTokens, float scale,         \
           int splits, int beside) {                                                                                                         \
    attention::attend_decode<T>(qkv, qkvStride, kv, kvBlock, layerOffset, tables, tableStride, contexts, out, partial, rows, heads, kvHeads, \
                                headDim, blockTokens, scale, splits, beside);                                                                \
  }                                                                                                                                          \
  extern "C" __global__ void __launch_bounds__(128)                                                                                          \
      MERGE(const float* partial, const int* contexts, T* out, int rows, int heads, int headDim, int splits) {                               \
    attention::attend_merge<T>(partial, contexts, out, rows, heads, headDim, splits);                                                        \
  }

ATTEND_DECODE(attend_decode_bf16, attend_merge_bf16, __nv_bfloat16)
ATTEND_DECODE(attend_decode_f16, attend_merge_f16, __half)
