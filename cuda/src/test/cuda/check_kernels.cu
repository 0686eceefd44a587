// Checks the kernels of kernels.fatbin against float64 references on fresh random inputs, then times
// them by graph replays over weights that no cache holds.
//
//   nvcc -std=c++17 -O3 -arch=sm_90 -o check_kernels check_kernels.cu
//   check_kernels kernels.fatbin check [seed]
//   check_kernels kernels.fatbin time [libcublasLt.so]   (needs 20 GB of device memory)
//
// Outputs are poisoned before each run, so an element that was not written is found. Exit code 1 if a
// check failed.

#include <algorithm>
#include <cfloat>
#include <cstdarg>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define CHECK(call)                                                                   \
  do {                                                                                \
    cudaError_t status = (call);                                                      \
    if (status != cudaSuccess) {                                                      \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                   \
              cudaGetErrorString(status));                                            \
      exit(2);                                                                        \
    }                                                                                 \
  } while (0)

namespace {

using bf16 = __nv_bfloat16;
using f16 = __half;

uint64_t seed = 1;
int failures = 0;
cudaStream_t stream;
int sms;
int blocksOnSm;  // of a linear kernel
bool clusters;

uint64_t nextBits() {
  seed += 0x9e3779b97f4a7c15ull;
  uint64_t z = seed;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

double uniform() { return (nextBits() >> 11) * 0x1p-53; }

float normal() {
  return static_cast<float>(std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * M_PI * uniform()));
}

int below(int n) { return static_cast<int>(nextBits() % n); }

float toFloat(float x) { return x; }
float toFloat(bf16 x) { return __bfloat162float(x); }
float toFloat(f16 x) { return __half2float(x); }
template <typename T>
T fromFloat(float x);
template <>
float fromFloat(float x) {
  return x;
}
template <>
bf16 fromFloat(float x) {
  return __float2bfloat16(x);
}
template <>
f16 fromFloat(float x) {
  return __float2half(x);
}

template <typename T>
std::vector<T> randoms(size_t count, float scale = 1, float offset = 0) {
  // Drawing is slow: beyond this prime, which no row is a divisor of, they come again.
  constexpr size_t kDrawn = 1000003;
  std::vector<T> v(count);
  for (size_t i = 0; i < count; i++) {
    v[i] = i < kDrawn ? fromFloat<T>(static_cast<float>((2 * uniform() - 1) * scale + offset)) : v[i - kDrawn];
  }
  return v;
}

// Memory on the device; poisoned (all bits set: NaN as a number) unless made of values.
template <typename T>
struct Buffer {
  T* data = nullptr;
  size_t count;

  explicit Buffer(size_t count) : count(count) {
    CHECK(cudaMalloc(&data, std::max<size_t>(count, 1) * sizeof(T)));
    poison();
  }
  explicit Buffer(const std::vector<T>& values) : count(values.size()) {
    CHECK(cudaMalloc(&data, std::max<size_t>(count, 1) * sizeof(T)));
    set(values);
  }
  Buffer(const Buffer&) = delete;
  ~Buffer() { CHECK(cudaFree(data)); }
  // The stream of the kernels does not wait for these by itself.
  void poison() {
    CHECK(cudaMemset(data, 0xff, count * sizeof(T)));
    CHECK(cudaDeviceSynchronize());
  }
  void set(const std::vector<T>& values) {
    CHECK(cudaMemcpy(data, values.data(), count * sizeof(T), cudaMemcpyHostToDevice));
    CHECK(cudaDeviceSynchronize());
  }
  std::vector<T> get() const {
    std::vector<T> values(count);
    CHECK(cudaStreamSynchronize(stream));
    CHECK(cudaMemcpy(values.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }
};

cudaLibrary_t library;

cudaKernel_t kernel(const std::string& name) {
  static std::map<std::string, cudaKernel_t> known;
  auto it = known.find(name);
  if (it == known.end()) {
    cudaKernel_t k;
    CHECK(cudaLibraryGetKernel(&k, library, name.c_str()));
    CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(k),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               name.rfind("linear_wide", 0) == 0 ? 199680 : 98304));
    it = known.emplace(name, k).first;
  }
  return it->second;
}

// Launches; `early` lets it begin before its predecessor has ended; blocks may form clusters in x.
template <typename... Args>
void launchClusters(int cluster, const std::string& name, dim3 grid, int block, int shared, bool early, Args... args) {
  void* pointers[] = {&args...};
  cudaLaunchAttribute attributes[2];
  int count = 0;
  if (early) {
    attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[count++].val.programmaticStreamSerializationAllowed = 1;
  }
  if (cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count++].val.clusterDim = {static_cast<unsigned>(cluster), 1, 1};
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3(block);
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  config.attrs = attributes;
  config.numAttrs = count;
  CHECK(cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(kernel(name)), pointers));
}

template <typename... Args>
void launch(const std::string& name, dim3 grid, int block, int shared, bool early, Args... args) {
  launchClusters(1, name, grid, block, shared, early, args...);
}

// Median microseconds of one replay of what `enqueue` puts into the stream.
double replay(const std::function<void()>& enqueue, int repeats = 7) {
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  enqueue();
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  CHECK(cudaGraphLaunch(executable, stream));
  std::vector<float> times(repeats);
  for (float& time : times) {
    CHECK(cudaEventRecord(begin, stream));
    CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaEventRecord(end, stream));
    CHECK(cudaEventSynchronize(end));
    CHECK(cudaEventElapsedTime(&time, begin, end));
  }
  std::sort(times.begin(), times.end());
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaEventDestroy(begin));
  CHECK(cudaEventDestroy(end));
  return times[repeats / 2] * 1000.0;
}

template <typename T>
const char* suffix();
template <>
const char* suffix<bf16>() {
  return "bf16";
}
template <>
const char* suffix<f16>() {
  return "f16";
}

void report(const std::string& what, bool ok, const std::string& detail) {
  failures += !ok;
  printf("%-4s %-58s %s\n", ok ? "ok" : "FAIL", what.c_str(), detail.c_str());
}

std::string format(const char* pattern, ...) {
  char text[512];
  va_list args;
  va_start(args, pattern);
  vsnprintf(text, sizeof text, pattern, args);
  va_end(args);
  return text;
}

// ‖actual − expected‖ / ‖expected‖; infinite for anything that is not finite.
template <typename T>
double error(const std::vector<T>& actual, const std::vector<double>& expected) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    const double a = toFloat(actual[i]);
    if (!std::isfinite(a)) {
      return INFINITY;
    }
    difference += (a - expected[i]) * (a - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / std::max(norm, DBL_MIN));
}

template <typename T>
double limit() {
  return std::is_same<T, bf16>::value ? 4e-3 : std::is_same<T, f16>::value ? 6e-4 : 1e-5;
}

template <typename T>
void compare(const std::string& what, const std::vector<T>& actual,
             const std::vector<double>& expected) {
  const double e = error(actual, expected);
  report(what, e < limit<T>(), format("relative error %.2e", e));
}

