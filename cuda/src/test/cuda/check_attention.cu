// Checks the attention kernels against a float64 reference on fresh random inputs, then times them.
//
//   nvcc -std=c++17 -O3 -arch=sm_90 -o check_attention check_attention.cu && ./check_attention [check|small|time|all] [seed]
//
// Every input is drawn from the seed (the clock's unless given; printed). Outputs, workspaces and all pool slots that a kernel must not use hold
// NaN beforehand, unused table entries an illegal block. `small` is a subset for compute-sanitizer. Exit status 1: a check failed.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <cuda_runtime.h>

#include "../../main/cuda/attention_decode.cu"
#include "../../main/cuda/attention_prefill.cu"

#define CHECK(call)                                                                            \
  do {                                                                                         \
    cudaError_t error = (call);                                                                \
    if (error != cudaSuccess) {                                                                \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error)); \
      exit(2);                                                                                 \
    }                                                                                          \
  } while (0)

static std::mt19937_64 generator;
static int failures = 0;
static int multiprocessors = 0;

static int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

template <typename T>
static T number(float value) {
  if constexpr (std::is_same_v<T, __half>) {
    return __float2half(value);
  } else {
    return __float2bfloat16(value);
  }
}

template <typename T>
static double value(T number) {
  if constexpr (std::is_same_v<T, __half>) {
    return __half2float(number);
  } else {
    return __bfloat162float(number);
  }
}

template <typename T>
static const char* type_name() {
  return std::is_same_v<T, __half> ? "f16" : "bf16";
}

template <typename T>
struct Kernels;

template <>
struct Kernels<__nv_bfloat16> {
  static constexpr auto decode = attend_decode_bf16;
  static constexpr auto merge = attend_merge_bf16;
  static constexpr auto prefill = attend_prefill_bf16;
};

template <>
struct Kernels<__half> {
  static constexpr auto decode = attend_decode_f16;
  static constexpr auto merge = attend_merge_f16;
  static constexpr auto prefill = attend_prefill_f16;
};

template <typename U>
struct Device {
  U* data = nullptr;
  size_t size = 0;
  explicit Device(size_t size) : size(size) { CHECK(cudaMalloc(&data, std::max<size_t>(size, 1) * sizeof(U))); }
  explicit Device(const std::vector<U>& from) : Device(from.size()) {
    CHECK(cudaMemcpy(data, from.data(), size * sizeof(U), cudaMemcpyHostToDevice));
  }
  Device(const Device&) = delete;
  ~Device() { cudaFree(data); }
  void poison() { CHECK(cudaMemset(data, 0xff, size * sizeof(U))); }
  std::vector<U> host() const {
    std::vector<U> to(size);
    CHECK(cudaMemcpy(to.data(), data, size * sizeof(U), cudaMemcpyDeviceToHost));
    return to;
  }
};

struct Shape {
  int heads, kvHeads, headDim, blockTokens;
};

static int head_tiles(const Shape& shape) { return (shape.heads / shape.kvHeads + 7) / 8; }

static int split_count(int rows, const Shape& shape, int maxContext) {
  int ctas = rows * shape.kvHeads * head_tiles(shape);
  return std::max(1, std::min({64, (maxContext + 127) / 128, (rows == 1 ? 1 : 2) * multiprocessors / ctas}));
}

static bool fast_prefill(const Shape& shape) {
  int d = shape.headDim;
  bool known = d == 16 || d == 32 || d == 64 || d == 80 || d == 96 || d == 128;
  return known && (shape.blockTokens & (shape.blockTokens - 1)) == 0;
}

template <typename T>
static void launch_prefill(const T* qkv, int stride, const T* kv, long long kvBlock, long long layerOffset, const int* tables, int tableStride,
                           const int* entries, const int2* tiles, T* out, int tileCount, const Shape& shape, float scale, cudaStream_t stream = 0) {
  int bytes = fast_prefill(shape) ? 512 * (shape.headDim + 8) : 0;
  CHECK(cudaFuncSetAttribute(Kernels<T>::prefill, cudaFuncAttributeMaxDynamicSharedMemorySize, 69632));
  Kernels<T>::prefill<<<dim3(shape.heads, tileCount), 128, bytes, stream>>>(qkv, stride, kv, kvBlock, layerOffset, tables, tableStride, entries,
                                                                            tiles, out, tileCount, shape.heads, shape.kvHeads, shape.headDim,
                                                                            shape.blockTokens, scale);
  CHECK(cudaGetLastError());
}

