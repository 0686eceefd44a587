// Picks the next token of each row of logits, as the host's Sampler does: temperature, min_p, top_k
// and top_p, then a draw in proportion, by order of ids, to what is left. The greatest logit wins
// where temperature is below 1e-5; of equal ones the lowest id. -1 for a row with a NaN or without a
// finite maximum.
//
// sample(logits, stride, vocabulary, params, out, copy, rows): tokens go to `out` and, where `copy` is not null, to the array in
// pinned host memory whose address, or null, is at `copy`.
// Launch geometry: grid (blocks, rows), block 1024, dynamic shared memory 0. On compute capability 9.0 blocks may be 1, 2, 4 or 8,
// which are then a cluster (blocks, 1, 1) and share rows, but those with top_k or top_p, which are the first one's; elsewhere 1.
// `stride` (elements) a multiple of 4 and `logits` 16-byte aligned are fast; vocabulary up to 2^19. No workspace.
//
// Probabilities are whole numbers, multiples of 2^-44 of the greatest one's weight: their sums do not depend on the order, so
// neither does the token.

#include "types.cuh"

namespace {

using Word = unsigned long long;

struct SampleParams {
  float temperature;  // below 1e-5: greedy
  int topK;           // 0: all
  float topP;         // 1: all
  float minP;         // 0: all
  Word key;           // of the sample's stream
  Word position;      // output tokens before this one
};

constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarp;
constexpr int kListed = 2048;
constexpr int kEach = 8;              // neighbouring tokens of a lane
constexpr int kPart = kWarp * kEach;  // tokens whose weight drawFromRow keeps as one number: up to kListed of them
constexpr float kGreedy = 1e-5f;
constexpr float kUnit = 17592186044416.0f;  // 2^44
constexpr float kCoarse = 2097152.0f;       // 2^21
constexpr float kFine = 8388608.0f;         // 2^23
constexpr float kShift = 12582912.0f;       // 1.5 * 2^23: what is added to it loses its fraction

// The least argument that the exponential tells from it.
constexpr float kLeast = -87.0f;

struct Scratch {
  Word sums[kWarps][7];
  Word total[7];
  Word listed[kListed];
  int listedCount;
  Word greatest;
};

// The host's exponential to the bit: Cephes' polynomial without fused multiply-adds. Conversions are made of additions, which run
// eight times as fast; upwards is towards zero, as n is never positive.
__device__ float exponential(float x) {
  const float clamped = fmaxf(x, kLeast);
  const float shifted = __fadd_ru(__fadd_rn(__fmul_rn(clamped, 1.442695f), -0.5f), kShift);
  const float whole = __fadd_rn(shifted, -kShift);
  const int n = __float_as_int(shifted) - __float_as_int(kShift);
  float r = __fadd_rn(clamped, -__fmul_rn(whole, 0.6933594f));
  r = __fadd_rn(r, -__fmul_rn(whole, -2.1219444e-4f));
  float y = 1.9875691e-4f;
  y = __fadd_rn(__fmul_rn(y, r), 1.3981999e-3f);
  y = __fadd_rn(__fmul_rn(y, r), 8.333452e-3f);
  y = __fadd_rn(__fmul_rn(y, r), 4.1665796e-2f);
  y = __fadd_rn(__fmul_rn(y, r), 1.6666666e-1f);
  y = __fadd_rn(__fmul_rn(y, r), 0.5f);
  y = __fadd_rn(__fadd_rn(__fmul_rn(__fmul_rn(y, r), r), r), 1.0f);
  return __fmul_rn(y, __int_as_float((n + 127) << 23));
}

// A token in one number; descending is by falling logit, then by rising id.
__device__ Word rankOf(float logit, unsigned id) {
  const int bits = __float_as_int(logit + 0.0f);
  const unsigned rising = bits ^ (bits >> 31 | 0x80000000u);
  return static_cast<Word>(rising) << 32 | (0xffffffffu - id);
}

__device__ float logitOf(Word rank) {
  const unsigned rising = static_cast<unsigned>(rank >> 32);
  return __uint_as_float(rising & 0x80000000u ? rising ^ 0x80000000u : ~rising);
}

struct Row {
  const float* logits;
  int vocabulary;
  float max;
  float scale;