template <typename T>
void checkEmbed(int rows, int hidden) {
  const int vocabulary = 100;
  auto table = randoms<T>(static_cast<size_t>(vocabulary) * hidden);
  std::vector<int> tokens(rows);
  for (int& t : tokens) {
    t = below(vocabulary + 1) - 1;
  }
  Buffer<T> dTable(table);
  Buffer<int> dTokens(tokens);
  Buffer<float> out(static_cast<size_t>(rows) * hidden);
  launch(format("embed_%s", suffix<T>()), rows, 256, 0, false, dTokens.data, dTable.data, out.data,
         rows, hidden);
  auto actual = out.get();
  bool same = true;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < hidden; i++) {
      const float want = tokens[r] < 0 ? 0 : toFloat(table[tokens[r] * hidden + i]);
      same &= actual[r * hidden + i] == want;
    }
  }
  report(format("embed_%s %dx%d", suffix<T>(), rows, hidden), same, "exact");
}

template <typename T>
void checkNorm(int rows, int hidden, bool indexed) {
  const int all = rows + 3;
  auto residual = randoms<float>(static_cast<size_t>(all) * hidden, 3);
  auto weight = randoms<float>(hidden, 0.5f, 1);
  std::vector<int> index(rows);
  for (int i = 0; i < rows; i++) {
    index[i] = indexed ? (i % 5 == 4 ? -1 : all - 1 - i) : i;
  }
  Buffer<float> dResidual(residual);
  Buffer<float> dWeight(weight);
  Buffer<int> dIndex(index);
  Buffer<T> out(static_cast<size_t>(rows) * hidden);
  const float eps = 1e-5f;
  launch(format("rms_norm_%s", suffix<T>()), rows, 512, 0, false, dResidual.data, dWeight.data, out.data,
         indexed ? dIndex.data : static_cast<int*>(nullptr), rows, hidden, eps);
  std::vector<double> want(static_cast<size_t>(rows) * hidden);
  for (int r = 0; r < rows; r++) {
    if (index[r] < 0) {
      continue;
    }
    const float* s = &residual[static_cast<size_t>(index[r]) * hidden];
    double squares = 0;
    for (int i = 0; i < hidden; i++) {
      squares += static_cast<double>(s[i]) * s[i];
    }
    for (int i = 0; i < hidden; i++) {
      want[static_cast<size_t>(r) * hidden + i] = s[i] / std::sqrt(squares / hidden + eps) * weight[i];
    }
  }
  const std::string what = format("rms_norm_%s %dx%d%s", suffix<T>(), rows, hidden, indexed ? " indexed" : "");
  compare(what, out.get(), want);
}

template <typename T>
void checkRope(int rows, int heads, int kvHeads, int headDim, int blockTokens, bool bias, bool norms) {
  const int width = (heads + 2 * kvHeads) * headDim;
  const int positions = 300;
  const int blocks = rows + 2;
  const int layers = 2;
  const int64_t layer = 2ll * kvHeads * blockTokens * headDim;
  const int64_t kvBlock = layers * layer;
  auto qkv = randoms<T>(static_cast<size_t>(rows) * width);
  auto b = randoms<float>(width);
  auto qNorm = randoms<float>(headDim, 0.5f, 1);
  auto kNorm = randoms<float>(headDim, 0.5f, 1);
  std::vector<float> table(static_cast<size_t>(positions) * headDim);
  for (int p = 0; p < positions; p++) {
    for (int i = 0; i < headDim / 2; i++) {
      const double angle = p * std::pow(10000.0, -2.0 * i / headDim);
      table[p * headDim + i] = std::cos(angle);
      table[p * headDim + headDim / 2 + i] = std::sin(angle);
    }
  }
  std::vector<int> at(rows);
  std::vector<int> slots(rows);
  for (int r = 0; r < rows; r++) {
    at[r] = below(positions);
    slots[r] = r % 4 == 3 ? -1 : (blocks - 1 - r) * blockTokens + below(blockTokens);
  }
  std::vector<T> pool(static_cast<size_t>(blocks) * kvBlock, fromFloat<T>(7));
  Buffer<T> dQkv(qkv);
  Buffer<T> dPool(pool);
  Buffer<float> dBias(b), dQ(qNorm), dK(kNorm), dTable(table);
  Buffer<int> dAt(at), dSlots(slots);
  const float eps = 1e-6f;
  launch(format("rope_write_kv_%s", suffix<T>()), dim3(rows, (heads + 2 * kvHeads + 7) / 8), 256, 0,
         false, dQkv.data, bias ? dBias.data : static_cast<float*>(nullptr),
         norms ? dQ.data : static_cast<float*>(nullptr),
         norms ? dK.data : static_cast<float*>(nullptr), dTable.data, dAt.data, dSlots.data,
         dPool.data, static_cast<long long>(kvBlock), static_cast<long long>(layer), rows, heads,
         kvHeads, headDim, blockTokens, eps);
  std::vector<double> wantQkv(qkv.size());
  std::vector<double> wantPool(pool.size(), 7);
  for (size_t i = 0; i < qkv.size(); i++) {
    wantQkv[i] = toFloat(qkv[i]);
  }
  for (int r = 0; r < rows; r++) {
    for (int h = 0; h < heads + 2 * kvHeads; h++) {
      std::vector<double> v(headDim);
      double squares = 0;
      for (int i = 0; i < headDim; i++) {
        v[i] = wantQkv[static_cast<size_t>(r) * width + h * headDim + i] + (bias ? b[h * headDim + i] : 0);
        squares += v[i] * v[i];
      }
      const bool value = h >= heads + kvHeads;
      if (!value) {
        for (int i = 0; i < headDim && norms; i++) {
          v[i] *= (h < heads ? qNorm : kNorm)[i] / std::sqrt(squares / headDim + eps);
        }
        for (int i = 0; i < headDim / 2; i++) {
          const double c = table[at[r] * headDim + i];
          const double s = table[at[r] * headDim + headDim / 2 + i];
          const double low = v[i];
          const double high = v[i + headDim / 2];
          v[i] = low * c - high * s;
          v[i + headDim / 2] = high * c + low * s;
        }
      }
      for (int i = 0; i < headDim; i++) {
        if (h < heads || slots[r] < 0) {
          wantQkv[static_cast<size_t>(r) * width + h * headDim + i] = v[i];
        } else {
          const int plane = h - heads;
          wantPool[slots[r] / blockTokens * kvBlock + layer
                   + (static_cast<int64_t>(plane) * blockTokens + slots[r] % blockTokens) * headDim + i]
              = v[i];
        }
      }
    }
  }
  const std::string what = format("rope_write_kv_%s %d rows %d/%d heads of %d%s%s", suffix<T>(), rows,
                                  heads, kvHeads, headDim, bias ? " bias" : "", norms ? " norms" : "");
  compare(what, dQkv.get(), wantQkv);
  compare(what + ", pool", dPool.get(), wantPool);
}