template <typename T>
static void launch_decode(const T* qkv, int stride, const T* kv, long long kvBlock, long long layerOffset, const int* tables, int tableStride,
                          const int* contexts, T* out, float* partial, int rows, const Shape& shape, float scale, int splits,
                          cudaStream_t stream = 0) {
  Kernels<T>::decode<<<dim3(splits, shape.kvHeads * head_tiles(shape), rows), 128, 0, stream>>>(
      qkv, stride, kv, kvBlock, layerOffset, tables, tableStride, contexts, out, partial, rows, shape.heads, shape.kvHeads, shape.headDim,
      shape.blockTokens, scale, splits, 0);
  CHECK(cudaGetLastError());
  if (splits > 1) {
    Kernels<T>::merge<<<dim3((shape.heads + 3) / 4, rows), 128, 0, stream>>>(partial, contexts, out, rows, shape.heads, shape.headDim, splits);
    CHECK(cudaGetLastError());
  }
}

static size_t partial_floats(int rows, const Shape& shape, int splits) {
  return splits == 1 ? 0 : static_cast<size_t>(rows) * shape.heads * splits * (shape.headDim + 2);
}

static void parallel(int count, const std::function<void(int)>& work) {
  int threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> all;
  for (int t = 0; t < threads; t++) {
    all.emplace_back([&, t] {
      for (int i = t; i < count; i += threads) work(i);
    });
  }
  for (auto& thread : all) thread.join();
}

// A pool of two layers with the sequences' blocks dealt out at random; only tokens of the sequences hold numbers, the rest NaN.
template <typename T>
struct World {
  Shape shape;
  int layers = 2, layer = 1;
  long long layerElements, kvBlock, layerOffset;
  int tableStride, blocks;
  std::vector<int> tables;
  std::vector<T> pool;

  World(const Shape& shape, const std::vector<int>& contexts) : shape(shape) {
    layerElements = 2LL * shape.kvHeads * shape.blockTokens * shape.headDim;
    kvBlock = layers * layerElements;
    layerOffset = layer * layerElements;
    int longest = 0, needed = 0;
    for (int context : contexts) {
      int own = (context + shape.blockTokens - 1) / shape.blockTokens;
      longest = std::max(longest, own);
      needed += own;
    }
    tableStride = longest + 3;
    blocks = needed + 5;
    std::vector<int> ids(blocks);
    for (int i = 0; i < blocks; i++) ids[i] = i;
    std::shuffle(ids.begin(), ids.end(), generator);
    tables.assign(contexts.size() * tableStride, 0x40000000);
    pool.assign(blocks * kvBlock, number<T>(NAN));
    std::normal_distribution<float> normal;
    int next = 0;
    for (size_t s = 0; s < contexts.size(); s++) {
      for (int token = 0; token < contexts[s]; token++) {
        if (token % shape.blockTokens == 0) tables[s * tableStride + token / shape.blockTokens] = ids[next++];
        for (int part = 0; part < 2; part++) {
          for (int head = 0; head < shape.kvHeads; head++) {
            T* to = pool.data() + at(s, token, part, head);
            for (int d = 0; d < shape.headDim; d++) to[d] = number<T>(normal(generator));
          }
        }
      }
    }
  }

  long long at(int sequence, int token, int part, int head) const {
    return tables[sequence * tableStride + token / shape.blockTokens] * kvBlock + layerOffset +
           ((part * static_cast<long long>(shape.kvHeads) + head) * shape.blockTokens + token % shape.blockTokens) * shape.headDim;
  }

  void reference(const T* query, int sequence, int context, int head, double scale, double* out) const {
    int kvHead = head / (shape.heads / shape.kvHeads);
    std::vector<double> weights(context);
    double largest = -INFINITY, sum = 0;
    for (int token = 0; token < context; token++) {
      const T* key = pool.data() + at(sequence, token, 0, kvHead);
      double dot = 0;
      for (int d = 0; d < shape.headDim; d++) dot += value(query[d]) * value(key[d]);
      weights[token] = dot * scale;
      largest = std::max(largest, weights[token]);
    }
    for (double& weight : weights) sum += weight = std::exp(weight - largest);
    std::fill(out, out + shape.headDim, 0.0);
    for (int token = 0; token < context; token++) {
      const T* values = pool.data() + at(sequence, token, 1, kvHead);
      for (int d = 0; d < shape.headDim; d++) out[d] += weights[token] / sum * value(values[d]);
    }
  }
};