  // 2^44 times the exponential, to the nearest whole number: 2^21 times it, and 2^23 times what that leaves, both by adding 1.5 * 2^23.
  __device__ Word weight(float logit) const {
    const float coarse = exponential(__fmul_rn(__fadd_rn(logit, -max), scale)) * kCoarse;
    const float high = __fadd_rn(coarse, kShift);
    const float low = __fadd_rn(__fadd_rn(coarse, -__fadd_rn(high, -kShift)) * kFine, kShift);
    const long long fine = __float_as_int(low) - __float_as_int(kShift);
    return static_cast<Word>(fine + static_cast<long long>(__float_as_int(high) - __float_as_int(kShift)) * (1 << 23));
  }
};

// The tokens of a rank and above.
struct Floor {
  float logit;
  unsigned lastId;

  __device__ explicit Floor(Word least)
      : logit(logitOf(least)), lastId(0xffffffffu - static_cast<unsigned>(least)) {}

  __device__ bool holds(float x, unsigned id) const {
    return x > logit || (x == logit && id <= lastId);
  }
};

// Calls visit(logit, id) for this thread's share of the row's tokens from `first`, a multiple of 4, to before `end`, by rising id.
template <int kUnroll, typename Visit>
__device__ void forEach(const float* logits, int first, int end, Visit visit) {
  if (reinterpret_cast<uintptr_t>(logits) % 16 == 0) {
    const int vectors = end / 4;
#pragma unroll kUnroll
    for (int v = first / 4 + threadIdx.x; v < vectors; v += kThreads) {
      const float4 x = reinterpret_cast<const float4*>(logits)[v];
      visit(x.x, 4 * v);
      visit(x.y, 4 * v + 1);
      visit(x.z, 4 * v + 2);
      visit(x.w, 4 * v + 3);
    }
    first = max(first, 4 * vectors);
  }
  for (int i = first + threadIdx.x; i < end; i += kThreads) {
    visit(logits[i], i);
  }
}

// The same of the whole row.
template <int kUnroll, typename Visit>
__device__ void forEach(const float* logits, int vocabulary, Visit visit) {
  forEach<kUnroll>(logits, 0, vocabulary, visit);
}

// Adds up some numbers over the block, into scratch.total.
template <int kCount>
__device__ void addUp(Word (&values)[kCount], Scratch& scratch) {
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int i = 0; i < kCount; i++) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
      values[i] += __shfl_xor_sync(0xffffffffu, values[i], offset);
    }
    if (lane == 0) {
      scratch.sums[threadIdx.x / kWarp][i] = values[i];
    }
  }
  __syncthreads();
  if (threadIdx.x < kCount) {
    Word total = 0;
    for (int w = 0; w < kWarps; w++) {
      total += scratch.sums[w][threadIdx.x];
    }
    scratch.total[threadIdx.x] = total;
  }
  __syncthreads();
}

// Lists the ranks from `least` on whose logits are below `high`; false, and the list is of no use, if
// there are too many.
__device__ bool list(const Row& row, Word least, float high, Scratch& scratch) {
  if (threadIdx.x == 0) {
    scratch.listedCount = 0;
  }
  __syncthreads();
  const Floor floor(least);
  forEach<4>(row.logits, row.vocabulary, [&](float logit, int id) {
    if (logit < high && floor.holds(logit, id)) {
      const int at = atomicAdd(&scratch.listedCount, 1);
      if (at < kListed) {
        scratch.listed[at] = rankOf(logit, id);
      }
    }
  });
  __syncthreads();
  return scratch.listedCount <= kListed;
}

struct Measure {
  Word count;
  Word mass;
};

// How many tokens have the rank `least` or more, of the list or of the row, and their weight.
__device__ Measure measure(const Row& row, bool listed, Word least, Scratch& scratch) {
  Word values[2] = {};
  const Floor floor(least);
  const auto visit = [&](float logit, int id) {
    if (floor.holds(logit, id)) {
      values[0]++;
      values[1] += row.weight(logit);
    }
  };
  if (listed) {
    for (int i = threadIdx.x; i < scratch.listedCount; i += kThreads) {
      const Word rank = scratch.listed[i];
      visit(logitOf(rank), 0xffffffffu - static_cast<unsigned>(rank));
    }
  } else {
    forEach<1>(row.logits, row.vocabulary, visit);
  }
  addUp(values, scratch);
  return {scratch.total[0], scratch.total[1]};
}

