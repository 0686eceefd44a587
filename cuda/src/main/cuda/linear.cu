// Linear layers of few rows: y[m][n] = sum over k of x[m][k] * w[n][k], with w as checkpoints have it
// (row-major, a row an output). Bound by the reading of w.
//
//   linear_bB_rR_T(x, w, bias, y, m, n, k, mode, partial, arrivals), T = bf16, f16
//     x         [m][k] of T, m from 1 to B
//     w         [n][k] of T; mode 2: [2 * n][k], gate then up
//     bias      null, or float32, one for each row of w
//     y         [m][n]; mode 0: of T
//                       mode 1: of float32
//                       mode 2: of T, silu(gate) * up
//                       mode 3: of float32, added to what is there
//     partial   workspace, written before it is read: splits * tiles * R * B * 4 bytes
//     arrivals  workspace, one int for each tile, all zero; a launch leaves it so
// k is a multiple of 8; pointers of T are 16-byte aligned. One workspace serves all launches of a stream.
//
// R rows of w are a tile; B and R are one of
//     B     R
//     8     16, 48
//     16    16, 48, 64
//     32    32, 48, 64, 96
//     64    64
// Launch geometry: block 256, dynamic shared memory 98304, grid (splits, tiles), where tiles = ceil(n / R) (mode 2:
// ceil(2 * n / R)) and splits is by how many blocks a tile is shared, each of which has part of k. On compute capability
// 9.0 the launch makes the blocks of a tile a cluster (splits, 1, 1), of 8 at most; they read one another's sums in
// shared memory, and neither `partial` nor `arrivals` is touched. On others the block that finishes last puts them
// together. Sums are always added in the same order: R and splits decide the bits of the result, and chance does not.
//
// Which R and splits: those that leave few of the blocks that run at once idle in the last wave. Two blocks fit on a
// multiprocessor with 228 KiB of shared memory, as those of compute capability 9.0; one on smaller ones. The larger the tile, the
// less often x comes from the second-level cache, whose rate is the next bound after memory's; sharing a tile costs
// 1 to 3 us, by more than two blocks 6 and more.
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
constexpr int kSharedBytes = 98304;

enum Mode { kStore, kStoreFloat, kGated, kAdd };

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

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
constexpr bool kClusters = true;
#else
constexpr bool kClusters = false;
#endif

// What another block of the cluster has at an address of shared memory.
[[maybe_unused]] __device__ inline float4 readCluster(uint32_t from, int block) {
  float4 x = make_float4(0, 0, 0, 0);
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile(
      "{\n.reg .u32 at;\nmapa.shared::cluster.u32 at, %4, %5;\n"
      "ld.shared::cluster.v4.f32 {%0,%1,%2,%3}, [at];\n}"
      : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w)
      : "r"(from), "r"(block)
      : "memory");
#endif
  return x;
}

// Waits for all threads of the cluster; what they wrote to shared memory is seen by all of them.
[[maybe_unused]] __device__ inline void awaitCluster() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

extern __shared__ __align__(128) unsigned char linearShared[];

// The 8 warps share a tile: kRowWarps by 16 * kRowTiles rows each, kBatchWarps by batch, the others by k, of which a
// stage of the pipeline has kDepth.
template <typename T, int kBatch, int kRowWarps, int kRowTiles, int kBatchWarps, int kDepth>
struct Linear {
  static constexpr int kDepthWarps = kThreads / kWarp / kRowWarps / kBatchWarps;
  static constexpr int kRows = 16 * kRowTiles * kRowWarps;
  static constexpr int kWeightBytes = kRows * kDepth * 2;
  static constexpr int kStageBytes = kWeightBytes + kBatch * kDepth * 2;
  static constexpr int kStages = kSharedBytes / kStageBytes;
  static constexpr int kBatchTiles = kBatch / 8 / kBatchWarps;
  static constexpr int kSteps = kDepth / kDepthWarps / 32;
  static constexpr int kPieces = kDepth / kWide;  // of 16 bytes in a row of a stage
  static constexpr int kWeightCopies = kRows * kPieces / kThreads;
  static constexpr int kInputCopies = kBatch * kPieces / kThreads;
  static constexpr int kOwners = kRowWarps * kBatchWarps * kWarp;  // threads whose sums make up a tile
  static constexpr int kFours = kRows * kBatch / 4;                // sums of a tile, four at a time
  static_assert(kThreads % kPieces == 0 && kSteps > 0 && kStages >= 3 && kRows * kPieces % kThreads == 0
                && kBatch * kPieces % kThreads == 0);
  static_assert(kDepthWarps * kFours * sizeof(float4) <= kSharedBytes);

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

