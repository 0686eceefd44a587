// Linear layers of 33 to 128 rows on compute capability 9.0: y[m][n] = sum over k of x[m][k] * w[n][k], with w as
// checkpoints have it (row-major, a row an output).
//
//   linear_wide_bB_T(weights, larger, input, bias, y, m, n, k, mode, half, large), T = bf16, f16; B = 48, 64, 96, 128
//     weights   tensor map of w, 128-byte swizzle, boxes of 64 by 2 * half by 1 of [k][n][1];
//               mode 2: 64 by half by 2 of [k][n][2], gate then up
//     larger    the same with half + 8, for the first `large` tiles; the other tiles follow behind them
//     input     tensor map of x, 128-byte swizzle, boxes of 64 by B by 1 of [k][m][1]
//     bias      null, or float32, one for each row of w
//     y, mode   as in linear.cu
//     half      half the rows of w in a tile: a multiple of 8 from 16 to 64, or to 56 where some have 8 more
// k is a multiple of 8; y is 16-byte aligned. m is at most B.
// Launch geometry: block 160, dynamic shared memory 98304, grid (splits, tiles); the blocks of a tile, each with part of
// k, are a cluster (splits, 1, 1). Sums are always added in the same order: B, the tiles and splits decide the bits of the
// result, and chance does not.
//
// Two blocks run at once on a multiprocessor. They could have 14 KiB more of shared memory each, and would be faster by a
// few per cent; but then the attention that follows finds 32 KiB less of first-level cache, and loses more than that.
//
// All warps ask for the first tiles of w, one for those after and for x; four multiply them, w as the 64-row side of the warp group's product, straight from
// shared memory. What is beyond n, m and k reads as zero. Rows of the product beyond `half` are whatever lies behind in
// shared memory, and go nowhere.
//
// On other compute capabilities the kernels are there and trap.

#include "types.cuh"

// The driver's CUtensorMap.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

namespace {

constexpr int kProducts = 128;           // threads that multiply
constexpr int kThreads = kProducts + kWarp;
constexpr int kSharedBytes = 98304;
constexpr int kStagesMax = 16;
// Barriers have these to themselves: what takes the place of one without invalidating it is not safe.
constexpr int kBarrierBytes = 1024;
constexpr int kDepth = 64;               // of k in a stage: 128 bytes, the width of a swizzle
constexpr int kRowBytes = kDepth * 2;

enum Mode { kStore, kStoreFloat, kGated, kAdd };

// Hints to the second-level cache for what is read once and what all blocks read.
constexpr uint64_t kEvictFirst = 0x12F0000000000000;
constexpr uint64_t kEvictLast = 0x14F0000000000000;

#define LINEAR_FLOATS(d) \
  "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3]), "+f"((d)[4]), "+f"((d)[5]), "+f"((d)[6]), "+f"((d)[7])
#define LINEAR_24 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23"
#define LINEAR_32 LINEAR_24 ",%24,%25,%26,%27,%28,%29,%30,%31"
#define LINEAR_48 LINEAR_32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47"
#define LINEAR_64 LINEAR_48 ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"

// d += w * x: 64 rows of w, kBatch of x, 16 of k. A thread has four sums of each 8 rows of x: rows lane / 4 and the one 8
// further of its warp's 16 rows of w, rows 2 * (lane % 4) and the next of x.
template <typename T, int kBatch>
__device__ void multiply(float* d, uint64_t w, uint64_t x);

#define LINEAR_MULTIPLY(T, TYPE, BATCH, LIST, W, X, ...)                                              \
  template <>                                                                                         \
  __device__ inline void multiply<T, BATCH>(float* d, uint64_t w, uint64_t x) {                       \
    asm volatile("wgmma.mma_async.sync.aligned.m64n" #BATCH "k16.f32." TYPE "." TYPE " {" LIST "}, %" \
                 #W ", %" #X ", 1, 1, 1, 0, 0;"                                                       \
                 : __VA_ARGS__                                                                        \
                 : "l"(w), "l"(x));                                                                   \
  }
#define LINEAR_MULTIPLIES(T, TYPE)                                                                                      \
  LINEAR_MULTIPLY(T, TYPE, 48, LINEAR_24, 24, 25, LINEAR_FLOATS(d), LINEAR_FLOATS(d + 8), LINEAR_FLOATS(d + 16))        \
  LINEAR_MULTIPLY(T, TYPE, 64, LINEAR_32, 32, 33, LINEAR_FLOATS(d), LINEAR_FLOATS(d + 8), LINEAR_FLOATS(d + 16),        \
                  LINEAR_FLOATS(d + 24))                                                                                \
  LINEAR_MULTIPLY(T, TYPE, 96, LINEAR_48, 48, 49, LINEAR_FLOATS(d), LINEAR_FLOATS(d + 8), LINEAR_FLOATS(d + 16),        \
                  LINEAR_FLOATS(d + 24), LINEAR_FLOATS(d + 32), LINEAR_FLOATS(d + 40))                                  \
  LINEAR_MULTIPLY(T, TYPE, 128, LINEAR_64, 64, 65, LINEAR_FLOATS(d), LINEAR_FLOATS(d + 8), LINEAR_FLOATS(d + 16),       \
                  LINEAR_FLOATS(d + 24), LINEAR_FLOATS(d + 32), LINEAR_FLOATS(d + 40), LINEAR_FLOATS(d + 48),           \
                  LINEAR_FLOATS(d + 56))
LINEAR_MULTIPLIES(__nv_bfloat16, "bf16")
LINEAR_MULTIPLIES(__half, "f16")

// Describes rows of 128 bytes in shared memory, swizzled, 8 of them in 1024 bytes, to the warp group's product.
__device__ inline uint64_t describe(uint32_t shared) {
  return uint64_t{1} << 62 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 16 | (shared & 0x3ffff) >> 4;
}

__device__ inline void beginBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ inline void arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and lets the phase end only when so many bytes have come too.
__device__ inline void arriveExpecting(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

__device__ inline void awaitBarrier(uint32_t barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n@!done bra again;\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ inline void load(uint32_t to, const TensorMap& map, int depth, int row, uint32_t barrier, uint64_t policy) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, %3, %4}], "
      "[%5], %6;" ::"r"(to),
      "l"(&map), "r"(depth), "r"(row), "r"(0), "r"(barrier), "l"(policy)
      : "memory");
}

