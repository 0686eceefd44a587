// The small kernels between the matrix products of a step.
//
// Launch geometry (grid, block, dynamic shared memory); T is bf16 or f16:
//   embed_T          (rows)                                          256   0
//   rms_norm_T       (rows)                                          512   0
//   rope_write_kv_T  (rows, ceil((heads + 2 * kvHeads) / 8))         256   0
//   swiglu_T         (ceil(rows * inner / 2048)); any x >= 1 is right 256  0
//   begin_step       (any x >= 1)                                    256   0
//   copy_blocks_T    (any x >= 1, say 16; pairs)                     256   0
// `rows` may be 0 nowhere: a grid has one block at least.
//
// Limits: headDim a multiple of 4, at most 256. `hidden`, `inner` and `kvBlock` of any size; they are
// fast as multiples of 8. Pointers to rows of T are 16-byte aligned.

#include "types.cuh"

namespace {

constexpr int kNormThreads = 512;
constexpr int kLineFloats = 32;  // in a line of a cache
constexpr int kHeadsPerBlock = 8;
constexpr int kHeadDimMax = 256;

// A row of zeros for the token -1.
template <typename T>
__device__ void embed(const int* tokens, const T* table, float* residual, int rows, int hidden) {
  releaseSuccessor();
  awaitPredecessor();
  const int row = blockIdx.x;
  if (row >= rows) {
    return;
  }
  const int token = tokens[row];
  const T* from = table + static_cast<int64_t>(max(token, 0)) * hidden;
  float* to = residual + static_cast<int64_t>(row) * hidden;
  if (hidden % kWide == 0) {
    for (int i = threadIdx.x * kWide; i < hidden; i += blockDim.x * kWide) {
      float x[kWide] = {};
      if (token >= 0) {
        unpackWide<T>(*reinterpret_cast<const uint4*>(from + i), x);
      }
      *reinterpret_cast<float4*>(to + i) = make_float4(x[0], x[1], x[2], x[3]);
      *reinterpret_cast<float4*>(to + i + 4) = make_float4(x[4], x[5], x[6], x[7]);
    }
  } else {
    for (int i = threadIdx.x; i < hidden; i += blockDim.x) {
      to[i] = token >= 0 ? toFloat(from[i]) : 0.0f;
    }
  }
}

__device__ float blockSum(float x) {
  __shared__ float sums[kNormThreads / kWarp];
  x = warpSum(x);
  if (threadIdx.x % kWarp == 0) {
    sums[threadIdx.x / kWarp] = x;
  }
  __syncthreads();
  float total = 0;
#pragma unroll
  for (int i = 0; i < kNormThreads / kWarp; i++) {
    total += sums[i];
  }
  return total;
}

__device__ inline void takeWide(const float* from, float (&x)[kWide]) {
  const float4 low = *reinterpret_cast<const float4*>(from);
  const float4 high = *reinterpret_cast<const float4*>(from + 4);
  x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
  x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

template <typename T>
__device__ void storeNormal(T* to, const float* weight, float scale, float (&x)[kWide]) {
  float w[kWide];
  takeWide(weight, w);
#pragma unroll
  for (int j = 0; j < kWide; j++) {
    x[j] = x[j] * scale * w[j];
  }
  *reinterpret_cast<uint4*>(to) = packWide<T>(x);
}

// out = residual / rms(residual) * weight. Row i of `out` is of row rowIndex[i] of residual; all zeros where that is negative.
template <typename T>
__device__ void rmsNorm(const float* residual, const float* weight, T* out, const int* rowIndex, int rows, int hidden, float eps) {
  releaseSuccessor();
  for (int i = threadIdx.x * kLineFloats; i < hidden; i += kNormThreads * kLineFloats) {
    touch(weight + i);
  }
  awaitPredecessor();
  if (blockIdx.x >= rows) {
    return;
  }
  const int row = rowIndex == nullptr ? blockIdx.x : rowIndex[blockIdx.x];
  T* to = out + static_cast<int64_t>(blockIdx.x) * hidden;
  if (row < 0) {
    for (int i = threadIdx.x; i < hidden; i += kNormThreads) {
      to[i] = fromFloat<T>(0.0f);
    }
    return;
  }
  const float* from = residual + static_cast<int64_t>(row) * hidden;
  float squares = 0;
  if (hidden % kWide == 0) {
    // A thread keeps what it has read last and reads the rest again: with more registers fewer blocks would find room beside a
    // linear layer's.
    constexpr int kStride = kNormThreads * kWide;
    float x[kWide] = {};
    int i = threadIdx.x * kWide;
    for (; i < hidden; i += kStride) {
      takeWide(from + i, x);
#pragma unroll
      for (int j = 0; j < kWide; j++) {
        squares += x[j] * x[j];
      }
    }
    const float scale = 1.0f / sqrtf(blockSum(squares) / hidden + eps);
    i -= kStride;
    if (i >= 0) {
      storeNormal(to + i, weight + i, scale, x);
    }
    for (i -= kStride; i >= 0; i -= kStride) {
      takeWide(from + i, x);
      storeNormal(to + i, weight + i, scale, x);
    }
  } else {
    for (int i = threadIdx.x; i < hidden; i += kNormThreads) {
      squares += from[i] * from[i];
    }
    const float scale = 1.0f / sqrtf(blockSum(squares) / hidden + eps);
    for (int i = threadIdx.x; i < hidden; i += kNormThreads) {
      to[i] = fromFloat<T>(from[i] * scale * weight[i]);
    }
  }
}

// One warp a head: bias, then the norm over the head, then the rotation. Queries go back to where
// they were; keys and values go into the pool's slot, or back as well in a row without one.
template <typename T>
__device__ void ropeWriteKv(T* qkv, const float* bias, const float* qNorm, const float* kNorm,
                            const float* cosSin, const int* positions, const int* slots, T* kv,
                            int64_t kvBlock, int64_t layerOffset, int rows, int heads, int kvHeads,
                            int headDim, int blockTokens, float eps) {
  constexpr int kPairs = kHeadDimMax / 2 / (2 * kWarp);
  releaseSuccessor();
  const int row = blockIdx.x;
  const int head = blockIdx.y * kHeadsPerBlock + threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  const int half = headDim / 2;
  const bool query = head < heads;
  const bool value = head >= heads + kvHeads;
  // Slots and positions are there since before the step's first kernel; all else is the predecessor's.
  const int slot = slots[row];
  const float* rotation = cosSin + static_cast<int64_t>(max(positions[row], 0)) * headDim;
  float2 cosines[kPairs];
  float2 sines[kPairs];
#pragma unroll
  for (int p = 0; p < kPairs; p++) {
    const int i = 2 * (p * kWarp + lane);
    if (i < half && !value) {
      cosines[p] = *reinterpret_cast<const float2*>(rotation + i);
      sines[p] = *reinterpret_cast<const float2*>(rotation + half + i);
    }
  }
  awaitPredecessor();
  if (row >= rows || head >= heads + 2 * kvHeads) {
    return;
  }
  T* from = qkv + static_cast<int64_t>(row) * (heads + 2 * kvHeads) * headDim
      + static_cast<int64_t>(head) * headDim;
  T* to = from;
  if (!query && slot >= 0) {
    const int plane = value ? kvHeads + head - heads - kvHeads : head - heads;
    to = kv + slot / blockTokens * kvBlock + layerOffset
        + (static_cast<int64_t>(plane) * blockTokens + slot % blockTokens) * headDim;
  }

  float2 low[kPairs];
  float2 high[kPairs];
  float squares = 0;
#pragma unroll
  for (int p = 0; p < kPairs; p++) {
    const int i = 2 * (p * kWarp + lane);
    low[p] = high[p] = make_float2(0, 0);
    if (i < half) {
      low[p] = unpack<T>(*reinterpret_cast<const uint32_t*>(from + i));
      high[p] = unpack<T>(*reinterpret_cast<const uint32_t*>(from + half + i));
      if (bias != nullptr) {
        const float* b = bias + head * headDim + i;
        low[p].x += b[0], low[p].y += b[1];
        high[p].x += b[half], high[p].y += b[half + 1];
      }
      squares += low[p].x * low[p].x + low[p].y * low[p].y;
      squares += high[p].x * high[p].x + high[p].y * high[p].y;
    }
  }
  const float* norm = query ? qNorm : kNorm;
  if (!value && norm != nullptr) {
    const float scale = 1.0f / sqrtf(warpSum(squares) / headDim + eps);
#pragma unroll
    for (int p = 0; p < kPairs; p++) {
      const int i = 2 * (p * kWarp + lane);
      if (i < half) {
        low[p].x *= scale * norm[i], low[p].y *= scale * norm[i + 1];
        high[p].x *= scale * norm[half + i], high[p].y *= scale * norm[half + i + 1];
      }
    }
  }
#pragma unroll
  for (int p = 0; p < kPairs; p++) {
    const int i = 2 * (p * kWarp + lane);
    if (i < half) {
      float2 a = low[p];
      float2 b = high[p];
      if (!value) {
        const float2 c = cosines[p];
        const float2 s = sines[p];
        a = make_float2(low[p].x * c.x - high[p].x * s.x, low[p].y * c.y - high[p].y * s.y);
        b = make_float2(high[p].x * c.x + low[p].x * s.x, high[p].y * c.y + low[p].y * s.y);
      }
      *reinterpret_cast<uint32_t*>(to + i) = pack<T>(a.x, a.y);
      *reinterpret_cast<uint32_t*>(to + half + i) = pack<T>(b.x, b.y);
    }
  }
}

// out = silu(gate) * up.
template <typename T>
__device__ void swiglu(const T* gateUp, T* out, int rows, int inner) {
  releaseSuccessor();
  awaitPredecessor();
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  if (inner % kWide == 0) {
    const int vectors = inner / kWide;
    for (int64_t v = thread; v < static_cast<int64_t>(rows) * vectors; v += threads) {
      const int64_t row = v / vectors;
      const T* from = gateUp + row * 2 * inner + (v - row * vectors) * kWide;
      float gate[kWide];
      float up[kWide];
      unpackWide<T>(*reinterpret_cast<const uint4*>(from), gate);
      unpackWide<T>(*reinterpret_cast<const uint4*>(from + inner), up);
#pragma unroll
      for (int j = 0; j < kWide; j++) {
        up[j] *= silu(gate[j]);
      }
      *reinterpret_cast<uint4*>(out + v * kWide) = packWide<T>(up);
    }
  } else {
    for (int64_t i = thread; i < static_cast<int64_t>(rows) * inner; i += threads) {
      const T* from = gateUp + i / inner * 2 * inner + i % inner;
      out[i] = fromFloat<T>(silu(toFloat(from[0])) * toFloat(from[inner]));
    }
  }
}

// Copies whole blocks of the pool, pair = {from, to}. No block may be read and written by one launch.
// A pair with a negative block is left out.
template <typename T>
__device__ void copyBlocks(T* kv, const int2* pairs, int count, int64_t kvBlock) {
  releaseSuccessor();
  awaitPredecessor();
  if (blockIdx.y >= count) {
    return;
  }
  const int2 pair = pairs[blockIdx.y];
  if (pair.x < 0 || pair.y < 0) {
    return;
  }
  const T* from = kv + pair.x * kvBlock;
  T* to = kv + pair.y * kvBlock;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  if (kvBlock % kWide == 0) {
    for (int64_t i = thread; i < kvBlock / kWide; i += threads) {
      reinterpret_cast<uint4*>(to)[i] = reinterpret_cast<const uint4*>(from)[i];
    }
  } else {
    for (int64_t i = thread; i < kvBlock; i += threads) {
      to[i] = from[i];
    }
  }
}

}  // namespace

// Begins a step: brings its input, `words` times 16 bytes, from pinned host memory; a row's token becomes what was sampled last for
// lastSampled[source[i]], or fromHost[i] if source[i] < 0, which both may be in that memory. Neither lets its successor begin early nor
// waits itself: kernels of the step read its input, and what earlier steps left, without waiting for it.
extern "C" __global__ void __launch_bounds__(256)
    begin_step(const uint4* from, uint4* input, int words, int* tokens, const int* fromHost, const int* source,
               const int* lastSampled, int rows) {
  const int first = blockIdx.x * blockDim.x + threadIdx.x;
  const int stride = gridDim.x * blockDim.x;
  for (int i = first; i < words; i += stride) {
    input[i] = from[i];
  }
  for (int i = first; i < rows; i += stride) {
    const int place = source[i];
    tokens[i] = place >= 0 ? lastSampled[place] : fromHost[i];
  }
}

#define ELEMENTWISE(SUFFIX, T)                                                                     \
  extern "C" __global__ void __launch_bounds__(256) embed_##SUFFIX(                                \
      const int* tokens, const T* table, float* residual, int rows, int hidden) {                  \
    embed<T>(tokens, table, residual, rows, hidden);                                               \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(kNormThreads, 4) rms_norm_##SUFFIX(                 \
      const float* residual, const float* weight, T* out, const int* rowIndex, int rows,           \
      int hidden, float eps) {                                                                     \
    rmsNorm<T>(residual, weight, out, rowIndex, rows, hidden, eps);                                \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) rope_write_kv_##SUFFIX(                        \
      T* qkv, const float* bias, const float* qNorm, const float* kNorm, const float* cosSin,      \
      const int* positions, const int* slots, T* kv, long long kvBlock, long long layerOffset,     \
      int rows, int heads, int kvHeads, int headDim, int blockTokens, float eps) {                 \
    ropeWriteKv<T>(qkv, bias, qNorm, kNorm, cosSin, positions, slots, kv, kvBlock, layerOffset,    \
                   rows, heads, kvHeads, headDim, blockTokens, eps);                               \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) swiglu_##SUFFIX(                               \
      const T* gateUp, T* out, int rows, int inner) {                                              \
    swiglu<T>(gateUp, out, rows, inner);                                                           \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) copy_blocks_##SUFFIX(                          \
      T* kv, const int2* pairs, int count, long long kvBlock) {                                    \
    copyBlocks<T>(kv, pairs, count, kvBlock);                                                      \
  }

ELEMENTWISE(bf16, __nv_bfloat16)
ELEMENTWISE(f16, __half)
