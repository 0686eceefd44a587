package io.fusespill.host.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Probabilities and tokens that were computed with numpy in float64, independently.
class SamplerTest {

  private static final float[] LOGITS = {
    1.5f, -0.25f, 3.0f, 2.75f, 0.0f, -4.0f, 2.0f, 2.0f, -1.0f, 0.5f
  };
  private static final int DRAWS = 40_000;

  private static int[] tokens(String json, int sample, int count) {
    SamplingParams params = SamplingParams.parse(json);
    Sampler sampler = new Sampler(LOGITS.length);
    return IntStream.range(0, count)
        .map(i -> sampler.next(LOGITS, 0, params, new TokenCounts(), List.of(), sample, i))
        .toArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"seed":5}                                             | 0.076217, 0.013245, 0.341581, 0.266024, 0.017006, 0.000311, 0.125661, 0.125661, 0.006256, 0.028039
          {"seed":6,"temperature":0.7}                           | 0.049899, 0.004096, 0.425324, 0.297588, 0.005854, 0.000019, 0.101929, 0.101929, 0.001403, 0.011958
          {"seed":7,"temperature":2.5}                           | 0.109793, 0.054522, 0.200056, 0.181018, 0.060256, 0.012165, 0.134102, 0.134102, 0.040391, 0.073596
          {"seed":8,"top_k":3}                                   | 0.000000, 0.000000, 0.465836, 0.362793, 0.000000, 0.000000, 0.171371, 0.000000, 0.000000, 0.000000
          {"seed":9,"top_k":4}                                   | 0.000000, 0.000000, 0.397684, 0.309717, 0.000000, 0.000000, 0.146300, 0.146300, 0.000000, 0.000000
          {"seed":10,"top_p":0.6}                                | 0.000000, 0.000000, 0.562177, 0.437823, 0.000000, 0.000000, 0.000000, 0.000000, 0.000000, 0.000000
          {"seed":11,"top_p":0.9,"temperature":0.5}              | 0.000000, 0.000000, 0.532708, 0.323104, 0.000000, 0.000000, 0.072094, 0.072094, 0.000000, 0.000000
          {"seed":12,"min_p":0.2}                                | 0.081503, 0.000000, 0.365271, 0.284474, 0.000000, 0.000000, 0.134376, 0.134376, 0.000000, 0.000000
          {"seed":13,"temperature":1.3,"top_k":6,"top_p":0.8,"min_p":0.05} | 0.000000, 0.000000, 0.363400, 0.299824, 0.000000, 0.000000, 0.168388, 0.168388, 0.000000, 0.000000
          {"seed":14,"min_p":0.5,"top_p":0.5}                    | 0.000000, 0.000000, 1.000000, 0.000000, 0.000000, 0.000000, 0.000000, 0.000000, 0.000000, 0.000000
          """)
  void frequencies_areTheProbabilities(String json, String expected) {
    assertFrequencies(json, new TokenCounts(), expected);
  }

  @Test
  void penalties_areThoseOfVllm() {
    TokenCounts repeated = new TokenCounts();
    repeated.addPrompt(2);
    repeated.addPrompt(5);
    repeated.addOutput(3);
    assertFrequencies(
        "{\"seed\":15,\"repetition_penalty\":1.5}",
        repeated,
        "0.122112, 0.021220, 0.201329, 0.170421, 0.027247, 0.000068, 0.201329, 0.201329, 0.010024, 0.044923");
    TokenCounts counted = new TokenCounts();
    counted.addPrompt(6);
    counted.addOutput(2);
    counted.addOutput(2);
    counted.addOutput(8);
    assertFrequencies(
        "{\"seed\":16,\"presence_penalty\":0.75,\"frequency_penalty\":0.5}",
        counted,
        "0.106849, 0.018568, 0.083214, 0.372941, 0.023841, 0.000437, 0.176165, 0.176165, 0.002513, 0.039308");
  }

  /// Within five standard deviations; what has no probability is never drawn.
  private static void assertFrequencies(String json, TokenCounts counts, String expected) {
    double[] probabilities =
        Arrays.stream(expected.split(",")).mapToDouble(Double::parseDouble).toArray();
    SamplingParams params = SamplingParams.parse(json);
    Sampler sampler = new Sampler(LOGITS.length);
    int[] drawn = new int[LOGITS.length];
    for (int i = 0; i < DRAWS; i++) {
      drawn[sampler.next(LOGITS, 0, params, counts, List.of(), 0, i)]++;
    }
    for (int token = 0; token < LOGITS.length; token++) {
      double p = probabilities[token];
      double deviation = Math.sqrt(DRAWS * p * (1 - p));
      assertThat((double) drawn[token])
          .as("token %d of %s", token, json)
          .isCloseTo(DRAWS * p, within(5 * deviation + 1e-6));
    }
  }

  @Test
  void tokens_followFromSeedSampleAndPosition() {
    assertThat(tokens("{\"seed\":1234}", 0, 24))
        .containsExactly(2, 3, 7, 6, 3, 2, 0, 6, 2, 2, 3, 7, 3, 2, 2, 7, 2, 7, 3, 3, 6, 2, 2, 3);
    assertThat(tokens("{\"seed\":1234}", 1, 24))
        .containsExactly(3, 2, 2, 3, 2, 2, 6, 3, 3, 7, 2, 6, 3, 2, 6, 3, 0, 2, 2, 3, 6, 3, 2, 0);
    assertThat(
            tokens(
                "{\"seed\":99,\"temperature\":1.3,\"top_k\":6,\"top_p\":0.8,\"min_p\":0.05}",
                2,
                24))
        .containsExactly(7, 2, 3, 6, 7, 6, 3, 6, 3, 2, 3, 2, 3, 2, 7, 3, 3, 2, 2, 7, 2, 2, 2, 2);
  }

  @Test
  void batchAndOrder_doNotMatter() {
    int vocabulary = 3000;
    int rows = 16;
    float[] batch = logits(vocabulary * rows, 3);
    SamplingParams params =
        SamplingParams.parse("{\"seed\":77,\"top_p\":0.95,\"top_k\":500,\"temperature\":1.5}");
    Sampler shared = new Sampler(vocabulary);
    int[] inBatch = new int[rows];
    for (int row = rows - 1; row >= 0; row--) {
      inBatch[row] =
          shared.next(batch, row * vocabulary, params, new TokenCounts(), List.of(), 0, row);
    }
    for (int row = 0; row < rows; row++) {
      float[] alone = Arrays.copyOfRange(batch, row * vocabulary, (row + 1) * vocabulary);
      int token =
          new Sampler(vocabulary).next(alone, 0, params, new TokenCounts(), List.of(), 0, row);
      assertThat(token).as("row %d", row).isEqualTo(inBatch[row]);
    }
  }

  /// A full sort finds the same tokens as the partial selection, for large and small cuts.
  @ParameterizedTest
  @CsvSource({"1, 1", "7, 1", "1000, 1", "0, 0.3", "0, 0.9", "0, 0.999", "300, 0.7", "64, 0.99"})
  void cuts_keepWhatAFullSortKeeps(int topK, double topP) {
    int vocabulary = 5000;
    float[] logits = logits(vocabulary, 11);
    // Ties across the cut.
    for (int i = 0; i < vocabulary; i += 2) {
      logits[i] = Math.round(logits[i] * 2) / 2f;
    }
    Integer[] order = new Integer[vocabulary];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
    int kept = topK == 0 ? vocabulary : topK;
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += Math.exp(logits[order[i]]);
    }
    double mass = 0;
    int last = 0;
    while (last < kept && mass < topP * total) {
      mass += Math.exp(logits[order[last++]]);
    }
    boolean[] allowed = new boolean[vocabulary];
    for (int i = 0; i < last; i++) {
      allowed[order[i]] = true;
    }
    SamplingParams params =
        SamplingParams.parse("{\"seed\":3,\"top_k\":%d,\"top_p\":%s}".formatted(topK, topP));
    Sampler sampler = new Sampler(vocabulary);
    boolean[] drawn = new boolean[vocabulary];
    for (int i = 0; i < 1000; i++) {
      int token = sampler.next(logits, 0, params, new TokenCounts(), List.of(), 0, i);
      drawn[token] = true;
    }
    for (int token = 0; token < vocabulary; token++) {
      assertThat(allowed[token] || !drawn[token]).as("token %d", token).isTrue();
    }
    for (int i = 0; i < Math.min(last, 10); i++) {
      assertThat(drawn[order[i]]).as("rank %d", i).isTrue();
    }
  }

  @Test
  void greedy_picksTheLikeliest_andOfTwoTheLower() {
    SamplingParams greedy = SamplingParams.parse("{\"temperature\":0}");
    Sampler sampler = new Sampler(4);
    float[] logits = {9, 1, 5, 5, 2, 9};
    assertThat(sampler.next(logits, 1, greedy, new TokenCounts(), List.of(), 0, 0)).isEqualTo(1);
    assertThat(sampler.next(logits, 2, greedy, new TokenCounts(), List.of(), 0, 0)).isEqualTo(3);
    assertThat(logits).containsExactly(9, 1, 5, 5, 2, 9);
  }

  @Test
  void topOne_isGreedy() {
    float[] tied = {1, 3, 3, 0};
    SamplingParams params = SamplingParams.parse("{\"seed\":1,\"top_k\":1}");
    Sampler sampler = new Sampler(4);
    for (int i = 0; i < 50; i++) {
      assertThat(sampler.next(tied, 0, params, new TokenCounts(), List.of(), 0, i)).isEqualTo(1);
    }
  }

  @Test
  void minTokens_masksWhatWouldEndTheOutput() {
    float[] logits = {5, 4, 3, 2};
    SamplingParams params =
        SamplingParams.parse("{\"temperature\":0,\"min_tokens\":2,\"stop_token_ids\":[1]}");
    Sampler sampler = new Sampler(4);
    int[] picked =
        IntStream.range(0, 3)
            .map(i -> sampler.next(logits, 0, params, new TokenCounts(), List.of(0), 0, i))
            .toArray();
    assertThat(picked).containsExactly(2, 2, 0);
  }

  @Test
  void logprobs_areThoseOfTheRawLogits() {
    TokenLogprobs logprobs = new Sampler(LOGITS.length).logprobs(LOGITS, 0, 7, 4);
    assertThat(logprobs.token()).isEqualTo(7);
    assertThat(logprobs.logprob()).isCloseTo(-2.074171f, within(2e-6f));
    assertThat(logprobs.rank()).isEqualTo(3);
    assertThat(logprobs.top()).extracting(TokenLogprobs.Top::token).containsExactly(2, 3, 6, 7);
    assertThat(logprobs.top().get(1).logprob()).isCloseTo(-1.324171f, within(2e-6f));
    assertThat(new Sampler(LOGITS.length).logprobs(LOGITS, 0, 5, 0).top()).isEmpty();
  }

  @Test
  void logitsWithoutFiniteMaximum_giveNoToken() {
    Sampler sampler = new Sampler(2);
    SamplingParams params = SamplingParams.parse("{\"seed\":1}");
    float[] nan = {1, Float.NaN};
    assertThat(sampler.next(nan, 0, params, new TokenCounts(), List.of(), 0, 0)).isEqualTo(-1);
    float[] infinite = {1, Float.POSITIVE_INFINITY};
    assertThat(sampler.next(infinite, 0, params, new TokenCounts(), List.of(), 0, 0)).isEqualTo(-1);
    float[] masked = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
    assertThat(sampler.next(masked, 0, params, new TokenCounts(), List.of(), 0, 0)).isEqualTo(-1);
  }

  @Test
  void randomTokens_withoutASeed_areAnError() {
    Sampler sampler = new Sampler(LOGITS.length);
    assertThatThrownBy(() ->
            sampler.next(LOGITS, 0, SamplingParams.DEFAULT, new TokenCounts(), List.of(), 0, 0))
        .hasMessageContaining("no seed");
  }

  @Test
  void exponential_isThatOfFloat32() {
    assertThat(Exponential.exp(0)).isEqualTo(1);
    for (float x = 0; x > Exponential.LEAST; x -= 0.0137f) {
      double exact = Math.exp(x);
      assertThat((double) Exponential.exp(x)).isCloseTo(exact, within(3e-7 * exact));
    }
    assertThat(Exponential.exp(Float.NEGATIVE_INFINITY)).isLessThan(2e-38f);
  }

  @Test
  void sampling_allocatesNothing() {
    int vocabulary = 4096;
    float[] logits = logits(vocabulary, 5);
    SamplingParams params =
        SamplingParams.parse(
            "{\"seed\":1,\"top_p\":0.9,\"top_k\":2000,\"min_p\":0.001,\"presence_penalty\":0.1}");
    Sampler sampler = new Sampler(vocabulary);
    TokenCounts counts = new TokenCounts();
    List<Integer> eosIds = List.of(2);
    int calls = 2000;
    long allocated = Long.MAX_VALUE;
    // The compiler may take some rounds before it does without boxes.
    for (int round = 0; round < 60 && allocated >= calls; round++) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) {
        counts.addOutput(sampler.next(logits, 0, params, counts, eosIds, 0, i));
      }
      allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(allocated).isLessThan(calls);
  }

  private static float[] logits(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      logits[i] = (float) random.nextGaussian() * 3;
    }
    return logits;
  }
}