template <typename T>
void checkSwiglu(int rows, int inner) {
  auto gateUp = randoms<T>(static_cast<size_t>(rows) * 2 * inner, 4);
  Buffer<T> from(gateUp);
  Buffer<T> out(static_cast<size_t>(rows) * inner);
  launch(format("swiglu_%s", suffix<T>()), (rows * inner + 2047) / 2048, 256, 0, false, from.data,
         out.data, rows, inner);
  std::vector<double> want(static_cast<size_t>(rows) * inner);
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < inner; i++) {
      const double g = toFloat(gateUp[static_cast<size_t>(r) * 2 * inner + i]);
      want[static_cast<size_t>(r) * inner + i]
          = g / (1 + std::exp(-g)) * toFloat(gateUp[static_cast<size_t>(r) * 2 * inner + inner + i]);
    }
  }
  compare(format("swiglu_%s %dx%d", suffix<T>(), rows, inner), out.get(), want);
}

template <typename T>
void checkCopy(int64_t kvBlock) {
  auto pool = randoms<T>(8 * kvBlock);
  std::vector<int2> pairs = {{1, 5}, {3, 0}, {-1, 2}, {1, 7}};
  Buffer<T> dPool(pool);
  Buffer<int2> dPairs(pairs);
  const int count = pairs.size();
  launch(format("copy_blocks_%s", suffix<T>()), dim3(16, count), 256, 0, false, dPool.data,
         dPairs.data, count, static_cast<long long>(kvBlock));
  auto want = pool;
  for (int2 p : pairs) {
    if (p.x >= 0) {
      std::copy_n(pool.begin() + p.x * kvBlock, kvBlock, want.begin() + p.y * kvBlock);
    }
  }
  auto actual = dPool.get();
  report(format("copy_blocks_%s of %lld", suffix<T>(), static_cast<long long>(kvBlock)),
         memcmp(actual.data(), want.data(), want.size() * sizeof(T)) == 0, "exact");
}

void checkBegin(int rows) {
  std::vector<int> fromHost(rows), source(rows), last(rows), want(rows);
  for (int i = 0; i < rows; i++) {
    fromHost[i] = below(1000);
    source[i] = below(rows + 1) - 1;
    last[i] = 1000 + below(1000);
  }
  for (int i = 0; i < rows; i++) {
    want[i] = source[i] < 0 ? fromHost[i] : last[source[i]];
  }
  Buffer<int> h(fromHost), s(source), l(last), tokens(rows);
  std::vector<int> numbers(4 * 1111);
  std::iota(numbers.begin(), numbers.end(), 0);
  Buffer<int> from(numbers), input(numbers.size());
  launch("begin_step", 3, 256, 0, false, from.data, input.data, 1111, tokens.data, h.data, s.data, l.data, rows);
  report(format("begin_step %d", rows), tokens.get() == want && input.get() == numbers, "exact");
}

struct SampleParams {
  float temperature;
  int topK;
  float topP;
  float minP;
  uint64_t key;
  uint64_t position;
};

float exponential(float x) {
  const float clamped = std::max(x, -87.0f);
  const int n = static_cast<int>(clamped * 1.442695f - 0.5f);
  const float r = clamped - n * 0.6933594f - n * -2.1219444e-4f;
  float y = 1.9875691e-4f;
  y = y * r + 1.3981999e-3f;
  y = y * r + 8.333452e-3f;
  y = y * r + 4.1665796e-2f;
  y = y * r + 1.6666666e-1f;
  y = y * r + 0.5f;
  y = y * r * r + r + 1;
  const int bits = (n + 127) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return y * power;
}

// What the host's Sampler picks, by sorting.
int samplePlainly(const float* logits, int vocabulary, const SampleParams& p) {
  int best = 0;
  for (int i = 0; i < vocabulary; i++) {
    if (std::isnan(logits[i])) {
      return -1;
    }
    best = logits[i] > logits[best] ? i : best;
  }
  const float max = logits[best];
  if (!std::isfinite(max)) {
    return -1;
  }
  if (p.temperature < 1e-5f) {
    return best;
  }
  const float scale = static_cast<float>(1 / static_cast<double>(p.temperature));
  std::vector<float> weights(vocabulary);
  for (int i = 0; i < vocabulary; i++) {
    weights[i] = exponential((logits[i] - max) * scale);
  }
  const double log = p.minP > 0 ? std::log(static_cast<double>(p.minP)) : -87;
  const double least = max + std::max(log, -87.0) * p.temperature;
  std::vector<int> order;
  for (int i = 0; i < vocabulary; i++) {
    if (logits[i] >= least || logits[i] == max) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  if (p.topK > 0 && p.topK < static_cast<int>(order.size())) {
    order.resize(p.topK);
  }
  if (p.topP < 1) {
    double total = 0;
    for (int i : order) {
      total += weights[i];
    }
    double mass = 0;
    for (size_t i = 0; i < order.size(); i++) {
      mass += weights[order[i]];
      if (mass >= p.topP * total) {
        order.resize(i + 1);
      }
    }
  }
  std::sort(order.begin(), order.end());
  uint64_t z = p.key + (p.position + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  z ^= z >> 31;
  double total = 0;
  for (int i : order) {
    total += weights[i];
  }
  double left = (z >> 11) * 0x1p-53 * total;
  for (int i : order) {
    left -= weights[i];
    if (left < 0) {
      return i;
    }
  }
  return order.back();
}

void checkSample(int rows, int vocabulary, int stride, float spread, float grid) {
  std::vector<float> logits(static_cast<size_t>(rows) * stride, NAN);
  std::vector<SampleParams> params(rows);
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < vocabulary; i++) {
      float x = normal() * spread;
      x = grid > 0 ? std::round(x / grid) * grid : x;
      logits[static_cast<size_t>(r) * stride + i] = uniform() < 0.01 ? -INFINITY : x;
    }
    const float temperatures[] = {0, 1, 0.7f, 2, 0.3f, 20};
    const int topKs[] = {0, 0, 1, 5, 50, 4000, 10'000'000};
    const float topPs[] = {1, 1, 0.9f, 0.5f, 0.99f, 1e-6f};
    const float minPs[] = {0, 0, 0.05f, 1, 1e-30f};
    params[r] = {temperatures[below(6)], topKs[below(7)], topPs[below(6)], minPs[below(5)],
                 nextBits(), static_cast<uint64_t>(below(2000))};
  }
  if (rows > 4) {
    float* row = logits.data();
    row[vocabulary / 2] = NAN;
    std::fill_n(row + stride, vocabulary, -INFINITY);
    row[2 * stride + vocabulary - 1] = INFINITY;
    std::fill_n(row + 3 * stride, vocabulary, 1.5f);
    params[3].temperature = 1;
    std::fill_n(row + 4 * stride, vocabulary, -0.0f);
    row[4 * stride + vocabulary / 3] = 0.0f;
    params[4].temperature = 0;
  }
  Buffer<float> dLogits(logits);
  Buffer<SampleParams> dParams(params);
  Buffer<int> out(rows);
  launch("sample", dim3(1, rows), 1024, 0, false, dLogits.data, stride, vocabulary, dParams.data, out.data,
         static_cast<int**>(nullptr), rows);
  auto actual = out.get();
  int wrong = 0;
  for (int r = 0; r < rows; r++) {
    const int want = samplePlainly(&logits[static_cast<size_t>(r) * stride], vocabulary, params[r]);
    if (actual[r] != want && wrong++ < 3) {
      printf("     row %d: %d instead of %d; temperature %g top_k %d top_p %g min_p %g\n", r, actual[r],
             want, params[r].temperature, params[r].topK, params[r].topP, params[r].minP);
    }
  }
  report(format("sample %d rows of %d, spread %g%s", rows, vocabulary, spread, grid > 0 ? ", ties" : ""),
         wrong == 0, format("%d wrong", wrong));
}

