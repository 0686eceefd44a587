// Linear layers of 33 to 192 rows on compute capability 9.0: y[m][n] = sum over k of x[m][k] * w[n][k], with w as
// checkpoints have it (row-major, a row an output).
//
//   linear_wide_rR_nN_T(weights, input, bias, y, m, n, k, mode), T = bf16, f16; R = 64, 128, 192; N = 64, 96, 112, 128, 144, 176
//     weights   tensor map of w, 128-byte swizzle, boxes of 64 by N by 1 of [k][n][1];
//               mode 2: 64 by N / 2 by 2 of [k][n][2], gate then up
//     input     tensor map of x, 128-byte swizzle, boxes of 64 by R by 1 of [k][R][1]: R rows can be read, of which what is
//               beyond m goes nowhere (zeros put in their place by the copy engine cost 9 to 29 % of a product of 72 rows)
//     bias      null, or float32, one for each row of w
//     y, mode   as in linear.cu
// k is a multiple of 8; y is 16-byte aligned. m is at most R.
// Launch geometry: block 2 * R + 32, dynamic shared memory 199680, grid (splits, blocks). With one split each block computes
// tiles of N rows of w, its own and those `blocks` further each time; with more there is a row of blocks for each tile, each
// with part of k, and these are a cluster (splits, 1, 1). Sums are always added in the same order: N and splits decide the
// bits of the result, and chance does not.
//
// One warp asks for tiles of w and x (all do, for the first of w); a warp group for each 64 rows of x multiplies them, straight
// from shared memory. One block runs on a multiprocessor: two with half the shared memory each were 1 to 19 % slower.
//
// On other compute capabilities the kernels are there and trap.

#include "copy_engine.cuh"
#include "types.cuh"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