enum Order { kByCount, kByMass, kById };

// A rank of `least` or more, from which on (up to `greatest`) the listed tokens, or those of the row,
// are just `wanted` in number, or have just `wanted` weight together. It is found digit by digit, two
// bits at a time; once few tokens of a row are left they are listed, and only those are looked at.
// Ranks of kById have their halves exchanged: they fall by rising id.
template <Order kOrder>
__device__ Word cut(const Row& row, bool listed, Word least, Word greatest, Word wanted,
                    Scratch& scratch) {
  int shift = 64 - __clzll(static_cast<long long>(least ^ greatest));
  shift += shift & 1;
  Word prefix = shift == 64 ? 0 : greatest >> shift;
  Word above = 0;
  while (shift > 0) {
    // The counts of the four digits, 32 bits each, then their measures.
    Word values[6] = {};
    const auto visit = [&](Word rank) {
      if (rank >= least && (shift == 64 || rank >> shift == prefix)) {
        const unsigned digit = static_cast<unsigned>(rank >> (shift - 2)) & 3;
        const Word w = kOrder == kByCount ? 1 : row.weight(logitOf(kOrder == kById ? rank << 32 : rank));
#pragma unroll
        for (int d = 0; d < 4; d++) {
          values[d / 2] += digit == d ? Word{1} << 32 * (d % 2) : 0;
          values[2 + d] += digit == d ? w : 0;
        }
      }
    };
    if (listed) {
      for (int i = threadIdx.x; i < scratch.listedCount; i += kThreads) {
        visit(scratch.listed[i]);
      }
    } else {
      forEach<1>(row.logits, row.vocabulary, [&](float logit, int id) { visit(rankOf(logit, id)); });
    }
    addUp(values, scratch);
    int digit = 3;
    while (digit > 0 && above + scratch.total[2 + digit] < wanted) {
      above += scratch.total[2 + digit];
      digit--;
    }
    prefix = prefix << 2 | digit;
    shift -= 2;
    const unsigned left = static_cast<unsigned>(scratch.total[digit / 2] >> 32 * (digit % 2));
    if (left <= 1) {
      break;
    }
    if (!listed && left <= kListed) {
      if (threadIdx.x == 0) {
        scratch.listedCount = 0;
      }
      __syncthreads();
      forEach<1>(row.logits, row.vocabulary, [&](float logit, int id) {
        const Word rank = rankOf(logit, id);
        if (rank >= least && rank >> shift == prefix) {
          scratch.listed[atomicAdd(&scratch.listedCount, 1)] = rank;
        }
      });
      __syncthreads();
      listed = true;
    }
  }
  __syncthreads();
  return max(least, prefix << shift);
}

// Cuts by mass a row whose wanted tokens are too many to be listed: pins the last of them down
// between two logits by eighths, until those between are few. `low` is a guess of how low to look.
__device__ __noinline__ Word cutDeep(const Row& row, Word least, Word greatest, Word wanted, float low,
                        Scratch& scratch) {
  constexpr int kRounds = 6;
  Word from = least;
  Word above = 0;
  float high = INFINITY;
  for (int round = 0; round < kRounds; round++) {
    const float width = fminf(high, row.max) - low;
    const auto mark = [&](int eighths) { return __fmaf_rn(width, 0.125f * eighths, low); };
    Word masses[7] = {};
    const Floor floor(from);
    forEach<1>(row.logits, row.vocabulary, [&](float logit, int id) {
      if (logit < high && floor.holds(logit, id)) {
        const Word w = row.weight(logit);
#pragma unroll
        for (int i = 0; i < 7; i++) {
          masses[i] += logit >= mark(i + 1) ? w : 0;
        }
      }
    });
    addUp(masses, scratch);
    int eighth = 7;
    while (eighth > 0 && above + scratch.total[eighth - 1] < wanted) {
      eighth--;
    }
    const float newLow = mark(eighth);
    if (eighth < 7) {
      above += scratch.total[eighth];
      high = mark(eighth + 1);
    }
    if (eighth > 0) {
      low = newLow;
      from = max(from, rankOf(low, 0xffffffffu));
    }
    if (list(row, from, high, scratch)) {
      return cut<kByMass>(row, true, from, min(greatest, rankOf(high, 0xffffffffu) - 1),
                          wanted - above, scratch);
    }
  }
  return cut<kByMass>(row, false, least, greatest, wanted, scratch);
}