__device__ inline void addFour(float* sum, uint32_t from, int block) {
  float4 x;
  asm volatile(
      "{\n.reg .u32 at;\nmapa.shared::cluster.u32 at, %4, %5;\nld.shared::cluster.v4.f32 {%0,%1,%2,%3}, [at];\n}"
      : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w)
      : "r"(from), "r"(block)
      : "memory");
  sum[0] += x.x, sum[1] += x.y, sum[2] += x.z, sum[3] += x.w;
}

__device__ inline void awaitCluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

extern __shared__ __align__(1024) unsigned char wideShared[];

template <typename T, int kBatch>
struct WideLinear {
  static constexpr int kSums = kBatch / 2;  // of a thread, in each half of the tile
  static constexpr int kInputBytes = kBatch * kRowBytes;
  static constexpr int kEight = 8;
  // A product reads 64 rows from each half, and stays within the stage; the sums of the largest tile fit.
  static_assert(kBatch + 16 >= 64 && kBatch * (2 * 64 + 4) * 4 + kBarrierBytes <= kSharedBytes);

  const float* bias;
  void* y;
  int m;
  int n;
  int mode;
  int half;

  uint32_t shared;
  int first;  // row of y that the tile begins with

  // Sums of a row of x lie together; four further apart, so that no two threads of a warp write to one bank.
  __device__ int pitch() const { return 2 * half + 4; }

  __device__ uint32_t stageAt(int stage) const {
    return shared + kBarrierBytes + stage * (2 * half * kRowBytes + kInputBytes);
  }

  __device__ uint32_t fullAt(int stage) const { return shared + stage * 8; }

  __device__ uint32_t emptyAt(int stage) const { return shared + (kStagesMax + stage) * 8; }

  __device__ void leave(const float* sums, int firstRow) const {
    float* to = reinterpret_cast<float*>(wideShared + kBarrierBytes);
    const int lane = threadIdx.x % kWarp;
    const int row = threadIdx.x / kWarp * 16 + lane / 4;
#pragma unroll
    for (int i = 0; i < kSums; i++) {
      const int rowOfHalf = row + (i / 2 % 2) * 8;
      if (rowOfHalf < half) {
        to[(i / 4 * 8 + lane % 4 * 2 + i % 2) * pitch() + firstRow + rowOfHalf] = sums[i];
      }
    }
  }

