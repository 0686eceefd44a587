// The two 16-bit number types of the attention kernels, the tensor-core and copy instructions they share, warp reductions, and where a token
// lies in the paged pool. Everything here is legal from compute capability 8.0 on.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

#include "types.cuh"

namespace attention {

constexpr float LOG2_E = 1.4426950408889634f;

template <typename T>
struct Number;

template <>
struct Number<__nv_bfloat16> {
  using Pair = __nv_bfloat162;
  static __device__ __forceinline__ float2 unpack(Pair pair) { return __bfloat1622float2(pair); }
  static __device__ __forceinline__ Pair pair(float low, float high) { return __floats2bfloat162_rn(low, high); }
  static __device__ __forceinline__ void mma(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  }
};

template <>
struct Number<__half> {
  using Pair = __half2;
  static __device__ __forceinline__ float2 unpack(Pair pair) { return __half22float2(pair); }
  static __device__ __forceinline__ Pair pair(float low, float high) { return __floats2half2_rn(low, high); }
  static __device__ __forceinline__ void mma(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  }
};

// Picks an instance of a function by its argument's type.
template <int N>
struct Constant {
  static constexpr int value = N;
};

// Two numbers of T in one register, the first in the low half.
template <typename T>
__device__ __forceinline__ uint32_t packed(float low, float high) {
  typename Number<T>::Pair pair = Number<T>::pair(low, high);
  return *reinterpret_cast<uint32_t*>(&pair);
}

template <typename T>
__device__ __forceinline__ float2 load_pair(const T* from) {
  return Number<T>::unpack(*reinterpret_cast<const typename Number<T>::Pair*>(from));
}

template <typename T>
__device__ __forceinline__ void store_pair(T* to, float low, float high) {
  *reinterpret_cast<typename Number<T>::Pair*>(to) = Number<T>::pair(low, high);
}

__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
  for (int lane = 16; lane > 0; lane >>= 1) x += __shfl_xor_sync(0xffffffffu, x, lane);
  return x;
}

__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int lane = 16; lane > 0; lane >>= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lane));
  return x;
}

// An 8x8 matrix of 16-bit numbers, one row in four neighbouring lanes, transposed within the warp.
__device__ __forceinline__ uint32_t transposed(uint32_t row) {
  uint32_t column;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(column) : "r"(row));
  return column;
}

__device__ __forceinline__ void ldmatrix4(uint32_t (&d)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(address));
}

__device__ __forceinline__ void ldmatrix4_transposed(uint32_t (&d)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(address));
}

__device__ __forceinline__ void copy_async16(uint32_t shared, const void* global) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared), "l"(global) : "memory");
}

__device__ __forceinline__ void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits for all groups of copies but the last PENDING.
template <int PENDING>
__device__ __forceinline__ void copies_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

// Reads that pass by the first-level cache: keys and values of a step are read once.
__device__ __forceinline__ void load_stream16(uint32_t* d, const void* from) {
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]) : "l"(from));
}

__device__ __forceinline__ void load_stream8(uint32_t* d, const void* from) {
  asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0,%1}, [%2];" : "=r"(d[0]), "=r"(d[1]) : "l"(from));
}

__device__ __forceinline__ void load_stream4(uint32_t* d, const void* from) {
  asm volatile("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(d[0]) : "l"(from));
}

// The keys and values of one sequence, one layer and one key/value head in the paged pool.
template <typename T>
struct PagedHead {
  const T* keys;          // of block 0
  long long valuesOffset; // from a key to the value of the same token
  long long block;        // elements from one block to the next
  const int* table;
  int blockTokens;

  __device__ __forceinline__ PagedHead(const T* kv, long long kvBlock, long long layerOffset, const int* table, int kvHead, int kvHeads, int headDim,
                                       int blockTokens)
      : keys(kv + layerOffset + static_cast<long long>(kvHead) * blockTokens * headDim),
        valuesOffset(static_cast<long long>(kvHeads) * blockTokens * headDim),
        block(kvBlock),
        table(table),
        blockTokens(blockTokens) {}
};

constexpr int GENERIC_HEAD_DIM_MAX = 256;

// Attention of one query by one warp, token by token, for any even head dimension up to 256 and any block length: lane i holds dimensions
// 64*j + 2*i and the one after. Holds the unnormalised output, the largest scaled logit (base 2) and the sum of weights.
template <typename T>
struct GenericRow {
  static constexpr int PAIRS = GENERIC_HEAD_DIM_MAX / 64;
  float query[PAIRS][2];
  float output[PAIRS][2];
  float maximum;
  float sum;

  __device__ __forceinline__ void begin(const T* from, int headDim, float scale2) {
    maximum = -INFINITY;
    sum = 0.0f;
#pragma unroll
    for (int j = 0; j < PAIRS; j++) {
      int dim = 64 * j + 2 * (threadIdx.x & 31);
      float2 two = dim < headDim ? load_pair(from + dim) : make_float2(0.0f, 0.0f);
      query[j][0] = two.x * scale2;
      query[j][1] = two.y * scale2;
      output[j][0] = output[j][1] = 0.0f;
    }
  }

  __device__ __forceinline__ void attend(const PagedHead<T>& head, int headDim, int token) {
    const T* key = head.keys + head.table[token / head.blockTokens] * head.block + (token % head.blockTokens) * headDim;
    float2 keys[PAIRS], values[PAIRS];
    float logit = 0.0f;
#pragma unroll
    for (int j = 0; j < PAIRS; j++) {
      int dim = 64 * j + 2 * (threadIdx.x & 31);
      keys[j] = values[j] = make_float2(0.0f, 0.0f);
      if (dim < headDim) {
        keys[j] = load_pair(key + dim);
        values[j] = load_pair(key + head.valuesOffset + dim);
      }
      logit += query[j][0] * keys[j].x + query[j][1] * keys[j].y;
    }
    logit = warp_sum(logit);
    float larger = fmaxf(maximum, logit);
    float keep = exp2_fast(maximum - larger);
    float weight = exp2_fast(logit - larger);
    maximum = larger;
    sum = sum * keep + weight;
#pragma unroll
    for (int j = 0; j < PAIRS; j++) {
      output[j][0] = output[j][0] * keep + weight * values[j].x;
      output[j][1] = output[j][1] * keep + weight * values[j].y;
    }
  }
};

}  // namespace attention