// The least rank that min_p and the exponential's range keep.
__device__ Word leastWithin(const SampleParams& params, float max) {
  const double log = params.minP > 0 ? ::log(static_cast<double>(params.minP)) : kLeast;
  const double least = max + fmax(log, static_cast<double>(kLeast)) * params.temperature;
  return rankOf(fminf(__double2float_ru(least), max), 0xffffffffu);
}

__device__ Word bits(Word key, Word counter) {
  const Word z = key + (counter + 1) * 0x9e3779b97f4a7c15ull;
  const Word a = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  const Word b = (a ^ (a >> 27)) * 0x94d049bb133111ebull;
  return b ^ (b >> 31);
}

// 53 random bits times the total, without its fraction: the drawn token is the first, by rising id,
// at which the weights together are greater.
__device__ Word passedOf(const SampleParams& params, Word total) {
  const Word share = bits(params.key, params.position) >> 11;
  return __umul64hi(share, total) << 11 | share * total >> 53;
}

// The parts of the row that are this block's: all, where the row is one block's.
struct Share {
  int first;
  int end;

  __device__ Share(int vocabulary, int blocks, int block) {
    const int parts = (vocabulary + kPart - 1) / kPart;
    first = parts * block / blocks;
    end = parts * (block + 1) / blocks;
  }
};

// A number that another block of the cluster has where this one has `own`.
__device__ Word ofBlock(const Word& own, int block) {
  Word other = own;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(&own));
  asm volatile("{\n.reg .u32 at;\nmapa.shared::cluster.u32 at, %1, %2;\nld.shared::cluster.u64 %0, [at];\n}"
               : "=l"(other)
               : "r"(at), "r"(block)
               : "memory");
#endif
  return other;
}

// The block, and all blocks of its cluster.
__device__ void awaitBlocks(int blocks) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  if (blocks > 1) {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
    return;
  }
#endif
  __syncthreads();
}

// The weights of this lane's tokens of a part, 0 for those below the floor; their sum.
__device__ Word weigh(const Row& row, const Floor& floor, int part, Word (&weights)[kEach]) {
  const int first = part * kPart + threadIdx.x % kWarp * kEach;
  float logits[kEach];
  if (first + kEach <= row.vocabulary && reinterpret_cast<uintptr_t>(row.logits) % 16 == 0) {
    const float4 low = *reinterpret_cast<const float4*>(row.logits + first);
    const float4 high = *reinterpret_cast<const float4*>(row.logits + first + 4);
    logits[0] = low.x, logits[1] = low.y, logits[2] = low.z, logits[3] = low.w;
    logits[4] = high.x, logits[5] = high.y, logits[6] = high.z, logits[7] = high.w;
  } else {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      logits[i] = first + i < row.vocabulary ? row.logits[first + i] : -INFINITY;
    }
  }
  Word sum = 0;
#pragma unroll
  for (int i = 0; i < kEach; i++) {
    weights[i] = floor.holds(logits[i], first + i) ? row.weight(logits[i]) : 0;
    sum += weights[i];
  }
  return sum;
}

// How much the lanes up to this one have together.
__device__ Word upToLane(Word own) {
#pragma unroll
  for (int offset = 1; offset < kWarp; offset *= 2) {
    const Word other = __shfl_up_sync(0xffffffffu, own, offset);
    own += threadIdx.x % kWarp >= offset ? other : 0;
  }
  return own;
}

// Draws from the tokens of the row with the rank `least` and above; -1 where another of `blocks` has the drawn one.
__device__ __noinline__ int drawFromRow(const Row& row, Word least, const SampleParams& params, int blocks, int block, Scratch& scratch) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const Share share(row.vocabulary, blocks, block);
  const int first = share.first + (share.end - share.first) * warp / kWarps;
  const int end = share.first + (share.end - share.first) * (warp + 1) / kWarps;
  const Floor floor(least);
  Word weights[kEach];
  Word sum = 0;