namespace {

constexpr int kGroup = 128;              // threads of a warp group
constexpr int kGroupRows = 64;           // rows of x that it multiplies
constexpr int kSharedBytes = 199680;
constexpr int kStagesMax = 16;
constexpr int kDepth = 64;               // of k in a stage: 128 bytes, the width of a swizzle
constexpr int kRowBytes = kDepth * 2;

enum Mode { kStore, kStoreFloat, kGated, kAdd };

#define LINEAR_SUMS(d) \
  "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3]), "+f"((d)[4]), "+f"((d)[5]), "+f"((d)[6]), "+f"((d)[7])
#define LINEAR_LIST_8 "%0,%1,%2,%3,%4,%5,%6,%7"
#define LINEAR_LIST_16 LINEAR_LIST_8 ",""%8,%9,%10,%11,%12,%13,%14,%15"
#define LINEAR_LIST_24 LINEAR_LIST_16 ",""%16,%17,%18,%19,%20,%21,%22,%23"
#define LINEAR_LIST_32 LINEAR_LIST_24 ",""%24,%25,%26,%27,%28,%29,%30,%31"
#define LINEAR_LIST_40 LINEAR_LIST_32 ",""%32,%33,%34,%35,%36,%37,%38,%39"
#define LINEAR_LIST_48 LINEAR_LIST_40 ",""%40,%41,%42,%43,%44,%45,%46,%47"
#define LINEAR_LIST_56 LINEAR_LIST_48 ",""%48,%49,%50,%51,%52,%53,%54,%55"
#define LINEAR_LIST_64 LINEAR_LIST_56 ",""%56,%57,%58,%59,%60,%61,%62,%63"
#define LINEAR_LIST_72 LINEAR_LIST_64 ",""%64,%65,%66,%67,%68,%69,%70,%71"
#define LINEAR_LIST_80 LINEAR_LIST_72 ",""%72,%73,%74,%75,%76,%77,%78,%79"
#define LINEAR_LIST_88 LINEAR_LIST_80 ",""%80,%81,%82,%83,%84,%85,%86,%87"
#define LINEAR_SUMS_8(d) LINEAR_SUMS(d)
#define LINEAR_SUMS_16(d) LINEAR_SUMS_8(d), LINEAR_SUMS(d + 8)
#define LINEAR_SUMS_24(d) LINEAR_SUMS_16(d), LINEAR_SUMS(d + 16)
#define LINEAR_SUMS_32(d) LINEAR_SUMS_24(d), LINEAR_SUMS(d + 24)
#define LINEAR_SUMS_40(d) LINEAR_SUMS_32(d), LINEAR_SUMS(d + 32)
#define LINEAR_SUMS_48(d) LINEAR_SUMS_40(d), LINEAR_SUMS(d + 40)
#define LINEAR_SUMS_56(d) LINEAR_SUMS_48(d), LINEAR_SUMS(d + 48)
#define LINEAR_SUMS_64(d) LINEAR_SUMS_56(d), LINEAR_SUMS(d + 56)
#define LINEAR_SUMS_72(d) LINEAR_SUMS_64(d), LINEAR_SUMS(d + 64)
#define LINEAR_SUMS_80(d) LINEAR_SUMS_72(d), LINEAR_SUMS(d + 72)
#define LINEAR_SUMS_88(d) LINEAR_SUMS_80(d), LINEAR_SUMS(d + 80)

// d += x * w: 64 rows of x, kTile of w, 16 of k. A thread has four sums of each 8 rows of w: of rows lane / 4 and the one 8
// further of its warp's 16 rows of x, with rows 2 * (lane % 4) and the next of w.
template <typename T, int kTile>
__device__ void multiply(float* d, uint64_t x, uint64_t w);

#define LINEAR_MULTIPLY(T, TYPE, TILE, LIST, X, W, ...)                                              \
  template <>                                                                                        \
  __device__ inline void multiply<T, TILE>(float* d, uint64_t x, uint64_t w) {                       \
    asm volatile("wgmma.mma_async.sync.aligned.m64n" #TILE "k16.f32." TYPE "." TYPE " {" LIST "}, %" \
                 #X ", %" #W ", 1, 1, 1, 0, 0;"                                                      \
                 : __VA_ARGS__                                                                       \
                 : "l"(x), "l"(w));                                                                  \
  }
#define LINEAR_MULTIPLIES(T, TYPE) \
  LINEAR_MULTIPLY(T, TYPE, 64, LINEAR_LIST_32, 32, 33, LINEAR_SUMS_32(d)) \
  LINEAR_MULTIPLY(T, TYPE, 96, LINEAR_LIST_48, 48, 49, LINEAR_SUMS_48(d)) \
  LINEAR_MULTIPLY(T, TYPE, 112, LINEAR_LIST_56, 56, 57, LINEAR_SUMS_56(d)) \
  LINEAR_MULTIPLY(T, TYPE, 128, LINEAR_LIST_64, 64, 65, LINEAR_SUMS_64(d)) \
  LINEAR_MULTIPLY(T, TYPE, 144, LINEAR_LIST_72, 72, 73, LINEAR_SUMS_72(d)) \
  LINEAR_MULTIPLY(T, TYPE, 176, LINEAR_LIST_88, 88, 89, LINEAR_SUMS_88(d))
LINEAR_MULTIPLIES(__nv_bfloat16, "bf16")
LINEAR_MULTIPLIES(__half, "f16")

// Describes rows of 128 bytes in shared memory, swizzled, 8 of them in 1024 bytes, to the warp group's product.
__device__ inline uint64_t describe(uint32_t shared) {
  return uint64_t{1} << 62 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 16 | (shared & 0x3ffff) >> 4;
}

// Adds four numbers of a block of the cluster, if they are wanted.
__device__ inline void addFour(float* sum, uint32_t from, int block, bool wanted) {
  float4 x = {};
  asm volatile(
      "{\n.reg .u32 at;\n.reg .pred wanted;\nsetp.ne.s32 wanted, %6, 0;\nmapa.shared::cluster.u32 at, %4, %5;\n"
      "@wanted ld.shared::cluster.v4.f32 {%0,%1,%2,%3}, [at];\n}"
      : "+f"(x.x), "+f"(x.y), "+f"(x.z), "+f"(x.w)
      : "r"(from), "r"(block), "r"(static_cast<int>(wanted))
      : "memory");
  sum[0] += x.x, sum[1] += x.y, sum[2] += x.z, sum[3] += x.w;
}

__device__ inline void awaitCluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// As awaitCluster, where the others want nothing of what this block has stored: so it does not wait for stores to arrive. Nor for
// loads: whatever was asked for of others must have been used.
__device__ inline void meetCluster() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
}