  int tile;
  uint32_t shared;
  uint64_t policy;
  int loadChunk;
  const T* weights[kWeightCopies];  // what this thread copies next
  const T* input[kInputCopies];     // and from the beginning of k
  float4 sums[kRowTiles][kBatchTiles];

  // Rows of w in a tile: those of y in order; gated: 8 of gate and the 8 of up that belong to them,
  // which so meet in one lane. Rows beyond the last are the last.
  __device__ int weightRow(int row) const {
    if (mode != kGated) {
      return min(tile * kRows + row, n - 1);
    }
    const int pair = min(tile * (kRows / 2) + row / 16 * 8 + row % 8, n - 1);
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

  __device__ void loadWeights(int stage) {
    const uint32_t to = shared + stage * kStageBytes;
    const int depth = loadChunk * kDepth;
    const bool real = depth + pieceOf() * kWide < k;
#pragma unroll
    for (int i = 0; i < kWeightCopies; i++) {
      copyAsyncOnce(to + place(rowOf(i), pieceOf()), real ? weights[i] : w, real, policy);
      weights[i] += kDepth;
    }
    loadChunk++;
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

  __device__ void compute(int stage, int rowWarp, int batchWarp, int depthWarp) {
    const int group = threadIdx.x % kWarp / 4;
    const int member = threadIdx.x % 4;
    const uint32_t a = shared + stage * kStageBytes;
    const uint32_t b = a + kWeightBytes;
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      const int piece = (depthWarp * kSteps + step) * 4 + member;
      uint4 low[kRowTiles], high[kRowTiles];
#pragma unroll
      for (int i = 0; i < kRowTiles; i++) {
        const int row = (rowWarp * kRowTiles + i) * 16 + group;
        low[i] = readShared(a + place(row, piece));
        high[i] = readShared(a + place(row + 8, piece));
      }
#pragma unroll
      for (int j = 0; j < kBatchTiles; j++) {
        const uint4 in = readShared(b + place((batchWarp * kBatchTiles + j) * 8 + group, piece));
#pragma unroll
        for (int i = 0; i < kRowTiles; i++) {
          multiply<T>(sums[i][j], low[i].x, high[i].x, low[i].y, high[i].y, in.x, in.y);
          multiply<T>(sums[i][j], low[i].z, high[i].z, low[i].w, high[i].w, in.z, in.w);
        }
      }
    }
  }

  __device__ static void add(float4& sum, float4 other) {
    sum.x += other.x, sum.y += other.y, sum.z += other.z, sum.w += other.w;
  }

  // Puts the sums of all warps and blocks of the tile together.
  __device__ void reduce(int owner, int depthWarp) {
    const int splits = gridDim.x;
    // The blocks of a cluster finish the tile together.
    const int finishing = kClusters ? splits : 1;
    int four = kClusters ? blockIdx.x * kThreads + threadIdx.x : threadIdx.x;
    // Asked for while the sums are put together.
    float4 before = stored(four);
    asm volatile("cp.async.wait_all;" ::: "memory");
    __syncthreads();
    float4* all = reinterpret_cast<float4*>(linearShared);
#pragma unroll
    for (int i = 0; i < kRowTiles * kBatchTiles; i++) {
      all[depthWarp * kFours + i * kOwners + owner] = sums[i / kBatchTiles][i % kBatchTiles];
    }
    if (finishing == 1) {
      __syncthreads();
    } else {
      awaitCluster();
    }
    if (finishing < splits) {
      join(splits);
      return;
    }
    while (four < kFours) {
      finish(four, finishing == 1 ? sumOfWarps(four) : sumOfCluster(four, splits), before);
      four += finishing * kThreads;
      before = stored(four);
    }
    if (finishing > 1) {
      // The others may still be reading what this block has.
      awaitCluster();
    }
  }

  // Leaves this block's share of the tile in the workspace; the last block to do so adds them all.
  __device__ void join(int splits) const {
    float4* shares = reinterpret_cast<float4*>(partial) + static_cast<int64_t>(tile) * splits * kFours;
    for (int four = threadIdx.x; four < kFours; four += kThreads) {
      __stcg(shares + blockIdx.x * kFours + four, sumOfWarps(four));
    }
    __threadfence();
    __shared__ bool last;
    __syncthreads();
    if (threadIdx.x == 0) {
      last = atomicAdd(arrivals + tile, 1) == splits - 1;
      if (last) {
        arrivals[tile] = 0;
      }
    }
    __syncthreads();
    if (last) {
      __threadfence();
      for (int four = threadIdx.x; four < kFours; four += kThreads) {
        float4 sum = make_float4(0, 0, 0, 0);
        for (int other = 0; other < splits; other++) {
          add(sum, __ldcg(shares + other * kFours + four));
        }
        finish(four, sum, stored(four));
      }
    }
  }

  __device__ static float4 sumOfWarps(int four) {
    const float4* all = reinterpret_cast<const float4*>(linearShared);
    float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll
    for (int d = 0; d < kDepthWarps; d++) {
      add(sum, all[d * kFours + four]);
    }
    return sum;
  }

  __device__ float4 sumOfCluster(int four, int splits) const {
    float4 sum = make_float4(0, 0, 0, 0);
    for (int block = 0; block < splits; block++) {
#pragma unroll
      for (int d = 0; d < kDepthWarps; d++) {
        add(sum, readCluster(shared + (d * kFours + four) * sizeof(float4), block));
      }
    }
    return sum;
  }

  // Where the four sums of a thread of a tile's owners lie: rows 16 * sixteen + lane / 4 of w and the one 8 further,
  // rows column and column + 1 of x.
  struct Place {
    int sixteen;
    int column;
  };

  __device__ Place placeOf(int four) const {
    const int warp = four % kOwners / kWarp;
    const int i = four / kOwners;
    return {(tile * kRowWarps + warp % kRowWarps) * kRowTiles + i / kBatchTiles,
            (warp / kRowWarps * kBatchTiles + i % kBatchTiles) * 8 + four % 4 * 2};
  }

  __device__ bool inside(int row, int column) const { return row < n && column < m; }

  // What y has where sums are added to it, otherwise zeros.
  __device__ float4 stored(int four) const {
    float4 x = make_float4(0, 0, 0, 0);
    if (mode == kAdd && four < kFours) {
      const Place at = placeOf(four);
      const int row = at.sixteen * 16 + four % kWarp / 4;
      const float* from = static_cast<const float*>(y) + static_cast<int64_t>(at.column) * n + row;
      if (inside(row, at.column)) x.x = from[0];
      if (inside(row, at.column + 1)) x.y = from[n];
      if (inside(row + 8, at.column)) x.z = from[8];
      if (inside(row + 8, at.column + 1)) x.w = from[n + 8];
    }
    return x;
  }

  __device__ void store(int row, int column, float value) const {
    if (inside(row, column)) {
      const int64_t at = static_cast<int64_t>(column) * n + row;
      if (mode == kStoreFloat || mode == kAdd) {
        static_cast<float*>(y)[at] = value;
      } else {
        static_cast<T*>(y)[at] = fromFloat<T>(value);
      }
    }
  }

  __device__ float biasOf(int row, int rows) const {
    return bias != nullptr && row < rows ? bias[row] : 0.0f;
  }

  __device__ void finish(int four, float4 sum, float4 before) const {
    const Place at = placeOf(four);
    const int lane = four % kWarp;
    if (mode == kGated) {
      const int row = at.sixteen * 8 + lane / 4;
      const float gate = biasOf(row, n);
      const float up = row < n ? biasOf(n + row, 2 * n) : 0.0f;
      store(row, at.column, silu(sum.x + gate) * (sum.z + up));
      store(row, at.column + 1, silu(sum.y + gate) * (sum.w + up));
    } else {
      const int row = at.sixteen * 16 + lane / 4;
      const float low = biasOf(row, n);
      const float high = biasOf(row + 8, n);
      store(row, at.column, sum.x + low + before.x);
      store(row, at.column + 1, sum.y + low + before.y);
      store(row + 8, at.column, sum.z + high + before.z);
      store(row + 8, at.column + 1, sum.w + high + before.w);
    }
  }

  __device__ void run() {
    const int warp = threadIdx.x / kWarp;
    const int rowWarp = warp % kRowWarps;
    const int batchWarp = warp / kRowWarps % kBatchWarps;
    const int depthWarp = warp / (kRowWarps * kBatchWarps);
    const int chunks = (k + kDepth - 1) / kDepth;
    const int begin = chunks * blockIdx.x / gridDim.x;
    const int end = chunks * (blockIdx.x + 1) / gridDim.x;
    tile = blockIdx.y;
    loadChunk = begin;
    shared = static_cast<uint32_t>(__cvta_generic_to_shared(linearShared));
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
#pragma unroll
    for (int i = 0; i < kWeightCopies; i++) {
      weights[i] = w + static_cast<int64_t>(weightRow(rowOf(i))) * k + begin * kDepth + pieceOf() * kWide;
    }
#pragma unroll
    for (int i = 0; i < kInputCopies; i++) {
      input[i] = x + static_cast<int64_t>(min(rowOf(i), m - 1)) * k;
    }
#pragma unroll
    for (int i = 0; i < kRowTiles * kBatchTiles; i++) {
      sums[i / kBatchTiles][i % kBatchTiles] = make_float4(0, 0, 0, 0);
    }

    // Weights do not depend on the kernels before.
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (begin + s < end) {
        loadWeights(s);
      }
    }
    releaseSuccessor();
    awaitPredecessor();
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (begin + s < end) {
        loadInput(s, begin + s);
      }
      asm volatile("cp.async.commit_group;" ::: "memory");
    }

