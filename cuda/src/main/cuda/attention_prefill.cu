// Prefill attention over the paged pool: causal, many sequences of different lengths in one launch, chunks that begin past token 0.
//
// attend_prefill_{bf16,f16}(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset, const int* tables,
//     int tableStride, const int* entries, const int2* tiles, T* out, int tileCount, int heads, int kvHeads, int headDim, int blockTokens,
//     float scale)
//   grid  (heads, tileCount), block 128, dynamic shared memory 512 * (headDim + 8) bytes on the fast path (69,632 at headDim 128: above
//   48 KiB cuFuncSetAttribute(MAX_DYNAMIC_SHARED_SIZE_BYTES, 69632) is needed once a kernel), 0 on the slow one
//
// entries[e] = {firstRow, rows, start, tableRow}: rows firstRow .. firstRow+rows-1 of qkv and out are tokens start .. start+rows-1 of a
// sequence whose block table is at tables + tableRow*tableStride; row i attends to tokens 0 .. start+i, all of them in the pool already.
// tiles[t] = {entry, first row within the entry}: a tile is the 128 rows (QUERY_ROWS) from there on, or what is left of the entry; an entry of
// rows n has ceil(n/128) tiles. An entry of -1 marks a padding tile. Put the tiles with the longest contexts first: the last CTAs to start
// are then the shortest. Pool slots and table entries past an entry's last token are never used.
// qkv 16-byte aligned and qkvStride a multiple of 8; kv 16-byte aligned, kvBlock and layerOffset multiples of 8.
// Fast (tensor cores) for headDim 16, 32, 64, 80, 96, 128 with blockTokens a power of 2; any other even headDim up to 256 or any other
// blockTokens takes a slow path of the same kernel, which needs only 4-byte alignment.
//
// Four warps share tiles of 32 keys and values in shared memory (rows padded by 16 bytes: no bank conflicts). Each has 32 query rows; 16 where
// a tile of queries has no more than 64; 16 and half of the keys where it has no more than 32. While one tile is worked on, the next one or two
// arrive by cp.async. The running maximum of a row is raised, and its output rescaled, only once a logit passes it by 8 powers of two: the
// weights stay under 256, and the rescaling nearly always falls away. Two CTAs share a multiprocessor.

#include "attention.cuh"

