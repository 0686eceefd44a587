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
// written to the pool) among them, which no other row of the step may have in its context; output at out + r*heads*headDim. A context of 0
// marks a padding row: its output is zeros, its table is not read. Table entries and pool slots past the context are not read. qkv 16-byte
// aligned and qkvStride a multiple of 8; kvBlock and layerOffset multiples of 8 and kv 16-byte aligned; heads a multiple of kvHeads.
// Fast (tensor cores) for headDim 16, 32, 64, 80, 96, 128 with blockTokens 8, 16, 32, …; any other even headDim up to 256 or any other
// blockTokens takes a slow path of the same kernel, which needs only 4-byte alignment.
//
// partial, and what a split takes: attention_decode.cuh.
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
// Tiles go straight from device memory to registers in the layout of mma.m16n8k16 (no shared memory on the way): S^T[16 tokens][8 heads] = K·Q^T
// with the dimensions permuted alike in K and Q so that a lane's 16-byte load feeds two steps, then O^T[16 dims][8 heads] += V^T·P^T, where V^T
// pairs are two tokens of a lane's own 16-byte loads put side by side. Tokens past the context read the last token again with weight 0.

#include "attention_decode.cuh"

namespace attention {

constexpr int MERGE_AHEAD = 8;

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
                                            float scale2, const DecodeTarget<T>& target, DecodeShared& shared, DecodeOutputs& outputs) {
  using Tile = DecodeTile<T, HEAD_DIM>;
  constexpr int STEPS = HEAD_DIM / 16;
  const int lane = threadIdx.x & 31;
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

  DecodeSums<T, HEAD_DIM> sums;
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
      uint32_t weights[2];
      sums.weigh(logit, weights);
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
        Number<T>::mma(sums.output[i], __byte_perm(tile.values[0][i], tile.values[1][i], 0x5410),
                       __byte_perm(tile.values[0][i], tile.values[1][i], 0x7632), __byte_perm(tile.values[2][i], tile.values[3][i], 0x5410),
                       __byte_perm(tile.values[2][i], tile.values[3][i], 0x7632), weights[0], weights[1]);
      }
      if (more) {
        load_values(next);
        next = TileRuns(min(at + 2 * tileStride, tiles - 1), context, head.table, blockShift);
      }
    }
  }
  sums.join(heads, target, shared, outputs, [&](int i, int element) { return Tile::dim(i, group) + element / 2; });
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
__device__ __forceinline__ void attend_decode(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset,
                                              const int* tables, int tableStride, const int* contexts, T* out, float* partial, int rows,
                                              int heads, int kvHeads, int headDim, int blockTokens, float scale, int splits, int beside) {
  __shared__ DecodeShared shared;
  __shared__ DecodeOutputs outputs;
  // What does not hang on the context is asked for while it is on its way. Contexts and tables are there since before the step's first kernel;
  // all else is the predecessors'.
  touch(tables + static_cast<long long>(blockIdx.z) * tableStride +
        min((blockIdx.x * DECODE_WARPS + (threadIdx.x >> 5)) * TILE_TOKENS / blockTokens, tableStride - 1));
  releaseSuccessor();
  const DecodePart part(tables, tableStride, contexts, heads, kvHeads, splits);
  if (!beside) awaitPredecessor();
  const T* queries = qkv + static_cast<long long>(part.row) * qkvStride + part.firstHead * headDim;
  touch(queries + threadIdx.x % part.heads * headDim);

  if (part.any()) {
    const DecodeTarget<T> target{out, partial, rows * heads, part.row * heads + part.firstHead, headDim, splits, part.split, part.used == 1};
    const PagedHead<T> head(kv, kvBlock, layerOffset, part.table, part.kvHead, kvHeads, headDim, blockTokens);
    const float scale2 = scale * LOG2_E;
    auto fast = [&](auto dim) {
      decode_fast<T, decltype(dim)::value>(queries, head, part.context, part.first_tile(), part.tile_stride(), part.heads, scale2, target, shared,
                                           outputs);
    };
    const bool shiftable = blockTokens >= 8 && (blockTokens & (blockTokens - 1)) == 0;
    switch (shiftable ? headDim : 0) {
      case 16: fast(Constant<16>()); break;
      case 32: fast(Constant<32>()); break;
      case 64: fast(Constant<64>()); break;
      case 80: fast(Constant<80>()); break;
      case 96: fast(Constant<96>()); break;
      case 128: fast(Constant<128>()); break;
      default: decode_generic(queries, head, headDim, part.context, part.split, part.used, part.heads, scale2, target);
    }
  } else {
    part.clear(out, heads, headDim);
  }
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