enum Mode { kStore, kStoreFloat, kGated, kAdd };

// How a product is cut: which kernel, and how many blocks share a tile. Wide: of linear_wide.cu.
struct Tiling {
  int batch;
  int rows;
  int splits;
  bool wide = false;

  int tiles(int wide) const { return (wide + rows - 1) / rows; }
  int blocks(int outputs) const { return splits > 1 || !wide ? tiles(outputs) : std::min(tiles(outputs), sms); }
  size_t partial(int wide) const { return static_cast<size_t>(splits) * tiles(wide) * rows * batch; }
  std::string name() const { return format("%sb%d_r%d by %d", wide ? "wide_" : "", batch, rows, splits); }
};

// The tilings of linear.cu for m rows: the kernels of the least batch that holds them, each with one to four blocks a tile.
std::vector<Tiling> fewTilings(int m) {
  constexpr int kernels[][2] = {{8, 16},  {8, 48},  {16, 16}, {16, 48}, {16, 64}, {32, 32}, {32, 48},
                                {32, 64}, {32, 96}, {64, 64}};
  std::vector<Tiling> all;
  for (const auto& kernel : kernels) {
    if (kernel[0] >= m && (all.empty() || all[0].batch == kernel[0])) {
      for (int splits : {1, 2, 4}) {
        all.push_back({kernel[0], kernel[1], splits});
      }
    }
  }
  return all;
}

// Those that the GPU's products of m rows are cut by.
std::vector<Tiling> tilings(int m) {
  if (!clusters || m <= 32) {
    return fewTilings(m);
  }
  std::vector<Tiling> all;
  for (int rows : {64, 96, 112, 128, 144, 176}) {
    for (int splits : {1, 2, 3, 4}) {
      all.push_back({(m + 63) / 64 * 64, rows, splits, true});
    }
  }
  return all;
}

// Whether the blocks that share tiles run at once.
bool runs(const Tiling& tiling, int wide) {
  const int blocks = tiling.tiles(wide) * tiling.splits;
  return tiling.splits == 1 || blocks <= (tiling.splits == 2 ? sms : static_cast<int>(0.88 * sms));
}

// The one that WideTiling picks.
Tiling advisedWide(int m, int wide, int k) {
  Tiling best = {};
  double least = 1e300;
  for (const Tiling& tiling : tilings(m)) {
    const double shares = static_cast<double>(tiling.tiles(wide)) * tiling.splits / sms;
    const double cost = 2.0 * wide * k * (1 + 0.7 * (std::ceil(shares) / shares - 1))
                            * std::max(1.0, 0.4 * (1 + static_cast<double>(tiling.batch) / tiling.rows))
                        + 4.0 * tiling.rows * tiling.batch * (tiling.splits > 1 ? 200 : 80);
    if (runs(tiling, wide) && cost < least) {
      least = cost;
      best = tiling;
    }
  }
  return best;
}

// The one that LinearTiling picks, or WideTiling.
Tiling advised(int m, int wide, int k) {
  if (clusters && m > 32) {
    return advisedWide(m, wide, k);
  }
  const int slots = sms * blocksOnSm;
  Tiling best = {};
  double least = 1e30;
  for (const Tiling& tiling : tilings(m)) {
    const int blocks = tiling.tiles(wide) * tiling.splits;
    if (tiling.splits > 2 || (tiling.splits == 2 && blocks > slots)) {
      continue;
    }
    const double waves = static_cast<double>((blocks + slots - 1) / slots) * slots / blocks;
    const double cost = waves * (1 + 0.25 * tiling.batch / tiling.rows) * (1 + 0.15 * (tiling.splits - 1));
    if (cost < least) {
      least = cost;
      best = tiling;
    }
  }
  return best;
}

// Boxes of 64 columns of a matrix [parts][rows][columns], 128-byte swizzle.
CUtensorMap tensorMap(const void* matrix, int columns, int rows, int parts, int boxRows, int boxParts) {
  static const auto encode = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found;
    CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found));
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
  }();
  CUtensorMap map;
  const cuuint64_t row = 2ull * columns;
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows), static_cast<cuuint64_t>(parts)};
  const cuuint64_t strides[] = {row, row * rows};
  const cuuint32_t box[] = {64, static_cast<cuuint32_t>(boxRows), static_cast<cuuint32_t>(boxParts)};
  const cuuint32_t ones[] = {1, 1, 1};
  const CUresult result =
      encode(&map, CU_TENSOR_MAP_DATA_TYPE_UINT16, 3, const_cast<void*>(matrix), sizes, strides, box, ones,
             CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
             CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    fprintf(stderr, "cuTensorMapEncodeTiled: %d\n", result);
    exit(2);
  }
  return map;
}

CUtensorMap weightMap(const void* w, int k, int n, int rows, int mode) {
  return mode == kGated ? tensorMap(w, k, n, 2, rows / 2, 2) : tensorMap(w, k, n, 1, rows, 1);
}

template <typename T>
void linear(const Tiling& tiling, bool early, const T* x, const T* w, const float* bias, void* y, int m, int n, int k,
            int mode, float* partial, int* arrivals) {
  const dim3 grid(tiling.splits, tiling.blocks(mode == kGated ? 2 * n : n));
  if (tiling.wide) {
    launchClusters(tiling.splits, format("linear_wide_r%d_n%d_%s", tiling.batch, tiling.rows, suffix<T>()), grid, 2 * tiling.batch + 32,
                   199680, early, weightMap(w, k, n, tiling.rows, mode), tensorMap(x, k, tiling.batch, 1, tiling.batch, 1), bias, y, m,
                   n, k, mode);
    return;
  }
  launchClusters(clusters ? tiling.splits : 1, format("linear_b%d_r%d_%s", tiling.batch, tiling.rows, suffix<T>()), grid,
                 256, 98304, early, x, w, bias, y, m, n, k, mode, partial, arrivals);
}