namespace attention {

constexpr int PREFILL_WARPS = 4;
constexpr int PREFILL_THREADS = 32 * PREFILL_WARPS;
constexpr int QUERY_ROWS = 32 * PREFILL_WARPS;
constexpr int KEY_ROWS = 32;
constexpr float RISE_MAX = 8.0f;
// Below all logits that are numbers, and one itself: of a share of keys a row may see none.
constexpr float LEAST_LOGIT = -3e38f;

struct PrefillTile {
  int firstRow;      // of qkv and out
  int rows;          // 1..QUERY_ROWS
  int firstPosition; // of firstRow within the sequence
};

// A warp has ROW_TILES times 16 query rows and, of each tile of keys, a share of 1 / TEAMS: warps of the same rows form a team.
template <typename T, int HEAD_DIM, int ROW_TILES, int TEAMS>
__device__ __forceinline__ void prefill_fast(const T* qkv, int qkvStride, const PagedHead<T>& paged, const PrefillTile& tile, T* out, int heads,
                                             int head, float scale2) {
  constexpr int WARP_ROWS = 16 * ROW_TILES;
  constexpr int ROW_WARPS = PREFILL_WARPS / TEAMS;
  constexpr int BLOCK_ROWS = WARP_ROWS * ROW_WARPS;
  constexpr int STRIDE = HEAD_DIM + 8;
  constexpr int CHUNKS = HEAD_DIM / 8;
  constexpr int STEPS = HEAD_DIM / 16;
  constexpr int TEAM_KEYS = KEY_ROWS / TEAMS;
  constexpr int KEY_GROUPS = TEAM_KEYS / 8;
  // Where there are fewer queries there is room for one more tile.
  constexpr int STAGES = ROW_TILES == 1 ? 3 : 2;
  extern __shared__ __align__(16) unsigned char memory[];
  T* const queries = reinterpret_cast<T*>(memory);
  const uint32_t sharedQueries = static_cast<uint32_t>(__cvta_generic_to_shared(memory));
  const uint32_t sharedKeys = sharedQueries + BLOCK_ROWS * STRIDE * 2;
  constexpr uint32_t TILE_BYTES = KEY_ROWS * STRIDE * 2;

  const int lane = threadIdx.x & 31;
  const int warp = TEAMS == 1 ? threadIdx.x >> 5 : (threadIdx.x >> 5) % ROW_WARPS;
  const int team = TEAMS == 1 ? 0 : (threadIdx.x >> 5) / ROW_WARPS;
  const int group = lane >> 2;
  const int quarter = lane & 3;
  const int tokens = tile.firstPosition + tile.rows;
  const int keyTiles = (tokens + KEY_ROWS - 1) / KEY_ROWS;
  const int warpFirst = warp * WARP_ROWS;
  const bool warpLive = warpFirst < tile.rows;
  const int firstPosition = tile.firstPosition + warpFirst;

  const int blockShift = 31 - __clz(paged.blockTokens);
  auto stage = [](int keyTile) { return STAGES == 2 ? keyTile & 1 : keyTile % STAGES; };
  // Keys of tile i at sharedKeys + stage(i) * 2 * TILE_BYTES, its values behind them.
  auto load = [&](int keyTile) {
    const uint32_t shared = sharedKeys + stage(keyTile) * 2 * TILE_BYTES;
#pragma unroll
    for (int i = 0; i < (KEY_ROWS * CHUNKS + PREFILL_THREADS - 1) / PREFILL_THREADS; i++) {
      const int chunk = i * PREFILL_THREADS + threadIdx.x;
      const int row = chunk / CHUNKS;
      const int column = chunk % CHUNKS * 8;
      if (KEY_ROWS * CHUNKS % PREFILL_THREADS == 0 || row < KEY_ROWS) {
        const int token = min(keyTile * KEY_ROWS + row, tokens - 1);
        const T* key = paged.keys + __ldg(paged.table + (token >> blockShift)) * paged.block + (token & (paged.blockTokens - 1)) * HEAD_DIM + column;
        copy_async16(shared + (row * STRIDE + column) * 2, key);
        copy_async16(shared + TILE_BYTES + (row * STRIDE + column) * 2, key + paged.valuesOffset);
      }
    }
    copies_commit();
  };
  // Groups are counted, so where there is no tile i an empty one takes its place, but for the last to be waited for.
  auto load_if_any = [&](int keyTile) {
    if (keyTile < keyTiles) {
      load(keyTile);
    } else if (STAGES > 2) {
      copies_commit();
    }
  };

  for (int chunk = threadIdx.x; chunk < BLOCK_ROWS * CHUNKS; chunk += PREFILL_THREADS) {
    const int row = chunk / CHUNKS;
    const int column = chunk % CHUNKS * 8;
    const T* from = qkv + static_cast<long long>(tile.firstRow + min(row, tile.rows - 1)) * qkvStride + head * HEAD_DIM + column;
    copy_async16(sharedQueries + (row * STRIDE + column) * 2, from);
  }
  load(0);
#pragma unroll
  for (int i = 1; i < STAGES - 1; i++) load_if_any(i);

  // What a lane addresses in ldmatrix: of four 8x8 matrices, a query's go down rows first, a key's along dimensions first, a value's down.
  const int matrix = lane >> 3;
  const int matrixRow = lane & 7;
  const uint32_t queryAddress = sharedQueries + ((warpFirst + (matrix & 1) * 8 + matrixRow) * STRIDE + (matrix >> 1) * 8) * 2;
  const uint32_t teamKeys = sharedKeys + team * TEAM_KEYS * STRIDE * 2;
  const uint32_t keyAddress = teamKeys + (((matrix >> 1) * 8 + matrixRow) * STRIDE + (matrix & 1) * 8) * 2;
  const uint32_t valueAddress = teamKeys + TILE_BYTES + (((matrix & 1) * 8 + matrixRow) * STRIDE + (matrix >> 1) * 8) * 2;

  float output[ROW_TILES][CHUNKS][4] = {};
  float maximum[ROW_TILES][2];
  float sum[ROW_TILES][2] = {};
#pragma unroll
  for (int m = 0; m < ROW_TILES; m++) maximum[m][0] = maximum[m][1] = LEAST_LOGIT;

  // Queries of the first steps stay in registers where there is room beside the output.
  constexpr int HELD = HEAD_DIM >= 128 ? 0 : STEPS < 4 ? STEPS : 4;
  uint32_t held[HELD > 0 ? HELD : 1][ROW_TILES][4];
  if (HELD > 0) {
    copies_wait<STAGES - 2>();
    __syncthreads();
#pragma unroll
    for (int i = 0; i < HELD; i++) {
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) ldmatrix4(held[i][m], queryAddress + (m * 16 * STRIDE + i * 16) * 2);
    }
  }

