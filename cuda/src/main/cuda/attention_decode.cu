// Decode attention over the paged pool: one query row a sequence, the context split over CTAs ("flash-decoding"), then a merge.
//
// attend_decode_{bf16,f16}(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset, const int* tables,
//     int tableStride, const int* contexts, T* out, float* partial, int rows, int heads, int kvHeads, int headDim, int blockTokens,
//     float scale, int splits, int beside)
//   grid  (splits, kvHeads * ceil(heads / kvHeads / 8), rows), block 128, dynamic shared memory 0
// attend_decode_d{64,128}_{bf16,f16}(TensorMap pool, const T* qkv, int qkvStride, long long kvBlock, long long layerOffset, const int* tables,
//     int tableStride, const int* contexts, T* out, float* partial, int rows, int heads, int kvHeads, int blockTokens, float scale, int splits)
//   the same for heads of 64 and 128 dimensions on compute capability 9.0, blockTokens a multiple of 16; elsewhere it is there and traps.
//   pool: tensor map of the pool from block 0 on, as rows of a head's dimensions, 128-byte swizzle, boxes of 64 by 16 by 1.
//   grid and block as above, dynamic shared memory 66560; not behind attend_prefill of the same step
// attend_merge_{bf16,f16}(const float* partial, const int* contexts, T* out, int rows, int heads, int headDim, int splits)
//   grid  (ceil(heads / 4), rows), block 128, dynamic shared memory 0; needed only for splits > 1
//
// Row r: query of head h at qkv + r*qkvStride + h*headDim; block table at tables + r*tableStride; contexts[r] tokens, the new one (already
// written to the pool) among them, which no other row of the step may have in its context; output at out + r*heads*headDim. A context of 0 marks a padding row: its output is zeros, its table is not
// read. Table entries past the context are not read; pool slots past it are, by attend_decode_d* and within its last 16 tokens, and never used. qkv 16-byte aligned and qkvStride a multiple of 8; kvBlock and
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
// attend_decode_d* have the copy engine bring tiles to shared memory, two or more of a warp at a time, and read them there by ldmatrix, with weight 0 and values 0 past the context: what is
// on its way then takes neither registers nor first-level cache, of which the products around it leave little, and a warp's first tiles, but that of
// the newest token, are asked for before the predecessor is done: what earlier steps wrote is there. Beside prefills, which wait for the same memory, that is slower.

#include "attention.cuh"
#include "copy_engine.cuh"

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

// What the warps of a CTA have found. Rows of outputs lie four numbers further apart than they are long, so that no two lanes write to one
// bank at once.
struct DecodeShared {
  float maximum[DECODE_WARPS][TILE_HEADS];
  float sum[DECODE_WARPS][TILE_HEADS];
};

constexpr int OUTPUT_PITCH = DECODE_HEAD_DIM_MAX + 4;

struct DecodeOutputs {
  float of[DECODE_WARPS][TILE_HEADS][OUTPUT_PITCH];
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

// The unnormalised outputs of a warp for eight heads, the largest scaled logits (base 2) and the sums of weights. Register i has heads
// 2 * quarter (elements 0 and 2) and the next (1 and 3), and of each two dimensions.
template <typename T, int HEAD_DIM>
struct DecodeSums {
  static constexpr int STEPS = HEAD_DIM / 16;
  float output[STEPS][4] = {};
  float maximum[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0.0f, 0.0f};

  // Weights of a tile's logits, of tokens group and group + 8, and with that what was found before in proportion.
  __device__ __forceinline__ void weigh(float (&logit)[4], uint32_t (&weights)[2]) {
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
    weights[0] = transposed(packed<T>(logit[0], logit[1]));
    weights[1] = transposed(packed<T>(logit[2], logit[3]));
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
      output[i][0] *= keep[0];
      output[i][1] *= keep[1];
      output[i][2] *= keep[0];
      output[i][3] *= keep[1];
    }
  }