template <typename T, typename Y>
void checkLinear(const Tiling& tiling, int m, int n, int k, int mode, bool hasBias) {
  const int wide = mode == kGated ? 2 * n : n;
  // Rows up to a multiple of 64 can be read.
  auto x = randoms<T>(static_cast<size_t>(m + 63) / 64 * 64 * k);
  auto w = randoms<T>(static_cast<size_t>(wide) * k, 0.1f);
  auto bias = randoms<float>(wide);
  auto before = randoms<float>(static_cast<size_t>(m) * n);
  Buffer<T> dX(x), dW(w);
  Buffer<float> dBias(bias), partial(tiling.partial(wide));
  Buffer<int> arrivals(std::vector<int>(tiling.tiles(wide), 0));
  Buffer<Y> y(static_cast<size_t>(m) * n);
  std::vector<Y> results[2];
  for (auto& result : results) {
    y.poison();
    if (mode == kAdd) {
      CHECK(cudaMemcpy(y.data, before.data(), before.size() * 4, cudaMemcpyHostToDevice));
    }
    linear<T>(tiling, false, dX.data, dW.data, hasBias ? dBias.data : nullptr, y.data, m, n, k, mode,
              partial.data, arrivals.data);
    result = y.get();
  }
  // Some columns in float64; that all were written is seen from the poison.
  std::vector<double> want;
  std::vector<Y> actual;
  bool written = true;
  for (const Y& value : results[0]) {
    written &= std::isfinite(toFloat(value));
  }
  const auto product = [&](int row, int column) {
    double sum = hasBias ? bias[row] : 0;
    for (int i = 0; i < k; i++) {
      sum += static_cast<double>(toFloat(x[static_cast<size_t>(column) * k + i]))
          * toFloat(w[static_cast<size_t>(row) * k + i]);
    }
    return sum;
  };
  for (int i = 0; i < std::min(n, 192); i++) {
    const int row = n <= 192 || i < 48 ? i : i < 96 ? n - 1 - (i - 48) : below(n);
    for (int column = 0; column < m; column++) {
      double value = product(row, column);
      if (mode == kGated) {
        value = value / (1 + std::exp(-value)) * product(n + row, column);
      }
      const size_t at = static_cast<size_t>(column) * n + row;
      want.push_back(value + (mode == kAdd ? before[at] : 0));
      actual.push_back(results[0][at]);
    }
  }
  const bool same = memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(Y)) == 0;
  const double e = error(actual, want);
  const char* modes[] = {"", " float", " gated", " add"};
  report(format("linear_%s %s, %dx%dx%d%s%s", suffix<T>(), tiling.name().c_str(), m, n, k, modes[mode],
                hasBias ? " bias" : ""),
         e < limit<Y>() && written && same,
         format("relative error %.2e%s%s", e, written ? "" : ", not all written",
                same ? "" : ", not the same twice"));
}

template <typename T>
void checkLinears() {
  for (int m : {1, 2, 4, 7, 8, 13, 16, 31, 32, 40, 50, 64, 80, 97, 128, 160, 192}) {
    if (tilings(m).empty()) {
      continue;
    }
    checkLinear<T, T>(advised(m, 4096, 4096), m, 4096, 4096, kStore, m % 2 == 0);
    checkLinear<T, float>(advised(m, 32000, 1024), m, 32000, 1024, kStoreFloat, false);
    checkLinear<T, T>(advised(m, 22016, 4096), m, 11008, 4096, kGated, m % 2 == 1);
    checkLinear<T, float>(advised(m, 4096, 11008), m, 4096, 11008, kAdd, false);
    checkLinear<T, float>(advised(m, 6144, 4096), m, 6144, 4096, kAdd, true);
    auto all = tilings(m);
    if (all[0].wide) {
      const auto few = fewTilings(m);
      all.insert(all.end(), few.begin(), few.end());
    }
    for (const Tiling& tiling : all) {
      checkLinear<T, T>(tiling, m, 1000, 200, kStore, true);
      checkLinear<T, T>(tiling, m, 77, 72, kGated, true);
      checkLinear<T, T>(tiling, m, 80, 200, kGated, true);
      checkLinear<T, float>(tiling, m, 302, 200, kAdd, true);
      checkLinear<T, float>(tiling, m, 300, 1032, kAdd, false);
      checkLinear<T, float>(tiling, m, 5, 8, kStoreFloat, false);
    }
  }
}

// A chain of layers gives the same bits whether its kernels overlap or not.
template <typename T>
void checkEarly(int m) {
  const int hidden = 4096;
  const int inner = 11008;
  const Tiling first = advised(m, 2 * inner, hidden), second = advised(m, hidden, inner);
  Buffer<T> table(randoms<T>(100 * hidden)), up(randoms<T>(2 * inner * hidden, 0.03f)),
      down(randoms<T>(static_cast<size_t>(hidden) * inner, 0.03f));
  const int rowsRead = (m + 63) / 64 * 64;
  Buffer<T> normed(rowsRead * hidden), activated(rowsRead * inner);
  Buffer<float> weight(randoms<float>(hidden, 0.5f, 1)), residual(m * hidden),
      partial(std::max(first.partial(2 * inner), second.partial(hidden)));
  Buffer<int> arrivals(std::vector<int>(4096, 0)), fromHost(std::vector<int>(m, 7)),
      source(std::vector<int>(m, -1)), tokens(m), sampled(std::vector<int>(m, 0));
  std::vector<float> results[2];
  for (int early = 0; early < 2; early++) {
    residual.poison();
    normed.poison();
    activated.poison();
    tokens.poison();
    replay([&] {
      launch("begin_step", 1, 256, 0, false, static_cast<int*>(nullptr), static_cast<int*>(nullptr), 0, tokens.data, fromHost.data,
             source.data, sampled.data, m);
      launch(format("embed_%s", suffix<T>()), m, 256, 0, false, tokens.data, table.data, residual.data, m,
             hidden);
      for (int layer = 0; layer < 20; layer++) {
        launch(format("rms_norm_%s", suffix<T>()), m, 512, 0, early, residual.data, weight.data, normed.data,
               static_cast<int*>(nullptr), m, hidden, 1e-5f);
        linear<T>(first, early, normed.data, up.data, nullptr, activated.data, m,
                  inner, hidden, kGated, partial.data, arrivals.data);
        linear<T>(second, early, activated.data, down.data, nullptr, residual.data, m,
                  hidden, inner, kAdd, partial.data, arrivals.data);
      }
    });
    results[early] = residual.get();
  }
  bool finite = true;
  for (float x : results[0]) {
    finite &= std::isfinite(x);
  }
  report(format("overlapping launches, %s, %d rows", suffix<T>(), m),
         finite && memcmp(results[0].data(), results[1].data(), results[0].size() * 4) == 0, "same bits");
}