  for (int keyTile = 0; keyTile < keyTiles; keyTile++) {
    const int firstKey = keyTile * KEY_ROWS + team * TEAM_KEYS;
    const uint32_t buffer = stage(keyTile) * 2 * TILE_BYTES;

    copies_wait<STAGES - 2>();
    __syncthreads();
    load_if_any(keyTile + STAGES - 1);

    if (warpLive && firstKey <= firstPosition + WARP_ROWS - 1) {
      float logit[ROW_TILES][KEY_GROUPS][4] = {};
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
        uint32_t query[ROW_TILES][4];
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
          if (i < HELD) {
#pragma unroll
            for (int j = 0; j < 4; j++) query[m][j] = held[i < HELD ? i : 0][m][j];
          } else {
            ldmatrix4(query[m], queryAddress + (m * 16 * STRIDE + i * 16) * 2);
          }
        }
#pragma unroll
        for (int n = 0; n < KEY_GROUPS / 2; n++) {
          uint32_t key[4];
          ldmatrix4(key, keyAddress + buffer + (n * 16 * STRIDE + i * 16) * 2);
#pragma unroll
          for (int m = 0; m < ROW_TILES; m++) {
            Number<T>::mma(logit[m][2 * n], query[m][0], query[m][1], query[m][2], query[m][3], key[0], key[1]);
            Number<T>::mma(logit[m][2 * n + 1], query[m][0], query[m][1], query[m][2], query[m][3], key[2], key[3]);
          }
        }
      }

      if (firstKey + TEAM_KEYS - 1 > firstPosition) {
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
          for (int n = 0; n < KEY_GROUPS; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
              const int key = firstKey + n * 8 + 2 * quarter + (i & 1);
              if (key > firstPosition + m * 16 + group + (i >> 1) * 8) logit[m][n][i] = -INFINITY;
            }
          }
        }
      }

      float larger[ROW_TILES][2];
      bool rises = false;
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
        for (int r = 0; r < 2; r++) {
          float largest = logit[m][0][2 * r];
#pragma unroll
          for (int n = 0; n < KEY_GROUPS; n++) largest = fmaxf(largest, fmaxf(logit[m][n][2 * r], logit[m][n][2 * r + 1]));
          largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, 1));
          largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, 2));
          larger[m][r] = fmaxf(largest * scale2, maximum[m][r]);
          rises |= larger[m][r] > maximum[m][r] + RISE_MAX;
        }
      }
      if (__any_sync(0xffffffffu, rises)) {
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
          for (int r = 0; r < 2; r++) {
            const float keep = exp2_fast(maximum[m][r] - larger[m][r]);
            maximum[m][r] = larger[m][r];
            sum[m][r] *= keep;
#pragma unroll
            for (int n = 0; n < CHUNKS; n++) {
              output[m][n][2 * r] *= keep;
              output[m][n][2 * r + 1] *= keep;
            }
          }
        }
      }
#pragma unroll
      for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
        for (int n = 0; n < KEY_GROUPS; n++) {
#pragma unroll
          for (int i = 0; i < 4; i++) {
            logit[m][n][i] = exp2_fast(fmaf(logit[m][n][i], scale2, -maximum[m][i >> 1]));
            sum[m][i >> 1] += logit[m][n][i];
          }
        }
      }