  // Eight sums of one row of x, all blocks' shares, and the bias.
  __device__ void take(float* sum, int column, int row, int splits, const float* biases, int biasRows) const {
    const int at = column * pitch() + row;
    if (splits == 1) {
      const float4* from = reinterpret_cast<const float4*>(wideShared + kBarrierBytes + at * 4);
      *reinterpret_cast<float4*>(sum) = from[0];
      *reinterpret_cast<float4*>(sum + 4) = from[1];
    } else {
#pragma unroll
      for (int i = 0; i < kEight; i++) {
        sum[i] = 0.0f;
      }
      for (int block = 0; block < splits; block++) {
        addFour(sum, shared + kBarrierBytes + at * 4, block);
        addFour(sum + 4, shared + kBarrierBytes + at * 4 + 16, block);
      }
    }
    if (bias != nullptr) {
#pragma unroll
      for (int i = 0; i < kEight; i++) {
        if (i < biasRows) {
          sum[i] += biases[i];
        }
      }
    }
  }

  __device__ void store(const float* value, int column, int row) const {
    const int64_t at = static_cast<int64_t>(column) * n + row;
    float* floats = static_cast<float*>(y) + at;
    T* narrow = static_cast<T*>(y) + at;
    if (n % kEight != 0) {
      for (int i = 0; i < min(kEight, n - row); i++) {
        if (mode == kStoreFloat) {
          floats[i] = value[i];
        } else if (mode == kAdd) {
          floats[i] += value[i];
        } else {
          narrow[i] = fromFloat<T>(value[i]);
        }
      }
    } else if (mode == kStoreFloat) {
      *reinterpret_cast<float4*>(floats) = make_float4(value[0], value[1], value[2], value[3]);
      *reinterpret_cast<float4*>(floats + 4) = make_float4(value[4], value[5], value[6], value[7]);
    } else if (mode == kAdd) {
      // Nobody else adds to these, and what they become need not be known here.
#pragma unroll
      for (int i = 0; i < kEight; i += 4) {
        asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(floats + i), "f"(value[i]), "f"(value[i + 1]),
                     "f"(value[i + 2]), "f"(value[i + 3])
                     : "memory");
      }
    } else {
      *reinterpret_cast<uint4*>(narrow) = packWide<T>(value);
    }
  }

  // All threads of the tile's blocks, each with some eights of sums.
  __device__ void finish(int splits) const {
    const int eights = (mode == kGated ? half : 2 * half) / kEight;
    for (int unit = blockIdx.x * kThreads + threadIdx.x; unit < m * eights; unit += splits * kThreads) {
      const int column = unit / eights;
      const int rowOfTile = unit % eights * kEight;
      const int row = first + rowOfTile;
      if (row >= n) {
        continue;
      }
      float sum[kEight];
      take(sum, column, rowOfTile, splits, bias + row, n - row);
      if (mode == kGated) {
        float up[kEight];
        take(up, column, half + rowOfTile, splits, bias + n + row, n - row);
#pragma unroll
        for (int i = 0; i < kEight; i++) {
          sum[i] = silu(sum[i]) * up[i];
        }
      }
      store(sum, column, row);
    }
  }

  __device__ void run(const TensorMap& usual, const TensorMap& larger, const TensorMap& input, int k, int large) {
    const int tile = blockIdx.y;
    const bool isLarge = tile < large;
    const int before = tile * half + min(tile, large) * 8;
    const TensorMap& weights = isLarge ? larger : usual;
    half += isLarge ? 8 : 0;
    const int splits = gridDim.x;
    const int weightBytes = 2 * half * kRowBytes;
    const int stageBytes = weightBytes + kInputBytes;
    const int stages = min((kSharedBytes - kBarrierBytes) / stageBytes, kStagesMax);
    const int chunks = (k + kDepth - 1) / kDepth;
    const int begin = chunks * blockIdx.x / splits;
    const int end = chunks * (blockIdx.x + 1) / splits;
    const int warp = threadIdx.x / kWarp;
    const bool leader = threadIdx.x % kWarp == 0;
    shared = static_cast<uint32_t>(__cvta_generic_to_shared(wideShared));
    first = mode == kGated ? before : 2 * before;
    releaseSuccessor();
    if (threadIdx.x < stages) {
      beginBarrier(fullAt(threadIdx.x), 1);
      beginBarrier(emptyAt(threadIdx.x), kProducts / kWarp);
      asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    // Weights do not depend on the kernels before. Asking takes a while, so all warps do.
    const int early = min(end - begin, stages);
    if (leader) {
      for (int stage = warp; stage < early; stage += kThreads / kWarp) {
        arriveExpecting(fullAt(stage), stageBytes);
        load(stageAt(stage), weights, (begin + stage) * kDepth, first, fullAt(stage), kEvictFirst);
      }
    }
    __syncwarp();
    awaitPredecessor();
    float low[kSums], high[kSums];
    if (warp == kProducts / kWarp) {
      if (leader) {
        for (int stage = 0; stage < early; stage++) {
          load(stageAt(stage) + weightBytes, input, (begin + stage) * kDepth, 0, fullAt(stage), kEvictLast);
        }
        int stage = 0;
        int parity = 0;
        for (int chunk = begin + early; chunk < end; chunk++) {
          awaitBarrier(emptyAt(stage), parity);
          arriveExpecting(fullAt(stage), stageBytes);
          load(stageAt(stage), weights, chunk * kDepth, first, fullAt(stage), kEvictFirst);
          load(stageAt(stage) + weightBytes, input, chunk * kDepth, 0, fullAt(stage), kEvictLast);
          if (++stage == stages) {
            stage = 0;
            parity ^= 1;
          }
        }
      }
    } else {
#pragma unroll
      for (int i = 0; i < kSums; i++) {
        low[i] = high[i] = 0.0f;
      }
      int stage = 0;
      int parity = 0;
      int previous = 0;
      for (int chunk = begin; chunk < end; chunk++) {
        awaitBarrier(fullAt(stage), parity);
        const uint32_t w = stageAt(stage);
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int step = 0; step < kRowBytes; step += 32) {
          const uint64_t x = describe(w + weightBytes + step);
          multiply<T, kBatch>(low, describe(w + step), x);
          multiply<T, kBatch>(high, describe(w + half * kRowBytes + step), x);
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
        if (leader && chunk > begin) {
          arrive(emptyAt(previous));
        }
        previous = stage;
        if (++stage == stages) {
          stage = 0;
          parity ^= 1;
        }
      }
      asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
      for (int i = 0; i < kSums; i++) {
        asm volatile("" : "+f"(low[i]), "+f"(high[i]));
      }
    }
    __syncthreads();
    if (warp < kProducts / kWarp) {
      leave(low, 0);
      leave(high, half);
    }
    if (splits == 1) {
      __syncthreads();
      finish(splits);
    } else {
      __syncwarp();
      awaitCluster();
      finish(splits);
      __syncwarp();
      // The others may still be reading what this block has.
      awaitCluster();
    }
  }
};

}  // namespace

#define LINEAR_WIDE_BODY(T, BATCH) WideLinear<T, BATCH>{bias, y, m, n, mode, half}.run(weights, larger, input, k, large)
#else
#define LINEAR_WIDE_BODY(T, BATCH) __trap()
#endif

#define LINEAR_WIDE_OF(BATCH, SUFFIX, T)                                                                                     \
  extern "C" __global__ void __launch_bounds__(160, 2) linear_wide_b##BATCH##_##SUFFIX(                                      \
      const __grid_constant__ TensorMap weights, const __grid_constant__ TensorMap larger,                                   \
      const __grid_constant__ TensorMap input, const float* bias, void* y, int m, int n, int k, int mode, int half,          \
      int large) {                                                                                                           \
    LINEAR_WIDE_BODY(T, BATCH);                                                                                              \
  }

#define LINEAR_WIDE(BATCH)                    \
  LINEAR_WIDE_OF(BATCH, bf16, __nv_bfloat16)  \
  LINEAR_WIDE_OF(BATCH, f16, __half)

LINEAR_WIDE(48)
LINEAR_WIDE(64)
LINEAR_WIDE(96)
LINEAR_WIDE(128)