// Rows of queries with random numbers, the key and value part of each row NaN.
template <typename T>
static std::vector<T> random_queries(int rows, const Shape& shape, int stride) {
  std::vector<T> qkv(static_cast<size_t>(rows) * stride, number<T>(NAN));
  std::normal_distribution<float> normal(0.0f, 2.0f);
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < shape.heads * shape.headDim; i++) qkv[static_cast<size_t>(r) * stride + i] = number<T>(normal(generator));
  }
  return qkv;
}

struct Difference {
  double whole, row;  // relative error over all rows, and of the worst row and head
};

template <typename T>
static Difference difference(const std::vector<T>& out, const std::vector<double>& expected, int headDim) {
  double error = 0, norm = 0, worst = 0;
  for (size_t i = 0; i < expected.size(); i += headDim) {
    double rowError = 0, rowNorm = 0;
    for (int d = 0; d < headDim; d++) {
      double delta = value(out[i + d]) - expected[i + d];
      rowError += delta * delta;
      rowNorm += expected[i + d] * expected[i + d];
    }
    error += rowError;
    norm += rowNorm;
    double relative = std::sqrt(rowError / std::max(rowNorm, 1e-30));
    if (!(relative <= worst)) worst = relative;
  }
  return {std::sqrt(error / std::max(norm, 1e-30)), worst};
}

template <typename T>
static void verdict(const char* kernel, const Shape& shape, const std::string& rest, const Difference& difference) {
  double limit = std::is_same_v<T, __half> ? 1e-3 : 6e-3;
  bool right = difference.whole < limit && difference.row < 4 * limit;
  if (!right) failures++;
  printf("%-4s %-7s %-4s heads %2d/%2d dim %3d block %2d %s: error %.2e, worst row %.2e\n", right ? "ok" : "FAIL", kernel, type_name<T>(),
         shape.heads, shape.kvHeads, shape.headDim, shape.blockTokens, rest.c_str(), difference.whole, difference.row);
}

template <typename T>
static void check_decode(const Shape& shape, std::vector<int> contexts, int splits) {
  std::shuffle(contexts.begin(), contexts.end(), generator);
  const int rows = contexts.size();
  World<T> world(shape, contexts);
  const int stride = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  std::vector<T> qkv = random_queries<T>(rows, shape, (stride + 7) / 8 * 8);
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.headDim));

  std::vector<double> expected(static_cast<size_t>(rows) * shape.heads * shape.headDim, 0.0);
  parallel(rows * shape.heads, [&](int i) {
    int row = i / shape.heads, head = i % shape.heads;
    if (contexts[row]) {
      world.reference(qkv.data() + static_cast<size_t>(row) * ((stride + 7) / 8 * 8) + head * shape.headDim, row, contexts[row], head, scale,
                      expected.data() + static_cast<size_t>(i) * shape.headDim);
    }
  });

  Device<T> pool(world.pool), queries(qkv), out(expected.size());
  Device<int> tables(world.tables), lengths(contexts);
  Device<float> partial(partial_floats(rows, shape, splits));
  out.poison();
  partial.poison();
  launch_decode<T>(queries.data, (stride + 7) / 8 * 8, pool.data, world.kvBlock, world.layerOffset, tables.data, world.tableStride, lengths.data,
                   out.data, partial.data, rows, shape, scale, splits);
  CHECK(cudaDeviceSynchronize());
  verdict<T>("decode", shape, "rows " + std::to_string(rows) + " splits " + std::to_string(splits), difference(out.host(), expected, shape.headDim));
}

struct Chunk {
  int start, rows;
};

