// What the kernels of decodes' attention share: how a row's context is cut, who takes which part of it, and how what warps find is put together.
//
// One CTA of four warps serves up to eight query heads of one key/value head; its warps (times the splits of the row) take tiles of 16 tokens in turn.
// grid (splits, kvHeads * ceil(heads / kvHeads / 8), rows). A split takes at least 128 tokens: a row of c tokens uses min(splits, ceil(c/128)) of
// them, the others return at once, and a row that uses one writes its output itself (the merge leaves it alone). So `splits` may be fixed for the longest
// context of a CUDA graph.
//
// partial: rows * heads * splits * (headDim + 2) floats, 8-byte aligned (0 where splits is 1): first [row][head][split][headDim] unnormalised
// outputs, then [row][head][split]{largest logit in base 2, sum of weights}. It need not be cleared.
#pragma once

#include "attention.cuh"

namespace attention {

constexpr int DECODE_WARPS = 4;
constexpr int TILE_TOKENS = 16;
constexpr int TILE_HEADS = 8;
constexpr int SPLIT_TOKENS_MIN = 128;
constexpr int DECODE_HEAD_DIM_MAX = 128;

__device__ __forceinline__ int splits_used(int context, int splits) {
  return max(1, min(splits, (context + SPLIT_TOKENS_MIN - 1) / SPLIT_TOKENS_MIN));
}

// What the warps of a CTA have found. Rows of outputs lie four numbers further apart than they are long, so that no two lanes write to one
// bank at once.
struct DecodeShared {
  float maximum[DECODE_WARPS][TILE_HEADS];
  float sum[DECODE_WARPS][TILE_HEADS];
};

constexpr int OUTPUT_PITCH = DECODE_HEAD_DIM_MAX + 4;

struct DecodeOutputs {
  float of[DECODE_WARPS][TILE_HEADS][OUTPUT_PITCH];
};

// Where a CTA's results go: to the output itself where its split is the row's only one, else to the partial results.
template <typename T>
struct DecodeTarget {
  T* out;
  float* partial;
  int outputs;  // heads of all rows
  int first;    // the CTA's first head among them
  int headDim;
  int splits;
  int split;
  bool whole;

  __device__ __forceinline__ void statistic(int head, float maximum, float sum) const {
    if (whole) return;
    float* statistics = partial + static_cast<long long>(outputs) * splits * headDim;
    *reinterpret_cast<float2*>(statistics + 2LL * ((first + head) * splits + split)) = make_float2(maximum, sum);
  }

  __device__ __forceinline__ void output(int head, int dim, float low, float high, float sum) const {
    if (whole) {
      const float share = __frcp_rn(sum);
      store_pair(out + static_cast<long long>(first + head) * headDim + dim, low * share, high * share);
    } else {
      *reinterpret_cast<float2*>(partial + static_cast<long long>((first + head) * splits + split) * headDim + dim) = make_float2(low, high);
    }
  }
};

// The unnormalised outputs of a warp for eight heads, the largest scaled logits (base 2) and the sums of weights. Register i has heads
// 2 * quarter (elements 0 and 2) and the next (1 and 3), and of each two dimensions.
template <typename T, int HEAD_DIM>
struct DecodeSums {
  static constexpr int STEPS = HEAD_DIM / 16;
  float output[STEPS][4] = {};
  float maximum[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0.0f, 0.0f};

  // Weights of a tile's logits, of tokens group and group + 8, and with that what was found before in proportion.
  __device__ __forceinline__ void weigh(float (&logit)[4], uint32_t (&weights)[2]) {
    float keep[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
      float larger = fmaxf(logit[i], logit[i + 2]);
#pragma unroll
      for (int lanes = 4; lanes < 32; lanes <<= 1) larger = fmaxf(larger, __shfl_xor_sync(0xffffffffu, larger, lanes));
      larger = fmaxf(larger, maximum[i]);
      keep[i] = exp2_fast(maximum[i] - larger);
      maximum[i] = larger;
      logit[i] = exp2_fast(logit[i] - larger);
      logit[i + 2] = exp2_fast(logit[i + 2] - larger);
      sum[i] = sum[i] * keep[i] + logit[i] + logit[i + 2];
    }
    weights[0] = transposed(packed<T>(logit[0], logit[1]));
    weights[1] = transposed(packed<T>(logit[2], logit[3]));
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
      output[i][0] *= keep[0];
      output[i][1] *= keep[1];
      output[i][2] *= keep[0];
      output[i][3] *= keep[1];
    }
  }