template <typename T>
void checkAll() {
  for (int hidden : {4096, 64, 100, 16384, 20000}) {
    checkEmbed<T>(9, hidden);
    checkNorm<T>(7, hidden, false);
    checkNorm<T>(7, hidden, true);
  }
  checkRope<T>(9, 32, 8, 128, 16, false, false);
  checkRope<T>(5, 32, 32, 128, 16, true, true);
  checkRope<T>(7, 14, 2, 64, 8, true, false);
  checkRope<T>(6, 4, 2, 16, 32, false, true);
  checkRope<T>(6, 8, 8, 80, 16, true, true);
  checkRope<T>(6, 3, 1, 256, 16, false, true);
  checkRope<T>(6, 5, 5, 12, 16, false, true);
  checkSwiglu<T>(33, 11008);
  checkSwiglu<T>(3, 100);
  checkCopy<T>(65536);
  checkCopy<T>(60);
  checkLinears<T>();
  for (int m : {1, 8, 16, 32, 40, 64, 96, 128, 192}) {
    if (!tilings(m).empty()) {
      checkEarly<T>(m);
    }
  }
}

void checkSamples() {
  checkBegin(300);
  checkSample(48, 128256, 128256, 3, 0);
  checkSample(64, 32000, 32000, 2, 0);
  checkSample(64, 32000, 32000, 2, 0.25f);
  checkSample(200, 1000, 1003, 4, 0);
  checkSample(200, 17, 20, 1, 0.5f);
  checkSample(100, 5000, 5000, 0.01f, 0);
  checkSample(20, 262144, 262144, 1, 0.125f);
}

// Timing

__global__ void fill(uint32_t* to, size_t words, uint32_t salt, bool half) {
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < words;
       i += static_cast<size_t>(gridDim.x) * blockDim.x) {
    uint32_t z = static_cast<uint32_t>(i) * 0x9e3779b9u + salt + static_cast<uint32_t>(i >> 32);
    z = (z ^ (z >> 16)) * 0x85ebca6bu;
    z = (z ^ (z >> 13)) * 0xc2b2ae35u;
    z ^= z >> 16;
    const float a = (z & 0xffff) / 65536.0f - 0.5f;
    const float b = (z >> 16) / 65536.0f - 0.5f;
    __nv_bfloat162 pair = __floats2bfloat162_rn(a * 0.05f, b * 0.05f);
    memcpy(to + i, &pair, 4);
  }
}

// The part of cuBLASLt that is needed, from a library opened by name.
struct BlasLt {
  struct Algorithm {
    uint64_t data[8];
  };
  struct Heuristic {
    Algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
  };
  int (*create)(void**);
  int (*descCreate)(void**, int, int);
  int (*descSet)(void*, int, const void*, size_t);
  int (*layoutCreate)(void**, int, uint64_t, uint64_t, int64_t);
  int (*preferenceCreate)(void**);
  int (*preferenceSet)(void*, int, const void*, size_t);
  int (*heuristic)(void*, void*, void*, void*, void*, void*, void*, int, Heuristic*, int*);
  int (*matmul)(void*, void*, const void*, const void*, void*, const void*, void*, const void*,
                const void*, void*, void*, void*, const Algorithm*, void*, size_t, cudaStream_t);
  void* handle;
  void* desc;
  void* workspace;
  static constexpr size_t kWorkspace = 64 << 20;

  explicit BlasLt(const char* path) {
    void* lib = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (lib == nullptr) {
      fprintf(stderr, "%s\n", dlerror());
      exit(2);
    }
    const auto bind = [&](auto& f, const char* name) {
      f = reinterpret_cast<std::remove_reference_t<decltype(f)>>(dlsym(lib, name));
    };
    bind(create, "cublasLtCreate");
    bind(descCreate, "cublasLtMatmulDescCreate");
    bind(descSet, "cublasLtMatmulDescSetAttribute");
    bind(layoutCreate, "cublasLtMatrixLayoutCreate");
    bind(preferenceCreate, "cublasLtMatmulPreferenceCreate");
    bind(preferenceSet, "cublasLtMatmulPreferenceSetAttribute");
    bind(heuristic, "cublasLtMatmulAlgoGetHeuristic");
    bind(matmul, "cublasLtMatmul");
    ok(create(&handle));
    ok(descCreate(&desc, 68, 0));  // float32 sums, float32 scale
    const int transpose = 1;
    ok(descSet(desc, 3, &transpose, 4));
    CHECK(cudaMalloc(&workspace, kWorkspace));
  }
  static void ok(int status) {
    if (status != 0) {
      fprintf(stderr, "cuBLASLt status %d\n", status);
      exit(2);
    }
  }

  struct Plan {
    void *a, *b, *c;
    std::vector<Heuristic> algorithms;
  };
  Plan plan(int m, int n, int k, bool toFloat) const {
    Plan p;
    ok(layoutCreate(&p.a, 14, k, n, k));
    ok(layoutCreate(&p.b, 14, k, m, k));
    ok(layoutCreate(&p.c, toFloat ? 0 : 14, n, m, n));
    void* preference;
    ok(preferenceCreate(&preference));
    ok(preferenceSet(preference, 1, &kWorkspace, sizeof kWorkspace));
    p.algorithms.resize(8);
    int found = 0;
    ok(heuristic(handle, desc, p.a, p.b, p.c, p.c, preference, 8, p.algorithms.data(), &found));
    p.algorithms.resize(found);
    return p;
  }
  void run(const Plan& p, int algorithm, const bf16* x, const bf16* w, void* y) const {
    const float one = 1;
    const float zero = 0;
    ok(matmul(handle, desc, &one, w, p.a, x, p.b, &zero, y, p.c, y, p.c,
              &p.algorithms[algorithm].algorithm, workspace, kWorkspace, stream));
  }
};

struct Layer {
  const char* name;
  int n;
  int k;
  int mode;
};

struct Model {
  const char* name;
  Layer layers[4];
  Layer head;
};

const Model kModels[] = {
    {"Llama-2-7B",
     {{"qkv", 12288, 4096, kStore},
      {"o", 4096, 4096, kAdd},
      {"gate+up", 11008, 4096, kGated},
      {"down", 4096, 11008, kAdd}},
     {"head", 32000, 4096, kStoreFloat}},
    {"Llama-3.1-8B",
     {{"qkv", 6144, 4096, kStore},
      {"o", 4096, 4096, kAdd},
      {"gate+up", 14336, 4096, kGated},
      {"down", 4096, 14336, kAdd}},
     {"head", 128256, 4096, kStoreFloat}},
};

int64_t elements(const Layer& l) { return static_cast<int64_t>(l.mode == kGated ? 2 * l.n : l.n) * l.k; }

