// The copy engine of compute capability 9.0: it brings boxes of a matrix in device memory to shared memory, and barriers there tell
// when they have come.
#pragma once

#include <cstdint>

// The driver's CUtensorMap.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

// Barriers have these to themselves: what takes the place of one without invalidating it is not safe.
constexpr int kBarrierBytes = 1024;

// Hints to the second-level cache for what is read once and what all blocks read.
constexpr uint64_t kEvictFirst = 0x12F0000000000000;
constexpr uint64_t kEvictLast = 0x14F0000000000000;

__device__ inline void beginBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// Shows the copy engine the barriers that this thread has begun.
__device__ inline void publishBarriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

__device__ inline void arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and lets the phase end only when so many bytes have come too.
__device__ inline void arriveExpecting(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Returns once the barrier's phase of that parity has ended.
__device__ inline void awaitBarrier(uint32_t barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n@!done bra again;\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

// Asks for a box; its bytes count for the barrier.
__device__ inline void load(uint32_t to, const TensorMap& map, int depth, int row, uint32_t barrier, uint64_t policy) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, %3, %4}], "
      "[%5], %6;" ::"r"(to),
      "l"(&map), "r"(depth), "r"(row), "r"(0), "r"(barrier), "l"(policy)
      : "memory");
}

#endif
