package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The files as their authors published them. Row counts are from their descriptions, token sums
/// and last arrivals from another program's reading.
final class PublishedTracesTest {

  private static final String AZURE = "azure_llm_2023/AzureLLMInferenceTrace_conv.csv";
  private static final String RAGPULSE = "ragpulse/0_trace.jsonl.gz";
  private static final String BLOCK =
      "block_predicted_lengths/sharegpt-val-10k-predicted-len.csv.gz";

  @ParameterizedTest
  @CsvSource({
    AZURE + ", AZURE, 19366, 22361870, 4088665, 3501721937000, 0",
    "mooncake_fast25/conversation_trace.jsonl.gz, MOONCAKE, 12031, 144793823, 4122048, 3536999000000, 0",
    RAGPULSE + ", RAGPULSE, 7106, 20917099, 2012676, 1209321000000000, 3306",
    "lengths_sharegpt_arxiv/sharegpt_8k_filtered_stats_llama2_tokenizer.csv, LENGTHS, 30731, 71911571, 13481988, 0, 0",
    "lengths_sharegpt_arxiv/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv, LENGTHS, 28257, 73131321, 8234948, 0, 0",
    "fusespill_artifact/vicuna7b_recompute_requests.csv, LENGTHS, 1000, 233094, 245124, 0, 0",
    "vtc_lmsys_arena/real_trace.csv, LENGTHS, 1500, 204398, 384297, 600000000000, 0",
    "vllm_bench_llmservingsim/sharegpt-llama-3.1-8b-300-sps10.jsonl.gz, LLMSERVINGSIM, 300, 257239, 195753, 29136836395, 0",
    "vllm_bench_llmservingsim/RTX4090_Llama-3.1-8B/requests.jsonl, LLMSERVINGSIM, 300, 257239, 195753, 29100521300, 0",
  })
  void read_wholeFile_hasThePublishedCounts(
      String name,
      TraceFormat format,
      long requests,
      long promptTokens,
      long outputTokens,
      long lastNanos,
      long adjusted) {
    Path file = SharedData.file(name);

    assertThat(TraceFormat.detect(file)).isEqualTo(format);
    try (TraceReader reader = format.open(file, ReadOptions.ALL)) {
      TraceSummary summary = TraceSummary.of(reader);

      assertThat(summary.requests()).isEqualTo(requests);
      assertThat(summary.prompt().total()).isEqualTo(promptTokens);
      assertThat(summary.output().total()).isEqualTo(outputTokens);
      assertThat(summary.durationNanos()).isEqualTo(lastNanos);
      assertThat(summary.skipped()).isZero();
      assertThat(summary.adjusted()).isEqualTo(adjusted);
    }
  }

  @Test
  void azure_firstRows_areExact() {
    Path file = SharedData.file(AZURE);

    assertThat(TestTraces.drain(TraceFormat.AZURE.open(file, ReadOptions.ALL.withLimit(3))))
        .containsExactly(
            new TraceRequest(0, 374, 44),
            new TraceRequest(4_314_579_000L, 396, 109),
            new TraceRequest(4_541_877_000L, 879, 55));
  }

  @Test
  void mooncake_eachRow_hasOneHashForEach512TokensAndSharesTheFirst() {
    Path file = SharedData.file("mooncake_fast25/conversation_trace.jsonl.gz");

    List<TraceRequest> requests =
        TestTraces.drain(TraceFormat.MOONCAKE.open(file, ReadOptions.ALL));

    assertThat(requests)
        .allSatisfy(request -> {
          assertThat(request.prefixHashes()).hasSize(Math.ceilDiv(request.promptTokens(), 512));
          assertThat(request.prefixHashes()[0]).isZero();
        });
    assertThat(requests.stream().mapToLong(request -> request.prefixHashes().length).sum())
        .isEqualTo(288_500);
  }

  @Test
  void ragPulse_firstRow_hasItsPartsInPromptOrder() {
    Path file = SharedData.file(RAGPULSE);

    assertThat(TestTraces.drain(TraceFormat.RAGPULSE.open(file, ReadOptions.ALL.withLimit(1))))
        .containsExactly(
            new TraceRequest(
                0,
                3112,
                192,
                new long[] {8302, 14332, 15199, 7398, 7370, 7098, 6967, 7405, 7298, 15200, 26923}));
  }

  @Test
  void blockPredictedLengths_rowsOfZeroTokens_areRefusedOrCounted() {
    Path file = SharedData.file(BLOCK);

    assertThatThrownBy(() -> TestTraces.drain(TraceFormat.LENGTHS.open(file, ReadOptions.ALL)))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining(":1945: num_decode_tokens is \"0\"");

    ReadOptions options = ReadOptions.ALL.withSkipInvalid(true);
    try (TraceReader reader = TraceFormat.LENGTHS.open(file, options)) {
      TraceSummary summary = TraceSummary.of(reader);
      // 12 rows without a prompt, 1 without an output
      assertThat(summary.requests()).isEqualTo(40_000 - 13);
      assertThat(summary.skipped()).isEqualTo(13);
      assertThat(summary.declared().requests()).isEqualTo(40_000 - 13);
      // its README: median absolute error 13 tokens
      assertThat(summary.declared().medianAbsoluteError()).isEqualTo(13);
      assertThat(summary.declared().pairwiseAccuracy()).isGreaterThan(0.9);
    }
  }
}