#pragma unroll
      for (int i = 0; i < KEY_GROUPS / 2; i++) {
        uint32_t weights[ROW_TILES][4];
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
          for (int j = 0; j < 4; j++) weights[m][j] = packed<T>(logit[m][2 * i + j / 2][j % 2 * 2], logit[m][2 * i + j / 2][j % 2 * 2 + 1]);
        }
#pragma unroll
        for (int n = 0; n < STEPS; n++) {
          uint32_t value[4];
          ldmatrix4_transposed(value, valueAddress + buffer + (i * 16 * STRIDE + n * 16) * 2);
#pragma unroll
          for (int m = 0; m < ROW_TILES; m++) {
            Number<T>::mma(output[m][2 * n], weights[m][0], weights[m][1], weights[m][2], weights[m][3], value[0], value[1]);
            Number<T>::mma(output[m][2 * n + 1], weights[m][0], weights[m][1], weights[m][2], weights[m][3], value[2], value[3]);
          }
        }
      }
    }
  }
#pragma unroll
  for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      sum[m][r] += __shfl_xor_sync(0xffffffffu, sum[m][r], 1);
      sum[m][r] += __shfl_xor_sync(0xffffffffu, sum[m][r], 2);
    }
  }
  if (TEAMS > 1) {
    // The second of a team leaves what it has where the keys were, and the first adds it to its own.
    constexpr int PITCH = HEAD_DIM + 8;
    float* const left = reinterpret_cast<float*>(memory + BLOCK_ROWS * STRIDE * 2);
    __syncthreads();
#pragma unroll
    for (int part = 1; part >= 0; part--) {
      if (team == part && warpLive) {
#pragma unroll
        for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
          for (int r = 0; r < 2; r++) {
            float* row = left + (warpFirst + m * 16 + r * 8 + group) * PITCH;
            if (part == 1) {
              *reinterpret_cast<float2*>(row + HEAD_DIM) = make_float2(maximum[m][r], sum[m][r]);
#pragma unroll
              for (int n = 0; n < CHUNKS; n++) {
                *reinterpret_cast<float2*>(row + 8 * n + 2 * quarter) = make_float2(output[m][n][2 * r], output[m][n][2 * r + 1]);
              }
            } else {
              const float2 other = *reinterpret_cast<const float2*>(row + HEAD_DIM);
              const float larger = fmaxf(maximum[m][r], other.x);
              const float keep = exp2_fast(maximum[m][r] - larger);
              const float add = exp2_fast(other.x - larger);
              sum[m][r] = sum[m][r] * keep + other.y * add;
#pragma unroll
              for (int n = 0; n < CHUNKS; n++) {
                const float2 two = *reinterpret_cast<const float2*>(row + 8 * n + 2 * quarter);
                output[m][n][2 * r] = output[m][n][2 * r] * keep + two.x * add;
                output[m][n][2 * r + 1] = output[m][n][2 * r + 1] * keep + two.y * add;
              }
            }
          }
        }
      }
      if (part == 1) __syncthreads();
    }
  }

  if (!warpLive || team > 0) return;
#pragma unroll
  for (int m = 0; m < ROW_TILES; m++) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      const float share = 1.0f / sum[m][r];
      T* row = queries + (warpFirst + m * 16 + r * 8 + group) * STRIDE + 2 * quarter;
#pragma unroll
      for (int n = 0; n < CHUNKS; n++) store_pair(row + 8 * n, output[m][n][2 * r] * share, output[m][n][2 * r + 1] * share);
    }
  }
  __syncwarp();
  const int rows = min(WARP_ROWS, tile.rows - warpFirst);
  for (int chunk = lane; chunk < rows * CHUNKS; chunk += 32) {
    const int row = warpFirst + chunk / CHUNKS;
    const int column = chunk % CHUNKS * 8;
    T* to = out + (static_cast<long long>(tile.firstRow + row) * heads + head) * HEAD_DIM + column;
    *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(queries + row * STRIDE + column);
  }
}