template <typename T>
static void check_prefill(const Shape& shape, const std::vector<Chunk>& chunks) {
  std::vector<int> contexts, entries;
  std::vector<int2> tiles;
  std::vector<int> owner, position;
  int rows = uniform(1, 5);  // decode rows before
  const int before = rows;
  for (const Chunk& chunk : chunks) {
    int entry = contexts.size();
    contexts.push_back(chunk.start + chunk.rows);
    entries.insert(entries.end(), {rows, chunk.rows, chunk.start, entry});
    for (int first = 0; first < chunk.rows; first += 128) tiles.push_back({entry, first});
    for (int i = 0; i < chunk.rows; i++) {
      owner.push_back(entry);
      position.push_back(chunk.start + i);
    }
    rows += chunk.rows;
  }
  tiles.push_back({-1, 0});
  std::shuffle(tiles.begin(), tiles.end(), generator);
  World<T> world(shape, contexts);
  const int stride = ((shape.heads + 2 * shape.kvHeads) * shape.headDim + 7) / 8 * 8;
  std::vector<T> qkv = random_queries<T>(rows, shape, stride);
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.headDim));
  const size_t width = static_cast<size_t>(shape.heads) * shape.headDim;

  std::vector<double> expected((rows - before) * width);
  parallel((rows - before) * shape.heads, [&](int i) {
    int row = i / shape.heads, head = i % shape.heads;
    world.reference(qkv.data() + static_cast<size_t>(before + row) * stride + head * shape.headDim, owner[row], position[row] + 1, head, scale,
                    expected.data() + static_cast<size_t>(i) * shape.headDim);
  });

  Device<T> pool(world.pool), queries(qkv), out(rows * width);
  Device<int> tables(world.tables), entryData(entries);
  Device<int2> tileData(tiles);
  out.poison();
  launch_prefill<T>(queries.data, stride, pool.data, world.kvBlock, world.layerOffset, tables.data, world.tableStride, entryData.data,
                    tileData.data, out.data, tiles.size(), shape, scale);
  CHECK(cudaDeviceSynchronize());
  std::vector<T> got = out.host();
  for (size_t i = 0; i < before * width; i++) {
    if (!std::isnan(value(got[i]))) {
      printf("FAIL prefill wrote rows that are not its own\n");
      failures++;
      break;
    }
  }
  got.erase(got.begin(), got.begin() + before * width);
  std::string what = "chunks";
  for (const Chunk& chunk : chunks) what += " " + std::to_string(chunk.start) + "+" + std::to_string(chunk.rows);
  verdict<T>("prefill", shape, what, difference(got, expected, shape.headDim));
}

template <typename T>
static void checks(bool small) {
  auto lengths = [&](int longest) {
    std::vector<int> all = {0, 1, 15, 16, 17, 63, 64, 65, 129, longest, 0};
    for (int i = 0; i < (small ? 1 : 6); i++) all.push_back(uniform(1, longest));
    return all;
  };
  const int longest = small ? 200 : 1500;
  std::vector<Shape> shapes = {{2, 2, 128, 16}, {8, 2, 128, 16}, {8, 1, 64, 16}, {4, 4, 96, 16}, {6, 2, 32, 8}, {7, 1, 16, 32}, {4, 2, 80, 16},
                               {16, 1, 128, 32}, {24, 2, 64, 8}, {2, 1, 48, 16}, {3, 3, 256, 16}, {4, 2, 10, 8}, {4, 2, 64, 12}, {4, 2, 128, 8}};
  if (small) shapes = {{8, 2, 128, 16}, {2, 2, 96, 8}, {2, 1, 16, 32}, {2, 1, 48, 16}};
  for (const Shape& shape : shapes) {
    for (int splits : small ? std::vector<int>{3} : std::vector<int>{1, 2, 7, 40}) check_decode<T>(shape, lengths(longest), splits);
    if (small) {
      check_prefill<T>(shape, {{0, 150}, {70, 40}});
    } else {
      check_prefill<T>(shape, {{0, 1}, {0, uniform(2, 400)}, {uniform(1, 300), uniform(1, 300)}, {500, 1}, {33, 128}, {256, 129}});
      check_prefill<T>(shape, {{0, 512}, {uniform(300, 900), uniform(1, 20)}});
    }
  }
}

// --- timing ---