#pragma unroll 2
  for (int part = first; part < end; part++) {
    Word ofPart = weigh(row, floor, part, weights);
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
      ofPart += __shfl_xor_sync(0xffffffffu, ofPart, offset);
    }
    if (lane == 0) {
      scratch.listed[part - share.first] = ofPart;
    }
    sum += ofPart;
  }
  if (lane == 0) {
    scratch.sums[warp][0] = sum;
  }
  __syncthreads();
  Word own = 0;
  Word before = 0;
  for (int w = 0; w < kWarps; w++) {
    before = w == warp ? own : before;
    own += scratch.sums[w][0];
  }
  if (threadIdx.x == 0) {
    scratch.total[0] = own;
    scratch.listedCount = -1;
  }
  awaitBlocks(blocks);
  Word total = 0;
  for (int i = 0; i < blocks; i++) {
    before += i == block ? total : 0;
    total += ofBlock(scratch.total[0], i);
  }
  const Word passed = passedOf(params, total);
  if (passed >= before && passed < before + sum) {
    // Of this warp's parts, then of the part's lanes, then of the lane's tokens the first that reaches beyond.
    int part = first;
    for (;; part += kWarp) {
      const Word upTo = upToLane(part + lane < end ? scratch.listed[part + lane - share.first] : 0);
      const unsigned reached = __ballot_sync(0xffffffffu, before + upTo > passed);
      if (reached != 0) {
        const int at = __ffs(reached) - 1;
        before += at == 0 ? 0 : __shfl_sync(0xffffffffu, upTo, at - 1);
        part += at;
        break;
      }
      before += __shfl_sync(0xffffffffu, upTo, kWarp - 1);
    }
    const Word mine = weigh(row, floor, part, weights);
    const Word upTo = before + upToLane(mine);
    if (upTo > passed && upTo - mine <= passed) {
      Word reach = upTo - mine;
      int passedBy = 0;
#pragma unroll
      for (int i = 0; i < kEach; i++) {
        reach += weights[i];
        passedBy += reach <= passed;
      }
      scratch.listedCount = part * kPart + lane * kEach + passedBy;
    }
  }
  // Nobody is done before all have read what it has.
  awaitBlocks(blocks);
  return scratch.listedCount;
}

// The same from the list.
__device__ int drawFromList(const Row& row, Word least, const SampleParams& params,
                            Scratch& scratch) {
  const Word total = measure(row, true, least, scratch).mass;
  for (int i = threadIdx.x; i < scratch.listedCount; i += kThreads) {
    const Word rank = scratch.listed[i];
    scratch.listed[i] = rank >= least ? rank << 32 | rank >> 32 : 0;
  }
  __syncthreads();
  const Word from = cut<kById>(row, true, 1, ~Word{0}, passedOf(params, total) + 1, scratch);
  if (threadIdx.x == 0) {
    scratch.total[0] = ~Word{0};
  }
  __syncthreads();
  for (int i = threadIdx.x; i < scratch.listedCount; i += kThreads) {
    if (scratch.listed[i] >= from) {
      atomicMin(&scratch.total[0], scratch.listed[i]);
    }
  }
  __syncthreads();
  return 0xffffffffu - static_cast<unsigned>(scratch.total[0] >> 32);
}

// Whether something is left out for being too many or too unlikely to be wanted: such rows are one block's.
__device__ bool cuts(const SampleParams& params, int vocabulary) {
  return params.temperature >= kGreedy && ((params.topK > 0 && params.topK < vocabulary) || params.topP < 1);
}

