// Element types of weights, activations and KV, and sums over a warp or a block.
//
// T is __nv_bfloat16 or __half. All arithmetic is float32; T is only a way to store numbers.
#pragma once

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

constexpr int kWarp = 32;

// Elements of T in 16 bytes: the unit of every wide load.
constexpr int kWide = 8;

__device__ inline float toFloat(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ inline float toFloat(__half x) { return __half2float(x); }

template <typename T>
__device__ T fromFloat(float x);
template <>
__device__ inline __nv_bfloat16 fromFloat(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ inline __half fromFloat(float x) {
  return __float2half_rn(x);
}

// Two elements in one register; the first is the low half.
template <typename T>
__device__ float2 unpack(uint32_t pair);
template <>
__device__ inline float2 unpack<__nv_bfloat16>(uint32_t pair) {
  return make_float2(__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u));
}
template <>
__device__ inline float2 unpack<__half>(uint32_t pair) {
  __half2 h;
  memcpy(&h, &pair, sizeof h);
  return __half22float2(h);
}

template <typename T>
__device__ uint32_t pack(float first, float second);
template <>
__device__ inline uint32_t pack<__nv_bfloat16>(float first, float second) {
  __nv_bfloat162 h = __floats2bfloat162_rn(first, second);
  uint32_t pair;
  memcpy(&pair, &h, sizeof pair);
  return pair;
}
template <>
__device__ inline uint32_t pack<__half>(float first, float second) {
  __half2 h = __floats2half2_rn(first, second);
  uint32_t pair;
  memcpy(&pair, &h, sizeof pair);
  return pair;
}

template <typename T>
__device__ inline void unpackWide(uint4 bits, float* to) {
  const uint32_t pairs[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float2 f = unpack<T>(pairs[i]);
    to[2 * i] = f.x;
    to[2 * i + 1] = f.y;
  }
}

template <typename T>
__device__ inline uint4 packWide(const float* from) {
  return make_uint4(pack<T>(from[0], from[1]), pack<T>(from[2], from[3]),
                    pack<T>(from[4], from[5]), pack<T>(from[6], from[7]));
}

// The same sum in every lane, added in the same order whatever the lane.
__device__ inline float warpSum(float x) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, offset);
  }
  return x;
}

// A division of full range would take ten times as long, and differ where the result is 0 but for 1e-36.
__device__ inline float silu(float x) { return __fdividef(x, 1.0f + __expf(-x)); }

// Asks for a word that will be read soon.
__device__ inline void touch(const void* at) { asm volatile("prefetch.global.L1 [%0];" ::"l"(at)); }

// Waits for the kernels before this one in the stream where the launch lets this one begin early
// (programmatic dependent launch); nothing otherwise. Every block calls it before it touches what other
// kernels of the step write, and at least one block of each kernel before it returns: a kernel that ended without it would
// let its successor overtake its predecessor. (attend_decode is the one kernel that may begin without: see there.) What
// begin_step and steps before it wrote is there anyway: it and embed begin once all before them is done.
__device__ inline void awaitPredecessor() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Lets the next kernel of the stream begin where its launch allows that, once all blocks of this one have begun. Called
// before awaitPredecessor, so that the next is ready, and a linear layer has asked for its weights, before this one has
// done its work; but not in attend_prefill, behind which attend_decode does not wait: see there.
__device__ inline void releaseSuccessor() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
