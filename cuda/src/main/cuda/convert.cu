// Numbers of T as float32 ones and back, for attention that runs on the host.
//
// Launch geometry (grid, block, dynamic shared memory); T is bf16 or f16:
//   widen_T, narrow_T   (ceil(count / 2048))                         256   0
// `count` is a multiple of 8, both pointers are 16-byte aligned. Either may be pinned host memory.

#include "types.cuh"

namespace {

template <typename T>
__device__ void widen(const T* from, float* to, int count) {
  releaseSuccessor();
  awaitPredecessor();
  const int i = (blockIdx.x * blockDim.x + threadIdx.x) * kWide;
  if (i < count) {
    float x[kWide];
    unpackWide<T>(*reinterpret_cast<const uint4*>(from + i), x);
    *reinterpret_cast<float4*>(to + i) = make_float4(x[0], x[1], x[2], x[3]);
    *reinterpret_cast<float4*>(to + i + 4) = make_float4(x[4], x[5], x[6], x[7]);
  }
}

template <typename T>
__device__ void narrow(const float* from, T* to, int count) {
  releaseSuccessor();
  awaitPredecessor();
  const int i = (blockIdx.x * blockDim.x + threadIdx.x) * kWide;
  if (i < count) {
    const float4 low = *reinterpret_cast<const float4*>(from + i);
    const float4 high = *reinterpret_cast<const float4*>(from + i + 4);
    const float x[kWide] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    *reinterpret_cast<uint4*>(to + i) = packWide<T>(x);
  }
}

}  // namespace

#define CONVERT(SUFFIX, T)                                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      widen_##SUFFIX(const T* from, float* to, int count) {                                        \
    widen<T>(from, to, count);                                                                     \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      narrow_##SUFFIX(const float* from, T* to, int count) {                                       \
    narrow<T>(from, to, count);                                                                    \
  }

CONVERT(bf16, __nv_bfloat16)
CONVERT(f16, __half)