template <typename T>
__global__ void fill(T* to, size_t count, float scale) {
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < count; i += static_cast<size_t>(gridDim.x) * blockDim.x) {
    unsigned long long x = i * 0x9e3779b97f4a7c15ull + 0x1234567;
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9ull;
    x ^= x >> 29;
    x *= 0x94d049bb133111ebull;
    float u = (x >> 40) * (1.0f / (1 << 24)) + ((x & 0xffffff) * (1.0f / (1 << 24))) - 1.0f;
    to[i] = static_cast<T>(u * 2.45f * scale);
  }
}

__global__ void read_all(const uint4* from, size_t count, unsigned* to) {
  unsigned x = 0;
  size_t stride = static_cast<size_t>(gridDim.x) * blockDim.x;
#pragma unroll 8
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < count; i += stride) {
    uint4 v = __ldcs(from + i);
    x ^= v.x ^ v.y ^ v.z ^ v.w;
  }
  if (x == 0x12345678) *to = x;
}

// Median seconds of one of `count` operations that `work` queues, by graph replay between events.
static double graph_seconds(int count, int repeats, const std::function<void(cudaStream_t)>& work) {
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  work(stream);
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  std::vector<float> times;
  for (int i = 0; i < repeats + 2; i++) {
    CHECK(cudaEventRecord(begin, stream));
    CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaEventRecord(end, stream));
    CHECK(cudaStreamSynchronize(stream));
    float ms;
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    if (i >= 2) times.push_back(ms);
  }
  std::sort(times.begin(), times.end());
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaStreamDestroy(stream));
  return times[times.size() / 2] / 1e3 / count;
}

static double copyRate = 0, readRate = 0;

static void time_memory() {
  const size_t bytes = 4ull << 30;
  Device<uint4> a(bytes / 16), b(bytes / 16);
  Device<unsigned> sink(1);
  fill<<<multiprocessors * 8, 256>>>(reinterpret_cast<__half*>(a.data), bytes / 2, 1.0f);
  copyRate = 2.0 * bytes / graph_seconds(1, 9, [&](cudaStream_t s) { CHECK(cudaMemcpyAsync(b.data, a.data, bytes, cudaMemcpyDeviceToDevice, s)); });
  readRate = bytes / graph_seconds(1, 9, [&](cudaStream_t s) { read_all<<<multiprocessors * 8, 512, 0, s>>>(a.data, bytes / 16, sink.data); });
  printf("copy %.0f GB/s (read + written), read %.0f GB/s", copyRate / 1e9, readRate / 1e9);
  for (size_t piece : {64ull << 20, 256ull << 20}) {
    double seconds = graph_seconds(bytes / piece, 9, [&](cudaStream_t s) {
      for (size_t at = 0; at < bytes; at += piece) read_all<<<multiprocessors * 4, 512, 0, s>>>(a.data + at / 16, piece / 16, sink.data);
    });
    printf(", in pieces of %zu MiB %.0f GB/s", piece >> 20, piece / seconds / 1e9);
  }
  printf("\n");
}