void timeAll(const char* blasPath) {
  const size_t poolBytes = 17ull << 30;
  Buffer<uint32_t> pool(poolBytes / 4);
  fill<<<sms * 16, 256, 0, stream>>>(pool.data, pool.count, 1, false);
  CHECK(cudaGetLastError());
  const bf16* weights = reinterpret_cast<const bf16*>(pool.data);

  // The driver copies faster in a stream than as a node of a graph.
  const size_t copied = 4ull << 30;
  char* bytes = reinterpret_cast<char*>(pool.data);
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  float copyMillis = 0;
  for (int i = 0; i < 4; i++) {
    CHECK(cudaEventRecord(begin, stream));
    CHECK(cudaMemcpyAsync(bytes + copied * 2, bytes, copied, cudaMemcpyDeviceToDevice, stream));
    CHECK(cudaEventRecord(end, stream));
    CHECK(cudaEventSynchronize(end));
    CHECK(cudaEventElapsedTime(&copyMillis, begin, end));
  }
  const double copyRate = 2.0 * copied / copyMillis / 1000;  // bytes a microsecond
  printf("copy: %.0f GB/s read and written\n", copyRate / 1000);

  Buffer<bf16> x(randoms<bf16>(192 * 14336));
  Buffer<float> y(192 * 128256);
  CHECK(cudaMemset(y.data, 0, y.count * 4));
  Buffer<float> partial(64 << 20);
  Buffer<bf16> activated(192 * 14336);
  Buffer<int> arrivals(std::vector<int>(20000, 0));
  const bool hasBlas = blasPath != nullptr;
  static BlasLt* blas = hasBlas ? new BlasLt(blasPath) : nullptr;

  struct Choice {
    Tiling tiling;
    double micros;
    double early;
  };
  std::map<std::string, Choice> best;
  std::map<std::string, std::pair<int, double>> bestBlas;
  const auto key = [](const Layer& l, int m) { return format("%d.%d.%d", l.n, l.k, m); };

  printf("%-9s %6s %6s %4s  %8s %5s %8s %5s  %9s %9s  %s\n", "layer", "n", "k", "m", "ours us", "share",
         "early us", "share", "first Lt", "best Lt", "by tiling (*: advised): alone / early, us");
  for (const Model& model : kModels) {
    std::vector<Layer> layers(model.layers, model.layers + 4);
    layers.push_back(model.head);
    for (const Layer& l : layers) {
      for (int m : {1, 4, 8, 16, 32, 40, 64, 96, 128, 192}) {
        if (best.count(key(l, m)) || bestBlas.count(key(l, m))) {
          continue;
        }
        const int64_t size = elements(l);
        const int distinct = static_cast<int>(poolBytes / 2 / size);
        const int launches = std::max(3, std::min<int>(distinct, static_cast<int>((1ll << 30) / size)));
        const int wide = l.mode == kGated ? 2 * l.n : l.n;
        std::string details;
        Choice choice = {};
        const Tiling pick = tilings(m).empty() ? Tiling{} : advised(m, wide, l.k);
        for (const Tiling& tiling : tilings(m)) {
          const bool picked = tiling.rows == pick.rows && tiling.splits == pick.splits;
          const int blocks = tiling.tiles(wide) * tiling.splits;
          if (!picked && (blocks < sms / 2 || (tiling.wide ? !runs(tiling, wide) : tiling.splits > 1 && blocks > 2 * sms))) {
            continue;
          }
          double micros[2];
          for (int early = 0; early < 2; early++) {
            micros[early] = replay([&] {
              for (int i = 0; i < launches; i++) {
                linear<bf16>(tiling, early, x.data, weights + i * size, nullptr, y.data, m, l.n, l.k, l.mode,
                             partial.data, arrivals.data);
              }
            }) / launches;
          }
          details += format(" %sr%d/%d:%.1f/%.1f", picked ? "*" : "", tiling.rows, tiling.splits, micros[0], micros[1]);
          if (picked) {
            choice = {tiling, micros[0], micros[1]};
          }
          best[key(l, m)] = choice;
        }
        double first = 0;
        double fastest = 1e30;
        if (hasBlas) {
          const auto plan = blas->plan(m, wide, l.k, l.mode == kStoreFloat);
          for (size_t a = 0; a < plan.algorithms.size(); a++) {
            const double micros = replay([&] {
              for (int i = 0; i < launches; i++) {
                blas->run(plan, a, x.data, weights + i * size, y.data);
              }
            }, 5) / launches;
            first = a == 0 ? micros : first;
            if (micros < fastest) {
              fastest = micros;
              bestBlas[key(l, m)] = {static_cast<int>(a), micros};
            }
          }
        }
        const auto share = [&](double micros) { return micros > 0 ? 100 * size * 2 / micros / copyRate : 0; };
        printf("%-9s %6d %6d %4d  %8.1f %4.0f%% %8.1f %4.0f%%  %9.1f %9.1f %s\n", l.name, wide, l.k, m,
               choice.micros, share(choice.micros), choice.early, share(choice.early), first, fastest,
               details.c_str());
        fflush(stdout);
      }
    }
  }

  printf("\nall linear layers and SwiGLUs of a decode step (32 layers and the head), us; share of the "
         "copy rate\n");
  for (const Model& model : kModels) {
    int64_t total = elements(model.head);
    for (const Layer& l : model.layers) {
      total += 32 * elements(l);
    }
    for (int m : {1, 4, 8, 16, 32, 40, 64, 96, 128, 192}) {
      const auto step = [&](const std::function<void(const Layer&, const bf16*)>& run) {
        const bf16* w = weights;
        for (int i = 0; i < 32; i++) {
          for (const Layer& l : model.layers) {
            run(l, w);
            w += elements(l);
          }
        }
        run(model.head, w);
      };
      printf("%-13s m %3d floor %6.0f", model.name, m, total * 2 / copyRate);
      if (!tilings(m).empty()) {
        for (int early = 0; early < 2; early++) {
          const double micros = replay([&] {
            step([&](const Layer& l, const bf16* w) {
              linear<bf16>(best[key(l, m)].tiling, early, x.data, w, nullptr, y.data, m, l.n,
                           l.k, l.mode, partial.data, arrivals.data);
            });
          });
          printf("  %s %6.0f %3.0f%%", early ? "ours early" : "ours", micros,
                 100 * total * 2 / copyRate / micros);
        }
      }
      if (hasBlas) {
        std::map<std::string, BlasLt::Plan> plans;
        for (int fastest = 0; fastest < 2; fastest++) {
          const double micros = replay([&] {
            step([&](const Layer& l, const bf16* w) {
              const std::string id = key(l, m);
              if (!plans.count(id)) {
                plans[id] = blas->plan(m, l.mode == kGated ? 2 * l.n : l.n, l.k, l.mode == kStoreFloat);
              }
              blas->run(plans[id], fastest ? bestBlas[id].first : 0, x.data, w, y.data);
              if (l.mode == kGated) {
                launch("swiglu_bf16", (m * l.n + 2047) / 2048, 256, 0, false,
                       reinterpret_cast<bf16*>(y.data), activated.data, m, l.n);
              }
            });
          });
          printf("  %s %6.0f %3.0f%%", fastest ? "best Lt" : "first Lt", micros,
                 100 * total * 2 / copyRate / micros);
        }
      }
      printf("\n");
      fflush(stdout);
    }
  }

  printf("\na decode step without attention: embed, norms, linear layers, rope, greedy sample; us\n");
  Buffer<bf16> table(static_cast<size_t>(128256) * 8);
  Buffer<float> residual(128 * 4096), weight(randoms<float>(4096));
  Buffer<float> rotation(randoms<float>(64 * 128));
  Buffer<bf16> normed(128 * 4096), qkv(128 * 12288), pool2(64ull * 16 * 2 * 4096);
  Buffer<int> numbers(std::vector<int>(64, 3)), sampled(64);
  Buffer<SampleParams> greedy(std::vector<SampleParams>(64, {0, 0, 1, 0, 1, 1}));
  CHECK(cudaMemset(residual.data, 0, residual.count * 4));
  CHECK(cudaMemset(qkv.data, 0, qkv.count * 2));
  for (const Model& model : kModels) {
    const int kvHeads = model.layers[0].n == 12288 ? 32 : 8;
    for (int m : {1, 8, 16, 32, 64}) {
      printf("%-13s m %3d", model.name, m);
      for (int early = 0; early < 2; early++) {
        const double micros = replay([&] {
          const bf16* w = weights;
          const auto product = [&](const Layer& l, const bf16* x, void* to) {
            linear<bf16>(advised(m, l.mode == kGated ? 2 * l.n : l.n, l.k), early, x, w, nullptr, to, m, l.n, l.k, l.mode, partial.data, arrivals.data);
            w += elements(l);
          };
          const auto norm = [&] {
            launch("rms_norm_bf16", m, 512, 0, early, residual.data, weight.data,
                   normed.data, static_cast<int*>(nullptr), m, 4096, 1e-5f);
          };
          launch("embed_bf16", m, 256, 0, early, numbers.data, table.data, residual.data, m, 4096);
          for (int i = 0; i < 32; i++) {
            norm();
            product(model.layers[0], normed.data, qkv.data);
            launch("rope_write_kv_bf16", dim3(m, (32 + 2 * kvHeads + 7) / 8), 256, 0, early, qkv.data,
                   static_cast<float*>(nullptr), static_cast<float*>(nullptr),
                   static_cast<float*>(nullptr), rotation.data, numbers.data, numbers.data, pool2.data,
                   2ll * 16 * 4096, 0ll, m, 32, kvHeads, 128, 16, 1e-5f);
            product(model.layers[1], qkv.data, residual.data);
            norm();
            product(model.layers[2], normed.data, activated.data);
            product(model.layers[3], activated.data, residual.data);
          }
          norm();
          product(model.head, normed.data, y.data);
          launch("sample", dim3(1, m), 1024, 0, early, y.data, model.head.n, model.head.n, greedy.data,
                 sampled.data, static_cast<int**>(nullptr), m);
        });
        printf("  %s %6.0f", early ? "early" : "alone", micros);
      }
      printf("\n");
    }
  }
}

