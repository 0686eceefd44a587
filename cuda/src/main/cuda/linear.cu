// Linear layers of few rows: y[m][n] = sum over k of x[m][k] * w[n][k], with w as checkpoints have it
// (row-major, a row an output). Bound by the reading of w.
//
//   linear_bB_T(x, w, bias, y, m, n, k, mode, partial, arrivals), B = 8, 16, 32, 64; T = bf16, f16
//     x         [m][k] of T, m from 1 to B (the least B that holds m is the fastest)
//     w         [n][k] of T; mode 2: [2 * n][k], gate then up
//     bias      null, or float32, one for each row of w
//     y         [m][n]; mode 0: of T
//                       mode 1: of float32
//                       mode 2: of T, silu(gate) * up
//                       mode 3: of float32, added to what is there
//     partial   workspace, written before it is read: grid * 2 * R * B * 4 bytes
//     arrivals  workspace, one int for each tile, all zero; a launch leaves it so
// k is a multiple of 8; pointers of T are 16-byte aligned. One workspace serves all launches of a stream.
//
// Launch geometry: block 256, dynamic shared memory 98304, grid any number from 1 to tiles * chunks:
//     B     rows R of a tile   k of a chunk C
//     8     16                 512
//     16    16                 512
//     32    32                 256
//     64    64                 128
// tiles = ceil(n / R) (mode 2: ceil(2 * n / R)), chunks = ceil(k / C). The blocks share tiles * chunks
// units evenly, in order. A tile in several blocks is put together by the one that finishes last, always
// in the same order, so the grid decides the bits of the result and chance does not. With grid = tiles
// none is split, and `partial` and `arrivals` are not touched.
//
// A good grid: `slots` blocks fit on the device at once (2 on a multiprocessor with 228 KiB of shared
// memory, as those of compute capability 9.0; 1 on others). Take tiles, or where those are fewer than
// slots, the greatest multiple of tiles in slots; but slots itself, if the last wave of that would leave
// more than a fifth of all waves' slots empty. Never more than tiles * chunks.
//
// A launch may overlap the one before it (programmatic stream serialization): it begins by reading w,
// and touches all else only once that one has ended. That hides most of what a launch costs.
//
// Weights are the 16-row side of the tensor cores' product and the batch its 8-column side. A lane
// reads 8 elements in a row of k: mma wants other ones, but the order of k is free as long as both
// sides agree.

#include "types.cuh"

namespace {

constexpr int kThreads = 256;
constexpr int kWeightBytes = 16384;  // of a stage of the pipeline
constexpr int kSharedBytes = 98304;

enum Mode { kStore, kStoreFloat, kGated, kAdd };

// How the 8 warps share a tile: kRowWarps by 16 rows each, kBatchWarps by batch, the others by k.
template <int kBatch>
struct Tiling;
template <>
struct Tiling<8> {
  static constexpr int kRowWarps = 1, kBatchWarps = 1;
};
template <>
struct Tiling<16> {
  static constexpr int kRowWarps = 1, kBatchWarps = 1;
};
template <>
struct Tiling<32> {
  static constexpr int kRowWarps = 2, kBatchWarps = 2;
};
template <>
struct Tiling<64> {
  static constexpr int kRowWarps = 4, kBatchWarps = 2;
};

template <typename T>
__device__ void multiply(float4& c, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0,
                         uint32_t b1);
template <>
__device__ inline void multiply<__nv_bfloat16>(float4& c, uint32_t a0, uint32_t a1, uint32_t a2,
                                               uint32_t a3, uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c.x), "+f"(c.y), "+f"(c.z), "+f"(c.w)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
template <>
__device__ inline void multiply<__half>(float4& c, uint32_t a0, uint32_t a1, uint32_t a2,
                                        uint32_t a3, uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c.x), "+f"(c.y), "+f"(c.z), "+f"(c.w)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// 16 bytes to shared memory, zeros where `real` is false; what is read once need not stay in the cache.
__device__ inline void copyAsync(uint32_t to, const void* from, bool real) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(real ? 16 : 0)
               : "memory");
}
__device__ inline void copyAsyncOnce(uint32_t to, const void* from, bool real, uint64_t policy) {
  asm volatile("cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2, %3;" ::"r"(to),
               "l"(from), "r"(real ? 16 : 0), "l"(policy)
               : "memory");
}

__device__ inline uint4 readShared(uint32_t from) {
  uint4 x;
  asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
               : "r"(from));
  return x;
}

extern __shared__ __align__(128) unsigned char linearShared[];