// A pool large enough that no layer's keys and values are still in the cache when their turn comes again.
template <typename T>
static void time_decode(const Shape& shape, int rows, int low, int high, std::vector<int> splitCounts) {
  const long long layerElements = 2LL * shape.kvHeads * shape.blockTokens * shape.headDim;
  std::vector<int> contexts(rows);
  long long blocks = 0, tokens = 0;
  int longest = 0;
  for (int& context : contexts) {
    context = uniform(low, high);
    blocks += (context + shape.blockTokens - 1) / shape.blockTokens;
    tokens += context;
    longest = std::max(longest, context);
  }
  const double bytes = tokens * 2.0 * shape.kvHeads * shape.headDim * sizeof(T);
  const int layers = std::max(2, std::min(64, static_cast<int>(1.0e9 / bytes) + 1));
  const int tableStride = (longest + shape.blockTokens - 1) / shape.blockTokens;
  std::vector<int> ids(blocks), table(static_cast<size_t>(rows) * tableStride, 0x40000000);
  for (int i = 0; i < blocks; i++) ids[i] = i;
  std::shuffle(ids.begin(), ids.end(), generator);
  int next = 0;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < (contexts[r] + shape.blockTokens - 1) / shape.blockTokens; i++) table[static_cast<size_t>(r) * tableStride + i] = ids[next++];
  }
  const int stride = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  Device<T> pool(blocks * layers * layerElements), qkv(static_cast<size_t>(rows) * stride), out(static_cast<size_t>(rows) * shape.heads * shape.headDim);
  fill<<<multiprocessors * 8, 256>>>(pool.data, pool.size, 1.0f);
  fill<<<multiprocessors * 8, 256>>>(qkv.data, qkv.size, 1.5f);
  CHECK(cudaDeviceSynchronize());
  Device<int> tables(table), lengths(contexts);
  const int chosen = split_count(rows, shape, longest);
  splitCounts.push_back(chosen);
  std::sort(splitCounts.begin(), splitCounts.end());
  splitCounts.erase(std::unique(splitCounts.begin(), splitCounts.end()), splitCounts.end());
  for (int splits : splitCounts) {
    if (splits > 64) continue;
    Device<float> partial(partial_floats(rows, shape, splits));
    const int passes = std::max(1, 16 / layers);
    double seconds = graph_seconds(layers * passes, 11, [&](cudaStream_t s) {
      for (int i = 0; i < layers * passes; i++) {
        launch_decode<T>(qkv.data, stride, pool.data, layers * layerElements, (i % layers) * layerElements, tables.data, tableStride, lengths.data,
                         out.data, partial.data, rows, shape, 0.088f, splits, s);
      }
    });
    printf("decode %s heads %2d/%2d dim %3d rows %3d context %5d..%5d splits %2d%s: %8.2f us, %5.0f GB/s = %.0f %% of copy, %.0f %% of read\n",
           type_name<T>(), shape.heads, shape.kvHeads, shape.headDim, rows, low, high, splits, splits == chosen ? "*" : " ", seconds * 1e6,
           bytes / seconds / 1e9, 100 * bytes / seconds / copyRate, 100 * bytes / seconds / readRate);
  }
}

template <typename T>
static void time_prefill(const Shape& shape, const std::vector<Chunk>& chunks) {
  const long long layerElements = 2LL * shape.kvHeads * shape.blockTokens * shape.headDim;
  std::vector<int> entries;
  std::vector<int2> tiles;
  int rows = 0, longest = 0, blocks = 0;
  double operations = 0;
  for (size_t i = 0; i < chunks.size(); i++) {
    entries.insert(entries.end(), {rows, chunks[i].rows, chunks[i].start, static_cast<int>(i)});
    for (int first = 0; first < chunks[i].rows; first += 128) tiles.push_back({static_cast<int>(i), first});
    rows += chunks[i].rows;
    longest = std::max(longest, chunks[i].start + chunks[i].rows);
    blocks += (chunks[i].start + chunks[i].rows + shape.blockTokens - 1) / shape.blockTokens;
    operations += 4.0 * shape.heads * shape.headDim * (chunks[i].rows * static_cast<double>(chunks[i].start) + chunks[i].rows * (chunks[i].rows + 1.0) / 2);
  }
  std::stable_sort(tiles.begin(), tiles.end(), [&](int2 a, int2 b) { return chunks[a.x].start + a.y > chunks[b.x].start + b.y; });
  const int tableStride = (longest + shape.blockTokens - 1) / shape.blockTokens;
  std::vector<int> ids(blocks), table(chunks.size() * tableStride, 0x40000000);
  for (int i = 0; i < blocks; i++) ids[i] = i;
  std::shuffle(ids.begin(), ids.end(), generator);
  int next = 0;
  for (size_t c = 0; c < chunks.size(); c++) {
    for (int i = 0; i < (chunks[c].start + chunks[c].rows + shape.blockTokens - 1) / shape.blockTokens; i++) table[c * tableStride + i] = ids[next++];
  }
  const int stride = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  Device<T> pool(blocks * layerElements), qkv(static_cast<size_t>(rows) * stride), out(static_cast<size_t>(rows) * shape.heads * shape.headDim);
  fill<<<multiprocessors * 8, 256>>>(pool.data, pool.size, 1.0f);
  fill<<<multiprocessors * 8, 256>>>(qkv.data, qkv.size, 1.5f);
  Device<int> tables(table), entryData(entries);
  Device<int2> tileData(tiles);
  double seconds = graph_seconds(8, 11, [&](cudaStream_t s) {
    for (int i = 0; i < 8; i++) {
      launch_prefill<T>(qkv.data, stride, pool.data, layerElements, 0, tables.data, tableStride, entryData.data, tileData.data, out.data,
                        tiles.size(), shape, 0.088f, s);
    }
  });
  printf("prefill %s heads %2d/%2d dim %3d chunks %2zu of %5d+%5d: %8.2f us, %.0f TFLOP/s\n", type_name<T>(), shape.heads, shape.kvHeads,
         shape.headDim, chunks.size(), chunks[0].start, chunks[0].rows, seconds * 1e6, operations / seconds / 1e12);
}