extern __shared__ __align__(1024) unsigned char wideShared[];

template <typename T, int kRows, int kTile>
struct WideLinear {
  static constexpr int kProducts = kRows / kGroupRows * kGroup;  // threads that multiply
  static constexpr int kThreads = kProducts + kWarp;
  static constexpr int kSums = kTile / 2;  // of a thread
  static constexpr int kHalf = kTile / 2;  // gated: rows of gate, and of up
  static constexpr int kWeightBytes = kTile * kRowBytes;
  static constexpr int kStageBytes = kWeightBytes + kRows * kRowBytes;
  static constexpr int kStages = (kSharedBytes - kBarrierBytes) / kStageBytes;
  static constexpr int kFour = 4;
  // Sums of a row of x lie together; rows eight further apart, so that no two threads write to one bank at once.
  static constexpr int kPitch = kTile + 8;
  static_assert(kTile % 16 == 0 && kStages <= kStagesMax && kRows * kPitch * 4 + kBarrierBytes <= kSharedBytes);

  const float* bias;
  void* y;
  int m;
  int n;
  int mode;

  uint32_t shared;

  __device__ uint32_t stageAt(int stage) const { return shared + kBarrierBytes + stage * kStageBytes; }

  __device__ uint32_t fullAt(int stage) const { return shared + stage * 8; }

  __device__ uint32_t emptyAt(int stage) const { return shared + (kStagesMax + stage) * 8; }

  __device__ int rowsOfTile() const { return mode == kGated ? kHalf : kTile; }

  // The bias of an output that may be beyond n, where gated of `up` instead of gate.
  __device__ float biasOf(int output, bool up = false) const {
    return bias != nullptr && output < n ? bias[(up ? n : 0) + output] : 0.0f;
  }

  // Stores kCount values of one row of x, where n leaves room for all of them side by side; else those before n.
  template <int kCount>
  __device__ void store(const float* values, int row, int output) const {
    const int64_t at = static_cast<int64_t>(row) * n + output;
    float* floats = static_cast<float*>(y) + at;
    T* narrow = static_cast<T*>(y) + at;
    if (n % kCount != 0) {
      for (int i = 0; i < min(kCount, n - output); i++) {
        if (mode == kStoreFloat) {
          floats[i] = values[i];
        } else if (mode == kAdd) {
          floats[i] += values[i];
        } else {
          narrow[i] = fromFloat<T>(values[i]);
        }
      }
      return;
    }
#pragma unroll
    for (int i = 0; i < kCount; i += 2) {
      if (mode == kStoreFloat) {
        *reinterpret_cast<float2*>(floats + i) = make_float2(values[i], values[i + 1]);
      } else if (mode == kAdd) {
        // Nobody else adds to these, and what they become need not be known here.
        asm volatile("red.global.add.v2.f32 [%0], {%1, %2};" ::"l"(floats + i), "f"(values[i]), "f"(values[i + 1]) : "memory");
      } else {
        *reinterpret_cast<uint32_t*>(narrow + i) = pack<T>(values[i], values[i + 1]);
      }
    }
  }

  // Stores what a thread has of a tile, where no other block has part of it.
  template <bool kGate>
  __device__ void storeAll(const float* sums, int first) const {
    const int lane = threadIdx.x % kWarp;
    const int top = threadIdx.x / kWarp * 16 + lane / 4;
#pragma unroll
    for (int eight = 0; eight < (kGate ? kHalf : kTile) / 8; eight++) {
      const int output = first + eight * 8 + lane % 4 * 2;
      if (output >= n) {
        continue;
      }
#pragma unroll
      for (int below = 0; below < 2; below++) {
        const int row = top + 8 * below;
        const float* own = sums + eight * 4 + below * 2;
        float values[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          values[i] = own[i] + biasOf(output + i);
          if (kGate) {
            values[i] = silu(values[i]) * (own[kHalf / 2 + i] + biasOf(output + i, true));
          }
        }
        if (row < m) {
          store<2>(values, row, output);
        }
      }
    }
  }