void timeSmall() {
  printf("\nsmall kernels, us each in a graph\n");
  std::vector<float> peaked(64 * 128256);
  for (float& x : peaked) {
    x = normal() * 3.5f;
  }
  std::vector<float> flat(peaked);
  for (float& x : flat) {
    x *= 0.3f;
  }
  Buffer<float> dPeaked(peaked), dFlat(flat);
  Buffer<int> out(64);
  const auto timeSample = [&](const char* what, int rows, int vocabulary, SampleParams p) {
    Buffer<SampleParams> params(std::vector<SampleParams>(rows, p));
    printf("sample %-22s %3d x %6d", what, rows, vocabulary);
    for (const float* logits : {dPeaked.data, dFlat.data}) {
      const double micros = replay([&] {
        for (int i = 0; i < 20; i++) {
          launch("sample", rows, 1024, 0, false, logits, vocabulary, vocabulary, params.data, out.data,
                 rows);
        }
      }) / 20;
      printf("  %s %8.1f", logits == dPeaked.data ? "peaked" : "flat", micros);
    }
    printf("\n");
  };
  for (int rows : {1, 32, 64}) {
    for (int vocabulary : {32000, 128256}) {
      timeSample("greedy", rows, vocabulary, {0, 0, 1, 0, 1, 1});
      timeSample("temperature", rows, vocabulary, {1, 0, 1, 0, 1, 1});
      timeSample("top_k 50", rows, vocabulary, {1, 50, 1, 0, 1, 1});
      timeSample("top_p 0.9", rows, vocabulary, {1, 0, 0.9f, 0, 1, 1});
      timeSample("top_k 50 top_p 0.9", rows, vocabulary, {1, 50, 0.9f, 0, 1, 1});
    }
  }
  Buffer<float> residual(randoms<float>(64 * 4096));
  Buffer<float> weight(randoms<float>(4096));
  Buffer<bf16> normed(64 * 4096);
  Buffer<bf16> qkv(randoms<bf16>(64 * 12288)), pool(64 * 16 * 2 * 4096);
  Buffer<float> table(randoms<float>(128 * 128));
  std::vector<int> at(64);
  std::iota(at.begin(), at.end(), 0);
  Buffer<int> positions(at);
  for (int rows : {1, 32, 64}) {
    const double norm = replay([&] {
      for (int i = 0; i < 50; i++) {
        launch("rms_norm_bf16", rows, 512, 0, false, residual.data, weight.data,
               normed.data, static_cast<int*>(nullptr), rows, 4096, 1e-5f);
      }
    }) / 50;
    const double rope = replay([&] {
      for (int i = 0; i < 50; i++) {
        launch("rope_write_kv_bf16", dim3(rows, 12), 256, 0, false, qkv.data,
               static_cast<float*>(nullptr), static_cast<float*>(nullptr), static_cast<float*>(nullptr),
               table.data, positions.data, positions.data, pool.data, 2ll * 16 * 4096, 0ll, rows, 32, 32,
               128, 16, 1e-5f);
      }
    }) / 50;
    printf("%3d rows: rms_norm %.1f, rope_write_kv %.1f\n", rows, norm, rope);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: check_kernels kernels.fatbin check [seed] | time [libcublasLt.so]\n");
    return 2;
  }
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  sms = properties.multiProcessorCount;
  blocksOnSm = std::max<int>(1, properties.sharedMemPerMultiprocessor / (98304 + 2048));
  CHECK(cudaLibraryLoadFromFile(&library, argv[1], nullptr, nullptr, 0, nullptr, nullptr, 0));
  // Machine code for this GPU may come from the text for earlier ones, which knows no clusters.
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel("linear_b8_r16_bf16"))));
  clusters = attributes.ptxVersion >= 90;
  if (std::string(argv[2]) == "check") {
    seed = argc > 3 ? strtoull(argv[3], nullptr, 10)
                    : std::chrono::steady_clock::now().time_since_epoch().count();
    printf("%s, %s clusters, seed %llu\n", properties.name, clusters ? "with" : "without", static_cast<unsigned long long>(seed));
    checkAll<bf16>();
    checkAll<f16>();
    checkSamples();
    CHECK(cudaDeviceSynchronize());
    printf("%d failures\n", failures);
    return failures > 0;
  }
  printf("%s, %d multiprocessors\n", properties.name, sms);
  timeSmall();
  timeAll(argc > 3 ? argv[3] : nullptr);
  CHECK(cudaDeviceSynchronize());
  return 0;
}