__global__ void nothing() {}

static void timings() {
  time_memory();
  double seconds = graph_seconds(64, 11, [&](cudaStream_t s) {
    for (int i = 0; i < 64; i++) nothing<<<256, 128, 0, s>>>();
  });
  printf("an empty kernel %.2f us\n", seconds * 1e6);
  using B = __nv_bfloat16;
  const Shape mha{32, 32, 128, 16}, gqa{32, 8, 128, 16};
  time_decode<B>(mha, 1, 16, 16, {});
  time_decode<B>(mha, 8, 16, 16, {});
  time_decode<B>(mha, 1, 512, 512, {1, 2, 4, 8});
  time_decode<B>(mha, 1, 2048, 2048, {4, 8, 16});
  time_decode<B>(mha, 8, 512, 512, {1, 2, 4});
  time_decode<B>(mha, 8, 64, 2048, {1, 2, 4, 8});
  time_decode<B>(mha, 32, 512, 512, {1, 2});
  time_decode<B>(mha, 32, 1024, 1024, {1, 2});
  time_decode<B>(mha, 32, 2048, 2048, {1, 2});
  time_decode<B>(mha, 32, 64, 2048, {1, 2, 4, 8});
  time_decode<B>(mha, 128, 512, 512, {1, 2});
  time_decode<B>(gqa, 1, 512, 512, {4, 8});
  time_decode<B>(gqa, 1, 2048, 2048, {8, 16, 32});
  time_decode<B>(gqa, 8, 512, 512, {1, 2, 4, 8});
  time_decode<B>(gqa, 8, 64, 2048, {1, 2, 4, 8, 16});
  time_decode<B>(gqa, 32, 512, 512, {1, 2, 4});
  time_decode<B>(gqa, 32, 2048, 2048, {1, 2, 4});
  time_decode<B>(gqa, 32, 64, 2048, {1, 2, 4, 8});
  time_decode<B>(gqa, 128, 512, 512, {1, 2});
  time_decode<B>(gqa, 128, 64, 2048, {1, 2, 4, 8});
  time_decode<B>(gqa, 1, 32768, 32768, {16, 32});
  time_decode<B>({64, 8, 128, 16}, 32, 2048, 2048, {1});
  time_decode<B>({32, 8, 64, 16}, 32, 2048, 2048, {1});
  time_decode<__half>(mha, 32, 512, 512, {});
  time_prefill<B>(mha, {{0, 2048}});
  time_prefill<B>(gqa, {{0, 2048}});
  time_prefill<B>(mha, {{0, 512}});
  time_prefill<B>(mha, {{0, 512}, {0, 512}, {0, 512}, {0, 512}});
  time_prefill<B>(mha, {{0, 8192}});
  time_prefill<B>(mha, {{1536, 512}});
  time_prefill<B>(gqa, {{8192, 512}});
  time_prefill<B>({32, 32, 96, 16}, {{0, 2048}});
  time_prefill<B>({32, 8, 64, 16}, {{0, 2048}});
  time_prefill<__half>(mha, {{0, 2048}});
}

int main(int count, char** arguments) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string what = count > 1 ? arguments[1] : "all";
  const unsigned long long seed =
      count > 2 ? strtoull(arguments[2], nullptr, 10) : std::chrono::system_clock::now().time_since_epoch().count();
  generator.seed(seed);
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  multiprocessors = properties.multiProcessorCount;
  printf("%s, %d multiprocessors, seed %llu\n", properties.name, multiprocessors, seed);
  if (what == "check" || what == "all" || what == "small") {
    checks<__nv_bfloat16>(what == "small");
    checks<__half>(what == "small");
    printf("%d failures\n", failures);
  }
  if (failures == 0 && (what == "time" || what == "all")) timings();
  return failures ? 1 : 0;
}