// One warp a row, one token after the other.
template <typename T>
__device__ void prefill_generic(const T* qkv, int qkvStride, const PagedHead<T>& paged, const PrefillTile& tile, T* out, int heads, int head,
                                int headDim, float scale2) {
  const int lane = threadIdx.x & 31;
  for (int i = threadIdx.x >> 5; i < tile.rows; i += PREFILL_WARPS) {
    const long long at = tile.firstRow + i;
    GenericRow<T> row;
    row.begin(qkv + at * qkvStride + head * headDim, headDim, scale2);
    for (int token = 0; token <= tile.firstPosition + i; token++) row.attend(paged, headDim, token);
#pragma unroll
    for (int j = 0; j < GenericRow<T>::PAIRS; j++) {
      int dim = 64 * j + 2 * lane;
      if (dim < headDim) store_pair(out + (at * heads + head) * headDim + dim, row.output[j][0] / row.sum, row.output[j][1] / row.sum);
    }
  }
}

template <typename T>
__device__ __forceinline__ void attend_prefill(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset,
                                               const int* tables, int tableStride, const int* entries, const int2* tiles, T* out,
                                               int tileCount, int heads, int kvHeads, int headDim, int blockTokens, float scale) {
  // In this order: attend_decode may follow, which does not wait for this kernel but for those before it.
  awaitPredecessor();
  releaseSuccessor();
  if (blockIdx.y >= tileCount) return;
  const int2 at = tiles[blockIdx.y];
  if (at.x < 0) return;
  const int* entry = entries + 4 * at.x;
  const PrefillTile tile{entry[0] + at.y, min(QUERY_ROWS, entry[1] - at.y), entry[2] + at.y};
  if (tile.rows <= 0) return;

  const int head = blockIdx.x;
  const PagedHead<T> paged(kv, kvBlock, layerOffset, tables + static_cast<long long>(entry[3]) * tableStride, head / (heads / kvHeads), kvHeads,
                           headDim, blockTokens);
  const float scale2 = scale * LOG2_E;
  const bool shiftable = (blockTokens & (blockTokens - 1)) == 0;
  auto fast = [&](auto dim) {
    constexpr int HEAD_DIM = decltype(dim)::value;
    if (tile.rows > 64) {
      prefill_fast<T, HEAD_DIM, 2, 1>(qkv, qkvStride, paged, tile, out, heads, head, scale2);
    } else if (tile.rows > 32) {
      prefill_fast<T, HEAD_DIM, 1, 1>(qkv, qkvStride, paged, tile, out, heads, head, scale2);
    } else {
      prefill_fast<T, HEAD_DIM, 1, 2>(qkv, qkvStride, paged, tile, out, heads, head, scale2);
    }
  };
  switch (shiftable ? headDim : 0) {
    case 16: fast(Constant<16>()); break;
    case 32: fast(Constant<32>()); break;
    case 64: fast(Constant<64>()); break;
    case 80: fast(Constant<80>()); break;
    case 96: fast(Constant<96>()); break;
    case 128: fast(Constant<128>()); break;
    default: prefill_generic(qkv, qkvStride, paged, tile, out, heads, head, headDim, scale2);
  }
}

}  // namespace attention

#define ATTEND_PREFILL(NAME, T)                                                                                                              \
  extern "C" __global__ void __launch_bounds__(128, 2)                                                                                       \
      NAME(const T* qkv, int qkvStride, const T* kv, long long kvBlock, long long layerOffset, const int* tables, int tableStride,           \
           const int* entries, const int2* tiles, T* out, int tileCount, int heads, int kvHeads, int headDim, int blockTokens, float scale) { \
    attention::attend_prefill<T>(qkv, qkvStride, kv, kvBlock, layerOffset, tables, tableStride, entries, tiles, out, tileCount, heads,       \
                                 kvHeads, headDim, blockTokens, scale);                                                                      \
  }

ATTEND_PREFILL(attend_prefill_bf16, __nv_bfloat16)
ATTEND_PREFILL(attend_prefill_f16, __half)