template <typename T, int kBatch>
struct Linear {
  static constexpr int kRowWarps = Tiling<kBatch>::kRowWarps;
  static constexpr int kBatchWarps = Tiling<kBatch>::kBatchWarps;
  static constexpr int kDepthWarps = kThreads / kWarp / kRowWarps / kBatchWarps;
  static constexpr int kRows = 16 * kRowWarps;
  static constexpr int kDepth = kWeightBytes / 2 / kRows;
  static constexpr int kStageBytes = kWeightBytes + kBatch * kDepth * 2;
  static constexpr int kStages = kSharedBytes / kStageBytes;
  static constexpr int kBatchTiles = kBatch / 8 / kBatchWarps;
  static constexpr int kSteps = kDepth / kDepthWarps / 32;
  static constexpr int kPieces = kDepth / kWide;  // of 16 bytes in a row of a stage
  static constexpr int kWeightCopies = kRows * kPieces / kThreads;
  static constexpr int kInputCopies = kBatch * kPieces / kThreads;
  static constexpr int kOwners = kRowWarps * kBatchWarps * kWarp;
  static constexpr int kTile = kRows * kBatch;
  static_assert(kThreads % kPieces == 0 && kSteps > 0 && kStages >= 3);
  static_assert((kDepthWarps - 1) * kTile * 4 <= kStageBytes);

  const T* x;
  const T* w;
  const float* bias;
  void* y;
  int m;
  int n;
  int k;
  int mode;
  float* partial;
  int* arrivals;

  int chunks;
  int units;
  uint32_t shared;
  uint64_t policy;
  int loadTile;
  int loadChunk;
  const T* weights[kWeightCopies];  // what this thread copies next
  const T* input[kInputCopies];     // and from the beginning of k
  float4 sums[kBatchTiles];

  __device__ int unitsBefore(int block) const {
    return static_cast<int>(static_cast<int64_t>(units) * block / gridDim.x);
  }

  __device__ int blockOf(int unit) const {
    return static_cast<int>(((unit + int64_t{1}) * gridDim.x - 1) / units);
  }

  // Rows of w in a tile: those of y in order; gated: 8 of gate and the 8 of up that belong to them,
  // which so meet in one lane. Rows beyond the last are the last.
  __device__ int weightRow(int row) const {
    if (mode != kGated) {
      return min(loadTile * kRows + row, n - 1);
    }
    const int pair = min(loadTile * (kRows / 2) + row / 16 * 8 + row % 8, n - 1);
    return row % 16 < 8 ? pair : n + pair;
  }

  // Odd rows have their halves of 128 bytes exchanged, so that 8 lanes read from all banks.
  __device__ static uint32_t place(int row, int piece) {
    return (row * kPieces + (piece ^ (row & 1) << 2)) * 16;
  }

  __device__ static int rowOf(int copy) {
    return copy * (kThreads / kPieces) + threadIdx.x / kPieces;
  }

  __device__ static int pieceOf() { return threadIdx.x % kPieces; }

  __device__ void aimAtTile() {
#pragma unroll
    for (int i = 0; i < kWeightCopies; i++) {
      weights[i] = w + static_cast<int64_t>(weightRow(rowOf(i))) * k + loadChunk * kDepth
          + pieceOf() * kWide;
    }
  }

  __device__ void loadWeights(int stage) {
    const uint32_t to = shared + stage * kStageBytes;
    const int depth = loadChunk * kDepth;
    if (depth + kDepth <= k) {
#pragma unroll
      for (int i = 0; i < kWeightCopies; i++) {
        copyAsyncOnce(to + place(rowOf(i), pieceOf()), weights[i], true, policy);
        weights[i] += kDepth;
      }
    } else {
      const bool real = depth + pieceOf() * kWide < k;
#pragma unroll
      for (int i = 0; i < kWeightCopies; i++) {
        copyAsyncOnce(to + place(rowOf(i), pieceOf()), real ? weights[i] : w, real, policy);
      }
    }
  }

  // Zeros for rows beyond the batch.
  __device__ void loadInput(int stage, int chunk) const {
    const uint32_t to = shared + stage * kStageBytes + kWeightBytes;
    const int depth = chunk * kDepth;
    const bool inside = depth + pieceOf() * kWide < k;
#pragma unroll
    for (int i = 0; i < kInputCopies; i++) {
      copyAsync(to + place(rowOf(i), pieceOf()), input[i] + (inside ? depth + pieceOf() * kWide : 0),
                inside && rowOf(i) < m);
    }
  }

  __device__ void advance() {
    if (++loadChunk == chunks) {
      loadChunk = 0;
      loadTile++;
      aimAtTile();
    }
  }