  // Leaves what a thread has for the cluster.
  __device__ void leave(const float* sums) const {
    float* to = reinterpret_cast<float*>(wideShared + kBarrierBytes);
    const int lane = threadIdx.x % kWarp;
    const int top = threadIdx.x / kWarp * 16 + lane / 4;
#pragma unroll
    for (int eight = 0; eight < kTile / 8; eight++) {
#pragma unroll
      for (int below = 0; below < 2; below++) {
        *reinterpret_cast<float2*>(to + (top + 8 * below) * kPitch + eight * 8 + lane % 4 * 2) =
            make_float2(sums[eight * 4 + below * 2], sums[eight * 4 + below * 2 + 1]);
      }
    }
  }

  // Adds up and stores this block's share of the tile's sums, of which each block of the cluster has a part.
  template <bool kGate>
  __device__ void finish(int splits, int first) const {
    constexpr int kFours = (kGate ? kHalf : kTile) / kFour;
    constexpr int kAtOnce = kGate ? 2 : 4;
    const int stride = splits * kThreads;
    for (int unit = blockIdx.x * kThreads + threadIdx.x; unit < m * kFours; unit += kAtOnce * stride) {
      float sums[kAtOnce][kFour] = {};
      float ups[kAtOnce][kFour] = {};
#pragma unroll 2
      for (int block = 0; block < splits; block++) {
#pragma unroll
        for (int i = 0; i < kAtOnce; i++) {
          const int one = unit + i * stride;
          const bool wanted = one < m * kFours && first + one % kFours * kFour < n;
          const uint32_t at = shared + kBarrierBytes + (one / kFours * kPitch + one % kFours * kFour) * 4;
          addFour(sums[i], at, block, wanted);
          if (kGate) {
            addFour(ups[i], at + kHalf * 4, block, wanted);
          }
        }
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; i++) {
        const int one = unit + i * stride;
        const int output = first + one % kFours * kFour;
        if (one >= m * kFours || output >= n) {
          continue;
        }
#pragma unroll
        for (int c = 0; c < kFour; c++) {
          sums[i][c] += biasOf(output + c);
          if (kGate) {
            sums[i][c] = silu(sums[i][c]) * (ups[i][c] + biasOf(output + c, true));
          }
        }
        store<kFour>(sums[i], one / kFours, output);
      }
    }
  }

  // Asks for what the first `early` stages have not been asked for yet, in the order in which it is multiplied.
  __device__ void produce(const TensorMap& weights, const TensorMap& input, int begin, int end, int tiles, int early) const {
    for (int stage = 0; stage < early; stage++) {
      load(stageAt(stage) + kWeightBytes, input, (begin + stage) * kDepth, 0, fullAt(stage), kEvictLast);
    }
    int stage = early % kStages;
    int parity = early == kStages ? 0 : 1;
    int chunk = begin + early;
    for (int tile = blockIdx.y; tile < tiles; tile += gridDim.y) {
      for (; chunk < end; chunk++) {
        awaitBarrier(emptyAt(stage), parity);
        arriveExpecting(fullAt(stage), kStageBytes);
        load(stageAt(stage), weights, chunk * kDepth, tile * rowsOfTile(), fullAt(stage), kEvictFirst);
        load(stageAt(stage) + kWeightBytes, input, chunk * kDepth, 0, fullAt(stage), kEvictLast);
        if (++stage == kStages) {
          stage = 0;
          parity ^= 1;
        }
      }
      chunk = begin;
    }
  }

  __device__ void consume(int begin, int end, int tiles, int splits) const {
    const bool leader = threadIdx.x % kWarp == 0;
    const int input = kWeightBytes + threadIdx.x / kGroup * kGroupRows * kRowBytes;
    int stage = 0;
    int parity = 0;
    for (int tile = blockIdx.y; tile < tiles; tile += gridDim.y) {
      float sums[kSums];
#pragma unroll
      for (int i = 0; i < kSums; i++) {
        sums[i] = 0.0f;
      }
      int previous = -1;
      for (int chunk = begin; chunk < end; chunk++) {
        awaitBarrier(fullAt(stage), parity);
        const uint32_t at = stageAt(stage);
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int step = 0; step < kRowBytes; step += 32) {
          multiply<T, kTile>(sums, describe(at + input + step), describe(at + step));
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
        if (leader && previous >= 0) {
          arrive(emptyAt(previous));
        }
        previous = stage;
        if (++stage == kStages) {
          stage = 0;
          parity ^= 1;
        }
      }
      asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
      if (leader && previous >= 0) {
        arrive(emptyAt(previous));
      }
#pragma unroll
      for (int i = 0; i < kSums; i++) {
        asm volatile("" : "+f"(sums[i]));
      }
      if (splits > 1) {
        // All groups are done with the stages, whose place the sums take.
        asm volatile("bar.sync 1, %0;" ::"n"(kProducts) : "memory");
        leave(sums);
      } else if (mode == kGated) {
        storeAll<true>(sums, tile * kHalf);
      } else {
        storeAll<false>(sums, tile * kTile);
      }
    }
  }