// Picks from the tokens of the rank `least` and above what top_k and top_p leave.
//
// The 512th greatest of the threads' own greatest ranks has 511 ranks above it, and few more: most
// times what is kept is among those, and only they are looked at again.
__device__ int pick(const Row& row, const SampleParams& params, Word least, Word greatest, Word own,
                    Scratch& scratch) {
  const bool topK = params.topK > 0 && params.topK < row.vocabulary;
  scratch.listed[threadIdx.x] = own;
  scratch.listedCount = kThreads;
  __syncthreads();
  const Word likely
      = max(least, cut<kByCount>(row, true, 0, greatest, kThreads / 2, scratch));
  const bool few = list(row, likely, INFINITY, scratch);
  bool listed = few && (likely == least || (topK && params.topK <= scratch.listedCount));
  Word from = listed ? likely : least;
  Measure kept = measure(row, listed, from, scratch);
  if (topK && params.topK < kept.count) {
    from = cut<kByCount>(row, listed, from, greatest, params.topK, scratch);
    kept = measure(row, listed, from, scratch);
  }
  if (params.topP < 1) {
    const Word wanted = max(static_cast<Word>(ceil(static_cast<double>(params.topP) * kept.mass)), Word{1});
    if (!listed && !topK && few && measure(row, true, likely, scratch).mass >= wanted) {
      listed = true;
      from = likely;
    }
    if (listed) {
      from = cut<kByMass>(row, true, from, greatest, wanted, scratch);
    } else {
      // Weights below half of what an even share of the rest would be are not among the kept.
      const float rest = (1 - params.topP) * kept.mass / kUnit / row.vocabulary / 2;
      const float low = row.max + params.temperature * logf(rest);
      from = cutDeep(row, from, greatest, wanted, fmaxf(low, logitOf(from)), scratch);
    }
  }
  return listed ? drawFromList(row, from, params, scratch) : drawFromRow(row, from, params, 1, 0, scratch);
}

// The rank of the greatest logit, and `own`, that of this thread's share; 0 if a logit is NaN.
__device__ Word greatestRank(const float* logits, int vocabulary, int blocks, int block, Word& own, Scratch& scratch) {
  const Share share(vocabulary, blocks, block);
  float best = -INFINITY;
  int id = 0;
  bool nan = false;
  forEach<4>(logits, share.first * kPart, min(share.end * kPart, vocabulary), [&](float logit, int i) {
    nan |= logit != logit;
    if (logit > best) {
      best = logit;
      id = i;
    }
  });
  Word rank = own = rankOf(best, id);
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    rank = max(rank, __shfl_xor_sync(0xffffffffu, rank, offset));
  }
  if (threadIdx.x % kWarp == 0) {
    scratch.sums[threadIdx.x / kWarp][0] = rank;
  }
  const bool anyNan = __syncthreads_or(nan);
  for (int w = 0; w < kWarps; w++) {
    rank = max(rank, scratch.sums[w][0]);
  }
  if (threadIdx.x == 0) {
    scratch.greatest = anyNan ? 0 : rank;
  }
  awaitBlocks(blocks);
  rank = ofBlock(scratch.greatest, 0);
  for (int i = 1; i < blocks; i++) {
    const Word other = ofBlock(scratch.greatest, i);
    rank = rank == 0 || other == 0 ? 0 : max(rank, other);
  }
  return rank;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads)
    sample(const float* logits, int stride, int vocabulary, const SampleParams* params, int* out,
           int* const* copy, int rows) {
  __shared__ Scratch scratch;
  releaseSuccessor();
  awaitPredecessor();
  const int at = blockIdx.y;
  const SampleParams& p = params[at];
  const bool alone = cuts(p, vocabulary);
  if (at >= rows || (alone && blockIdx.x > 0)) {
    return;
  }
  const int blocks = alone ? 1 : gridDim.x;
  Row row{logits + static_cast<int64_t>(at) * stride, vocabulary};
  Word own;
  const Word greatest = greatestRank(row.logits, vocabulary, blocks, blockIdx.x, own, scratch);
  row.max = logitOf(greatest);
  int token = -1;
  bool found = blockIdx.x == 0;
  if (greatest == 0 || !isfinite(row.max) || !(p.temperature >= kGreedy)) {
    token = greatest == 0 || !isfinite(row.max) ? -1 : static_cast<int>(0xffffffffu - static_cast<unsigned>(greatest));
    // Nobody is done before all have read what it has.
    awaitBlocks(blocks);
  } else {
    row.scale = static_cast<float>(1.0 / static_cast<double>(p.temperature));
    const Word least = leastWithin(p, row.max);
    token = alone ? pick(row, p, least, greatest, own, scratch) : drawFromRow(row, least, p, blocks, blockIdx.x, scratch);
    found = token >= 0;
  }
  if (found && threadIdx.x == 0) {
    out[at] = token;
    int* const host = copy == nullptr ? nullptr : *copy;
    if (host != nullptr) {
      host[at] = token;
    }
  }
}