  __device__ void compute(int stage, int rowWarp, int batchWarp, int depthWarp) {
    const int group = threadIdx.x % kWarp / 4;
    const int member = threadIdx.x % 4;
    const uint32_t a = shared + stage * kStageBytes;
    const uint32_t b = a + kWeightBytes;
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      const int piece = (depthWarp * kSteps + step) * 4 + member;
      const uint4 low = readShared(a + place(rowWarp * 16 + group, piece));
      const uint4 high = readShared(a + place(rowWarp * 16 + 8 + group, piece));
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        const uint4 in = readShared(b + place((batchWarp * kBatchTiles + j) * 8 + group, piece));
        multiply<T>(sums[j], low.x, high.x, low.y, high.y, in.x, in.y);
        multiply<T>(sums[j], low.z, high.z, low.w, high.w, in.z, in.w);
      }
    }
  }

  // Adds the sums of the warps that share a tile by k to those of the first; `stage` is free for it.
  __device__ void addDepths(int stage, int owner, int depthWarp) {
    float4* exchange = reinterpret_cast<float4*>(linearShared + stage * kStageBytes) + owner;
    __syncthreads();
    if (depthWarp > 0) {
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        exchange[((depthWarp - 1) * kBatchTiles + j) * kOwners] = sums[j];
      }
    }
    __syncthreads();
    if (depthWarp == 0) {
#pragma unroll
      for (int d = 0; d < kDepthWarps - 1; d++) {
#pragma unroll
        for (int j = 0; j < kBatchTiles; j++) {
          add(sums[j], exchange[(d * kBatchTiles + j) * kOwners]);
        }
      }
    }
  }

  __device__ static void add(float4& sum, float4 other) {
    sum.x += other.x, sum.y += other.y, sum.z += other.z, sum.w += other.w;
  }

  // A block leaves shares of two tiles at most: of its first and of its last.
  __device__ float4* partialOf(int block, int tile) const {
    const bool first = unitsBefore(block) / chunks == tile;
    return reinterpret_cast<float4*>(partial)
        + (static_cast<int64_t>(block) * 2 + (first ? 0 : 1)) * (kTile / 4);
  }

  // Leaves this block's share of a tile for whoever finishes it. Whether that is this block, which
  // then has all shares in its sums.
  __device__ bool join(int tile, int share, int owner, bool owns) {
    if (owns) {
      float4* to = partialOf(blockIdx.x, tile) + owner;
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        __stcg(to + j * kOwners, sums[j]);
      }
      __threadfence();
    }
    __shared__ int arrived;
    __syncthreads();
    if (threadIdx.x == 0) {
      arrived = atomicAdd(arrivals + tile, share) + share;
      if (arrived == chunks) {
        arrivals[tile] = 0;
      }
    }
    __syncthreads();
    if (arrived != chunks) {
      return false;
    }
    if (owns) {
      __threadfence();
      clear();
      const int last = blockOf((tile + 1) * chunks - 1);
#pragma unroll 2
      for (int block = blockOf(tile * chunks); block <= last; block++) {
        const float4* from = partialOf(block, tile) + owner;
#pragma unroll
        for (int j = 0; j < kBatchTiles; j++) {
          add(sums[j], __ldcg(from + j * kOwners));
        }
      }
    }
    return true;
  }

  __device__ void store(int row, int column, float value) const {
    if (row < n && column < m) {
      const int64_t at = static_cast<int64_t>(column) * n + row;
      if (mode == kStoreFloat || mode == kAdd) {
        static_cast<float*>(y)[at] = value;
      } else {
        static_cast<T*>(y)[at] = fromFloat<T>(value);
      }
    }
  }

  __device__ float stored(int row, int column) const {
    return row < n && column < m
        ? static_cast<const float*>(y)[static_cast<int64_t>(column) * n + row] : 0.0f;
  }

  __device__ float biasOf(int row, int rows) const {
    return bias != nullptr && row < rows ? bias[row] : 0.0f;
  }

  __device__ void finish(int tile, int rowWarp, int batchWarp) {
    const int group = threadIdx.x % kWarp / 4;
    const int column = batchWarp * kBatchTiles * 8 + threadIdx.x % 4 * 2;
    const int sixteen = tile * kRowWarps + rowWarp;
    if (mode == kGated) {
      const int row = sixteen * 8 + group;
      const float gate = biasOf(row, n);
      const float up = row < n ? biasOf(n + row, 2 * n) : 0.0f;
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        store(row, column + 8 * j, silu(sums[j].x + gate) * (sums[j].z + up));
        store(row, column + 8 * j + 1, silu(sums[j].y + gate) * (sums[j].w + up));
      }
    } else {
      const int row = sixteen * 16 + group;
      const float low = biasOf(row, n);
      const float high = biasOf(row + 8, n);
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        add(sums[j], make_float4(low, low, high, high));
      }
      if (mode == kAdd) {
        // All reads before the first write, so that they do not wait for one another.
        float4 before[kBatchTiles];
#pragma unroll
        for (int j = 0; j < kBatchTiles; j++) {
          before[j] = make_float4(stored(row, column + 8 * j), stored(row, column + 8 * j + 1),
                                  stored(row + 8, column + 8 * j), stored(row + 8, column + 8 * j + 1));
        }
#pragma unroll
        for (int j = 0; j < kBatchTiles; j++) {
          add(sums[j], before[j]);
        }
      }
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        store(row, column + 8 * j, sums[j].x);
        store(row, column + 8 * j + 1, sums[j].y);
        store(row + 8, column + 8 * j, sums[j].z);
        store(row + 8, column + 8 * j + 1, sums[j].w);
      }
    }
  }

  __device__ void clear() {
#pragma unroll
    for (int j = 0; j < kBatchTiles; j++) {
      sums[j] = make_float4(0, 0, 0, 0);
    }
  }

  __device__ void run() {
    const int warp = threadIdx.x / kWarp;
    const int rowWarp = warp % kRowWarps;
    const int batchWarp = warp / kRowWarps % kBatchWarps;
    const int depthWarp = warp / (kRowWarps * kBatchWarps);
    const int wide = mode == kGated ? 2 * n : n;
    chunks = (k + kDepth - 1) / kDepth;
    units = (wide + kRows - 1) / kRows * chunks;
    shared = static_cast<uint32_t>(__cvta_generic_to_shared(linearShared));
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    const int begin = unitsBefore(blockIdx.x);
    const int end = unitsBefore(blockIdx.x + 1);
#pragma unroll
    for (int i = 0; i < kInputCopies; i++) {
      input[i] = x + static_cast<int64_t>(min(rowOf(i), m - 1)) * k;
    }

    int tile = begin / chunks;
    loadTile = tile;
    loadChunk = begin - tile * chunks;
    int inputChunk = loadChunk;
    aimAtTile();
    // Weights do not depend on the kernels before.
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (begin + s < end) {
        loadWeights(s);
        advance();
      }
    }
    awaitPredecessor();
    releaseSuccessor();
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (begin + s < end) {
        loadInput(s, inputChunk);
        inputChunk = inputChunk == chunks - 1 ? 0 : inputChunk + 1;
      }
      asm volatile("cp.async.commit_group;" ::: "memory");
    }

    clear();
    int stage = 0;
    int first = begin;
    for (int unit = begin; unit < end; unit++) {
      asm volatile("cp.async.wait_group %0;" ::"n"(kStages - 2) : "memory");
      __syncthreads();
      if (unit + kStages - 1 < end) {
        const int into = stage == 0 ? kStages - 1 : stage - 1;
        loadInput(into, loadChunk);
        loadWeights(into);
        advance();
      }
      asm volatile("cp.async.commit_group;" ::: "memory");
      compute(stage, rowWarp, batchWarp, depthWarp);

      const int next = unit + 1;
      if (next == end || next == (tile + 1) * chunks) {
        const int owner = warp % (kRowWarps * kBatchWarps) * kWarp + threadIdx.x % kWarp;
        const bool owns = depthWarp == 0;
        if constexpr (kDepthWarps > 1) {
          addDepths(stage, owner, depthWarp);
        }
        const bool whole = next - first == chunks || join(tile, next - first, owner, owns);
        if (whole && owns) {
          finish(tile, rowWarp, batchWarp);
        }
        clear();
        tile++;
        first = next;
      }
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
  }
};

}  // namespace

#define LINEAR(BATCH, SUFFIX, T)                                                                   \
  extern "C" __global__ void __launch_bounds__(kThreads, 2) linear_b##BATCH##_##SUFFIX(            \
      const T* x, const T* w, const float* bias, void* y, int m, int n, int k, int mode,           \
      float* partial, int* arrivals) {                                                             \
    Linear<T, BATCH>{x, w, bias, y, m, n, k, mode, partial, arrivals}.run();                       \
  }

LINEAR(8, bf16, __nv_bfloat16)
LINEAR(16, bf16, __nv_bfloat16)
LINEAR(32, bf16, __nv_bfloat16)
LINEAR(64, bf16, __nv_bfloat16)
LINEAR(8, f16, __half)
LINEAR(16, f16, __half)
LINEAR(32, f16, __half)
LINEAR(64, f16, __half)