  // Adds up what the warps of the CTA have. dim(i, e) is the dimension of elements e and e + 1 (0 and 1, 2 and 3) of register i.
  template <typename Dim>
  __device__ __forceinline__ void join(int heads, const DecodeTarget<T>& target, DecodeShared& shared, DecodeOutputs& outputs, Dim dim) {
    const int warp = threadIdx.x >> 5;
    const int group = (threadIdx.x & 31) >> 2;
    const int quarter = threadIdx.x & 3;
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
          outputs.of[warp][row][dim(j, 0)] = output[j][i] * keep;
          outputs.of[warp][row][dim(j, 2)] = output[j][i + 2] * keep;
        }
      }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < heads * (HEAD_DIM / 2); i += DECODE_WARPS * 32) {
      const int row = i / (HEAD_DIM / 2);
      const int first = i % (HEAD_DIM / 2) * 2;
      float larger = shared.maximum[0][row];
#pragma unroll
      for (int w = 1; w < DECODE_WARPS; w++) larger = fmaxf(larger, shared.maximum[w][row]);
      float total = 0.0f, low = 0.0f, high = 0.0f;
#pragma unroll
      for (int w = 0; w < DECODE_WARPS; w++) {
        total += shared.sum[w][row] * exp2_fast(shared.maximum[w][row] - larger);
        low += outputs.of[w][row][first];
        high += outputs.of[w][row][first + 1];
      }
      target.output(row, first, low, high, total);
      if (first == 0) target.statistic(row, larger, total);
    }
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

// What a CTA attends to: a split of one row's context, and up to eight heads of one key/value head.
struct DecodePart {
  int row;
  int split;
  int context;
  int used;  // splits of the row
  int kvHead;
  int firstHead;
  int heads;
  const int* table;

  __device__ __forceinline__ DecodePart(const int* tables, int tableStride, const int* contexts, int allHeads, int kvHeads, int splits)
      : row(blockIdx.z), split(blockIdx.x), context(contexts[blockIdx.z]), table(tables + static_cast<long long>(blockIdx.z) * tableStride) {
    const int group = allHeads / kvHeads;
    const int headTiles = (group + TILE_HEADS - 1) / TILE_HEADS;
    const int firstOfGroup = blockIdx.y % headTiles * TILE_HEADS;
    kvHead = blockIdx.y / headTiles;
    firstHead = kvHead * group + firstOfGroup;
    heads = min(TILE_HEADS, group - firstOfGroup);
    used = splits_used(context, splits);
  }

  __device__ __forceinline__ bool any() const { return split < used && context > 0; }

  // The first tile of this warp, and how far it is to its next.
  __device__ __forceinline__ int first_tile() const { return split * DECODE_WARPS + (threadIdx.x >> 5); }
  __device__ __forceinline__ int tile_stride() const { return used * DECODE_WARPS; }

  // Zeros for a padding row.
  template <typename T>
  __device__ __forceinline__ void clear(T* out, int allHeads, int headDim) const {
    if (split > 0 || context > 0) return;
    T* to = out + (static_cast<long long>(row) * allHeads + firstHead) * headDim;
    for (int i = threadIdx.x; i < heads * headDim / 2; i += DECODE_WARPS * 32) store_pair(to + 2 * i, 0.0f, 0.0f);
  }
};

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

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

// What a warp has of the context in shared memory at a time, and what a CTA has, with its barriers.
constexpr int BOXED_BYTES = 16384;
constexpr int BOXED_SHARED_BYTES = 1024 + DECODE_WARPS * BOXED_BYTES;

constexpr int BOX_DIMS = 64;  // of a token in a box: 128 bytes, the width of a swizzle
constexpr int BOX_BYTES = TILE_TOKENS * 128;

extern __shared__ __align__(1024) unsigned char decodeShared[];

// One warp's tiles, which the copy engine brings to shared memory: BOXED_BYTES of them are on their way or being looked at.
template <typename T, int HEAD_DIM>
struct BoxedTiles {
  static constexpr int HALVES = HEAD_DIM / BOX_DIMS;
  static constexpr int VALUES = HALVES * BOX_BYTES;  // where the values of a tile begin
  static constexpr int TILE_BYTES = 2 * VALUES;
  static constexpr int STAGES = BOXED_BYTES / TILE_BYTES;

  const TensorMap& pool;
  const DecodePart& part;
  int blockTokens;
  int blockRows;   // rows of the map from one block to the next
  int keyRow;      // of the layer's and head's first key in a block
  int valueRows;   // from a key to its value
  int tiles;       // of the context
  int mine;        // this warp's
  int entries;     // lane i: the block of tile i of 32
  uint32_t memory;
  uint32_t barriers;