    int stage = 0;
    for (int chunk = begin; chunk < end; chunk++) {
      asm volatile("cp.async.wait_group %0;" ::"n"(kStages - 2) : "memory");
      __syncthreads();
      if (chunk + kStages - 1 < end) {
        const int into = stage == 0 ? kStages - 1 : stage - 1;
        loadInput(into, loadChunk);
        loadWeights(into);
      }
      asm volatile("cp.async.commit_group;" ::: "memory");
      compute(stage, rowWarp, batchWarp, depthWarp);
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
    reduce(warp % (kRowWarps * kBatchWarps) * kWarp + threadIdx.x % kWarp, depthWarp);
  }
};

}  // namespace

#define LINEAR_OF(BATCH, ROWS, SUFFIX, T, ROW_WARPS, ROW_TILES, BATCH_WARPS, DEPTH)                                        \
  extern "C" __global__ void __launch_bounds__(kThreads, 2) linear_b##BATCH##_r##ROWS##_##SUFFIX(                         \
      const T* x, const T* w, const float* bias, void* y, int m, int n, int k, int mode, float* partial, int* arrivals) { \
    using Layer = Linear<T, BATCH, ROW_WARPS, ROW_TILES, BATCH_WARPS, DEPTH>;                                             \
    static_assert(Layer::kRows == ROWS);                                                                                  \
    Layer{x, w, bias, y, m, n, k, mode, partial, arrivals}.run();                                                         \
  }

#define LINEAR(BATCH, ROWS, ROW_WARPS, ROW_TILES, BATCH_WARPS, DEPTH)                                  \
  LINEAR_OF(BATCH, ROWS, bf16, __nv_bfloat16, ROW_WARPS, ROW_TILES, BATCH_WARPS, DEPTH)                \
  LINEAR_OF(BATCH, ROWS, f16, __half, ROW_WARPS, ROW_TILES, BATCH_WARPS, DEPTH)

LINEAR(8, 16, 1, 1, 1, 512)
LINEAR(8, 48, 1, 3, 1, 256)
LINEAR(16, 16, 1, 1, 1, 512)
LINEAR(16, 48, 1, 3, 1, 256)
LINEAR(16, 64, 2, 2, 1, 128)
LINEAR(32, 32, 2, 1, 2, 256)
LINEAR(32, 48, 1, 3, 2, 128)
LINEAR(32, 64, 2, 2, 1, 128)
LINEAR(32, 96, 2, 3, 1, 128)
LINEAR(64, 64, 2, 2, 2, 128)