  // Adds up what the warps of the CTA have. dim(i, e) is the dimension of elements e and e + 1 (0 and 1, 2 and 3) of register i.
  template <typename Dim>
  __device__ __forceinline__ void join(int heads, const DecodeTarget<T>& target, DecodeShared& shared, DecodeOutputs& outputs, Dim dim) {
    const int warp = threadIdx.x >> 5;
    const int group = (threadIdx.x & 31) >> 2;
    const int quarter = threadIdx.x & 3;
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
      for (int lanes = 4; lanes < 32; lanes <<= 1) sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], lanes);
      if (group == 0) {
        shared.maximum[warp][2 * quarter + i] = maximum[i];
        shared.sum[warp][2 * quarter + i] = sum[i];
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int row = 2 * quarter + i;
      if (row < heads) {
        float larger = shared.maximum[0][row];
#pragma unroll
        for (int w = 1; w < DECODE_WARPS; w++) larger = fmaxf(larger, shared.maximum[w][row]);
        const float keep = exp2_fast(maximum[i] - larger);
#pragma unroll
        for (int j = 0; j < STEPS; j++) {
          outputs.of[warp][row][dim(j, 0)] = output[j][i] * keep;
          outputs.of[warp][row][dim(j, 2)] = output[j][i + 2] * keep;
        }
      }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < heads * (HEAD_DIM / 2); i += DECODE_WARPS * 32) {
      const int row = i / (HEAD_DIM / 2);
      const int first = i % (HEAD_DIM / 2) * 2;
      float larger = shared.maximum[0][row];
#pragma unroll
      for (int w = 1; w < DECODE_WARPS; w++) larger = fmaxf(larger, shared.maximum[w][row]);
      float total = 0.0f, low = 0.0f, high = 0.0f;
#pragma unroll
      for (int w = 0; w < DECODE_WARPS; w++) {
        total += shared.sum[w][row] * exp2_fast(shared.maximum[w][row] - larger);
        low += outputs.of[w][row][first];
        high += outputs.of[w][row][first + 1];
      }
      target.output(row, first, low, high, total);
      if (first == 0) target.statistic(row, larger, total);
    }
  }
};

// What a CTA attends to: a split of one row's context, and up to eight heads of one key/value head.
struct DecodePart {
  int row;
  int split;
  int context;
  int used;  // splits of the row
  int kvHead;
  int firstHead;
  int heads;
  const int* table;

  __device__ __forceinline__ DecodePart(const int* tables, int tableStride, const int* contexts, int allHeads, int kvHeads, int splits)
      : row(blockIdx.z), split(blockIdx.x), context(contexts[blockIdx.z]), table(tables + static_cast<long long>(blockIdx.z) * tableStride) {
    const int group = allHeads / kvHeads;
    const int headTiles = (group + TILE_HEADS - 1) / TILE_HEADS;
    const int firstOfGroup = blockIdx.y % headTiles * TILE_HEADS;
    kvHead = blockIdx.y / headTiles;
    firstHead = kvHead * group + firstOfGroup;
    heads = min(TILE_HEADS, group - firstOfGroup);
    used = splits_used(context, splits);
  }

  __device__ __forceinline__ bool any() const { return split < used && context > 0; }

  // The first tile of this warp, and how far it is to its next.
  __device__ __forceinline__ int first_tile() const { return split * DECODE_WARPS + (threadIdx.x >> 5); }
  __device__ __forceinline__ int tile_stride() const { return used * DECODE_WARPS; }

  // Zeros for a padding row.
  template <typename T>
  __device__ __forceinline__ void clear(T* out, int allHeads, int headDim) const {
    if (split > 0 || context > 0) return;
    T* to = out + (static_cast<long long>(row) * allHeads + firstHead) * headDim;
    for (int i = threadIdx.x; i < heads * headDim / 2; i += DECODE_WARPS * 32) store_pair(to + 2 * i, 0.0f, 0.0f);
  }
};

}  // namespace attention