  __device__ __forceinline__ BoxedTiles(const TensorMap& pool, const DecodePart& part, long long kvBlock, long long layerOffset, int kvHeads,
                                        int blockTokens)
      : pool(pool), part(part), blockTokens(blockTokens) {
    blockRows = static_cast<int>(kvBlock / HEAD_DIM);
    keyRow = static_cast<int>(layerOffset / HEAD_DIM) + part.kvHead * blockTokens;
    valueRows = kvHeads * blockTokens;
    tiles = part.any() ? (part.context + TILE_TOKENS - 1) / TILE_TOKENS : 0;
    mine = max(0, (tiles - part.first_tile() + part.tile_stride() - 1) / part.tile_stride());
    const uint32_t shared = static_cast<uint32_t>(__cvta_generic_to_shared(decodeShared));
    const int warp = threadIdx.x >> 5;
    memory = shared + kBarrierBytes + warp * STAGES * TILE_BYTES;
    barriers = shared + warp * STAGES * 8;
    look(0);
    if ((threadIdx.x & 31) == 0) {
      for (int i = 0; i < STAGES; i++) beginBarrier(barriers + i * 8, 1);
      publishBarriers();
    }
    __syncwarp();
  }

  __device__ __forceinline__ int tile(int i) const { return part.first_tile() + i * part.tile_stride(); }
  __device__ __forceinline__ uint32_t at(int i) const { return memory + i % STAGES * TILE_BYTES; }

  // Looks up the blocks of tiles i to i + 31.
  __device__ __forceinline__ void look(int i) {
    const int own = i + (threadIdx.x & 31);
    entries = own < mine ? __ldg(part.table + tile(own) * TILE_TOKENS / blockTokens) : 0;
  }

  // Asks for tile i, which takes the place of tile i - STAGES.
  __device__ __forceinline__ void ask(int i) {
    if (i > 0 && i % 32 == 0) look(i);
    const int block = __shfl_sync(0xffffffffu, entries, i % 32);
    if ((threadIdx.x & 31) == 0) {
      const uint32_t barrier = barriers + i % STAGES * 8;
      const int row = block * blockRows + keyRow + tile(i) * TILE_TOKENS % blockTokens;
      arriveExpecting(barrier, TILE_BYTES);
#pragma unroll
      for (int half = 0; half < HALVES; half++) load(at(i) + half * BOX_BYTES, pool, half * BOX_DIMS, row, barrier, kEvictFirst);
#pragma unroll
      for (int half = 0; half < HALVES; half++) {
        load(at(i) + VALUES + half * BOX_BYTES, pool, half * BOX_DIMS, row + valueRows, barrier, kEvictFirst);
      }
    }
  }

  // Asks for those of the first tiles that do, or do not, hold the latest token.
  __device__ __forceinline__ void ask_first(bool latest) {
    for (int i = 0; i < min(STAGES, mine); i++) {
      if ((tile(i) == tiles - 1) == latest) ask(i);
    }
  }

  __device__ __forceinline__ void await(int i) const { awaitBarrier(barriers + i % STAGES * 8, i / STAGES & 1); }

  // Where 8 dimensions of a token lie, of the boxes at `from`.
  static __device__ __forceinline__ uint32_t eight(uint32_t from, int token, int index) {
    return from + index / 8 * BOX_BYTES + token * 128 + ((index % 8 ^ token % 8) << 4);
  }

  // Zeros for the values of tile i past the context: what lies there may be no numbers, and 0 times that would be none.
  __device__ __forceinline__ void clear_past(int i) const {
    const int first = part.context - tile(i) * TILE_TOKENS;
    for (int word = threadIdx.x & 31; word < HALVES * BOX_BYTES / 16; word += 32) {
      if (word / 8 % TILE_TOKENS >= first) {
        asm volatile("st.shared.v4.u32 [%0], {%1, %1, %1, %1};" ::"r"(at(i) + VALUES + word * 16), "r"(0) : "memory");
      }
    }
    __syncwarp();
  }
};

