// Decode attention on compute capability 9.0 for heads of 64 and 128 dimensions, fed by the copy engine; elsewhere it is there and traps.
//
// attend_decode_d{64,128}_{bf16,f16}(TensorMap pool, const T* qkv, int qkvStride, long long kvBlock, long long layerOffset, const int* tables,
//     int tableStride, const int* contexts, T* out, float* partial, int rows, int heads, int kvHeads, int blockTokens, float scale, int splits)
//   pool: tensor map of the pool from block 0 on, as rows of a head's dimensions, 128-byte swizzle, boxes of 64 by 16 by 1
//   grid (splits, kvHeads * ceil(heads / kvHeads / 8), rows), block 128, dynamic shared memory 66560; attend_merge behind it where splits > 1
//   blockTokens a multiple of 16; all else as attend_decode; not behind attend_prefill of the same step
//
// Pool slots past a context are read within its last 16 tokens, and never used.
//
// The copy engine brings tiles to shared memory, two or more of a warp at a time, where ldmatrix reads them, with weight 0 and values 0 past the
// context: what is on its way then takes neither registers nor first-level cache, of which the products around it leave little, and a warp's
// first tiles, but that of the newest token, are asked for before the predecessor is done: what earlier steps wrote is there. Beside prefills,
// which wait for the same memory, that is slower than attend_decode.

#include "attention_decode.cuh"
#include "copy_engine.cuh"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

namespace attention {

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

// As decode_fast of attention_decode.cu, with keys and values from shared memory: S^T = K·Q^T, O^T += V^T·P^T.
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

}  // namespace attention

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