  __device__ void run(const TensorMap& weights, const TensorMap& input, int k) {
    const int splits = gridDim.x;
    const int tiles = (n + rowsOfTile() - 1) / rowsOfTile();
    const int chunks = (k + kDepth - 1) / kDepth;
    const int begin = chunks * blockIdx.x / splits;
    const int end = chunks * (blockIdx.x + 1) / splits;
    const int warp = threadIdx.x / kWarp;
    const bool leader = threadIdx.x % kWarp == 0;
    const int first = blockIdx.y * rowsOfTile();
    shared = static_cast<uint32_t>(__cvta_generic_to_shared(wideShared));
    releaseSuccessor();
    if (threadIdx.x < kStages) {
      beginBarrier(fullAt(threadIdx.x), 1);
      beginBarrier(emptyAt(threadIdx.x), kProducts / kWarp);
      publishBarriers();
    }
    __syncthreads();
    // Weights do not depend on the kernels before. Asking takes a while, so all warps do.
    const int early = min(end - begin, kStages);
    if (leader) {
      for (int stage = warp; stage < early; stage += kThreads / kWarp) {
        arriveExpecting(fullAt(stage), kStageBytes);
        load(stageAt(stage), weights, (begin + stage) * kDepth, first, fullAt(stage), kEvictFirst);
      }
    }
    __syncwarp();
    awaitPredecessor();
    if (warp < kProducts / kWarp) {
      consume(begin, end, tiles, splits);
    } else if (leader) {
      produce(weights, input, begin, end, tiles, early);
    }
    __syncwarp();
    if (splits > 1) {
      awaitCluster();
      if (mode == kGated) {
        finish<true>(splits, first);
      } else {
        finish<false>(splits, first);
      }
      __syncwarp();
      // The others may still be reading what this block has. This one is done with theirs: it has stored what came of it, and has
      // asked for nothing else.
      meetCluster();
    }
  }
};

}  // namespace

#define LINEAR_WIDE_BODY(T, ROWS, TILE) WideLinear<T, ROWS, TILE>{bias, y, m, n, mode}.run(weights, input, k)
#else
#define LINEAR_WIDE_BODY(T, ROWS, TILE) __trap()
#endif

#define LINEAR_WIDE_OF(ROWS, TILE, SUFFIX, T)                                                                              \
  extern "C" __global__ void __launch_bounds__(2 * ROWS + 32, 1) linear_wide_r##ROWS##_n##TILE##_##SUFFIX(                 \
      const __grid_constant__ TensorMap weights, const __grid_constant__ TensorMap input, const float* bias, void* y,      \
      int m, int n, int k, int mode) {                                                                                     \
    LINEAR_WIDE_BODY(T, ROWS, TILE);                                                                                       \
  }

#define LINEAR_WIDE_TILE(ROWS, TILE)               \
  LINEAR_WIDE_OF(ROWS, TILE, bf16, __nv_bfloat16)  \
  LINEAR_WIDE_OF(ROWS, TILE, f16, __half)

#define LINEAR_WIDE(ROWS)      \
  LINEAR_WIDE_TILE(ROWS, 64)   \
  LINEAR_WIDE_TILE(ROWS, 96)   \
  LINEAR_WIDE_TILE(ROWS, 112)  \
  LINEAR_WIDE_TILE(ROWS, 128)  \
  LINEAR_WIDE_TILE(ROWS, 144)  \
  LINEAR_WIDE_TILE(ROWS, 176)

LINEAR_WIDE(64)
LINEAR_WIDE(128)
LINEAR_WIDE(192)