// As decode_fast, with keys and values from shared memory: S^T = K·Q^T, O^T += V^T·P^T.
template <typename T, int HEAD_DIM>
__device__ __forceinline__ void attend_boxes(const TensorMap& pool, const T* qkv, int qkvStride, long long kvBlock, long long layerOffset,
                                             const int* tables, int tableStride, const int* contexts, T* out, float* partial, int rows,
                                             int heads, int kvHeads, int blockTokens, float scale, int splits) {
  constexpr int STEPS = HEAD_DIM / 16;
  using Tiles = BoxedTiles<T, HEAD_DIM>;
  __shared__ DecodeShared shared;
  static_assert(kBarrierBytes + sizeof(DecodeOutputs) <= BOXED_SHARED_BYTES && DECODE_WARPS * Tiles::STAGES * 8 <= kBarrierBytes);
  releaseSuccessor();
  const DecodePart part(tables, tableStride, contexts, heads, kvHeads, splits);
  Tiles tiles(pool, part, kvBlock, layerOffset, kvHeads, blockTokens);
  // Keys and values of earlier steps are there, as the step's inputs are; the latest token's are a predecessor's.
  tiles.ask_first(false);
  awaitPredecessor();
  if (!part.any()) {
    part.clear(out, heads, HEAD_DIM);
    return;
  }
  tiles.ask_first(true);

  const int lane = threadIdx.x & 31;
  const int group = lane >> 2;
  const int quarter = lane & 3;
  const T* queries = qkv + static_cast<long long>(part.row) * qkvStride + part.firstHead * HEAD_DIM;
  uint32_t query[STEPS][2];
#pragma unroll
  for (int i = 0; i < STEPS; i++) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      query[i][j] = group < part.heads ? *reinterpret_cast<const uint32_t*>(queries + group * HEAD_DIM + 16 * i + 8 * j + 2 * quarter) : 0;
    }
  }

  const float scale2 = scale * LOG2_E;
  DecodeSums<T, HEAD_DIM> sums;
  for (int i = 0; i < tiles.mine; i++) {
    tiles.await(i);
    const uint32_t keys = tiles.at(i);
    const uint32_t values = keys + Tiles::VALUES;
    const int first = tiles.tile(i) * TILE_TOKENS;
    if (first + TILE_TOKENS > part.context) tiles.clear_past(i);

    float even[4] = {}, odd[4] = {};
#pragma unroll
    for (int j = 0; j < STEPS; j++) {
      uint32_t a[4];
      ldmatrix4(a, Tiles::eight(keys, lane % 16, 2 * j + lane / 16));
      Number<T>::mma(j & 1 ? odd : even, a[0], a[1], a[2], a[3], query[j][0], query[j][1]);
    }
    float logit[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const bool within = first + group + (j >> 1) * 8 < part.context;
      logit[j] = within ? (even[j] + odd[j]) * scale2 : -INFINITY;
    }
    uint32_t weights[2];
    sums.weigh(logit, weights);
#pragma unroll
    for (int j = 0; j < STEPS; j++) {
      uint32_t a[4];
      ldmatrix4_transposed(a, Tiles::eight(values, lane % 8 + lane / 16 * 8, 2 * j + lane / 8 % 2));
      Number<T>::mma(sums.output[j], a[0], a[1], a[2], a[3], weights[0], weights[1]);
    }
    __syncwarp();
    if (i + Tiles::STAGES < tiles.mine) tiles.ask(i + Tiles::STAGES);
  }

  // The first barrier in it is behind all warps' last look at their tiles, whose place the outputs take.
  const DecodeTarget<T> target{out, partial, rows * heads, part.row * heads + part.firstHead, HEAD_DIM, splits, part.split, part.used == 1};
  sums.join(part.heads, target, shared, *reinterpret_cast<DecodeOutputs*>(decodeShared + kBarrierBytes),
            [&](int i, int element) { return 16 * i + group + element / 2 * 8; });
}

#endif

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

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define ATTEND_BOXES_BODY(T, HEAD_DIM)                                                                                                      \
  attention::attend_boxes<T, HEAD_DIM>(pool, qkv, qkvStride, kvBlock, layerOffset, tables, tableStride, contexts, out, partial, rows, heads, \
                                       kvHeads, blockTokens, scale, splits)
#else
#define ATTEND_BOXES_BODY(T, HEAD_DIM) __trap()
#endif

#define ATTEND_BOXES(HEAD_DIM, SUFFIX, T)                                                                                                   \
  extern "C" __global__ void __launch_bounds__(128, 3)                                                                                       \
      attend_decode_d##HEAD_DIM##_##SUFFIX(const __grid_constant__ TensorMap pool, const T* qkv, int qkvStride, long long kvBlock,           \
                                           long long layerOffset, const int* tables, int tableStride, const int* contexts, T* out,           \
                                           float* partial, int rows, int heads, int kvHeads, int blockTokens, float scale, int splits) {     \
    ATTEND_BOXES_BODY(T, HEAD_DIM);                                                                                                          \
  }

ATTEND_BOXES(64, bf16, __nv_bfloat16)
ATTEND_BOXES(128, bf16, __nv_bfloat16)
ATTEND_BOXES(64, f16, __half)
ATTEND_BOXES(128, f16, __half)
