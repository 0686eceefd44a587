package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What single formats do beyond the contract.
final class FormatDetailsTest {

  @Test
  void azure_timesOf2023And2024_areUtc() {
    assertThat(AzureTimestamp.epochNanos("T", "1970-01-01 00:00:00")).isZero();
    assertThat(AzureTimestamp.epochNanos("T", "1970-01-02 00:00:01.5"))
        .isEqualTo(86_401_500_000_000L);
    // date -u -d '2023-11-16 18:15:46' +%s
    assertThat(AzureTimestamp.epochNanos("T", "2023-11-16 18:15:46.6805900"))
        .isEqualTo(1_700_158_546_680_590_000L);
    // date -u -d '2024-05-10' +%s
    assertThat(AzureTimestamp.epochNanos("T", "2024-05-10 00:00:00.009930+00:00"))
        .isEqualTo(1_715_299_200_009_930_000L);
    assertThat(AzureTimestamp.epochNanos("T", "2024-02-29 23:59:59.999999999+00:00"))
        .isEqualTo(1_709_251_199_999_999_999L);
  }

  @Test
  void azure_notSuchATime_isInvalid() {
    List<String> bad =
        List.of(
            "",
            "2023-11-16",
            "2023-11-16T18:15:46",
            "2023-11-16 18:15:46.",
            "2023-11-16 18:15:46.1234567890",
            "2023-11-16 18:15:46.12x",
            "2023-11-16 18:15:46+01:00",
            "2023-02-29 00:00:00",
            "2023-13-01 00:00:00",
            "2023-11-16 24:00:00",
            "2023-11-16 18:60:00",
            "1969-12-31 23:59:59",
            "2262-01-01 00:00:00");
    for (String text : bad) {
      assertThatThrownBy(() -> AzureTimestamp.epochNanos("TIMESTAMP", text))
          .isInstanceOf(InvalidRowException.class)
          .hasMessageStartingWith("TIMESTAMP is \"%s\", must be a UTC time".formatted(text));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TraceFormat.class,
      names = {"AZURE", "BURSTGPT", "LENGTHS"})
  void csv_indexQuotesAndBlanks_saysTheSame(TraceFormat format, @TempDir Path dir) {
    Sample sample = Sample.of(format);
    StringBuilder text = new StringBuilder();
    text.append(",\"a note\", \"%s\"\n".formatted(sample.header().strip().replace(",", "\" ,\"")));
    for (String row : sample.rows()) {
      text.append("7,\"a, \"\"b\"\"\",  %s\t\n".formatted(row.replace(",", " , ")));
    }

    assertThat(TraceFormat.detect(TestTraces.write(dir.resolve("t.csv"), text.toString())))
        .isEqualTo(format);
    assertThat(TestTraces.read(format, text.toString())).isEqualTo(sample.expected());
  }

  @Test
  void csv_numbersOfFloatColumnsAndQuotedOnes_areCounts() {
    assertThat(
            TestTraces.read(
                TraceFormat.LENGTHS,
                """
                Unnamed: 0,arrived_at,num_prefill_tokens,num_decode_tokens,declared_output_tokens
                0,0.0,4.0,"5",6.0
                1,"1.5", 7 ,8.00," 9"
                2,2,1,1,
                """))
        .containsExactly(
            new TraceRequest(0, 4, 5).declaring(6),
            new TraceRequest(1_500_000_000, 7, 8).declaring(9),
            new TraceRequest(2_000_000_000, 1, 1));
    TraceReader burst =
        TestTraces.reader(
            TraceFormat.BURSTGPT,
            "Timestamp,Request tokens,Response tokens\n1.0,5.0,0.0\n2.0,6.0,7.0\n",
            ReadOptions.ALL);
    assertThat(TestTraces.drain(burst)).containsExactly(new TraceRequest(0, 6, 7));
    assertThat(burst.skipped()).isEqualTo(1);
  }

  @Test
  void csv_whatCouldBeTwoThings_isInvalid() {
    for (String bad : List.of("4.5", "4.", ".0", "4.0.0", "4e0", "+4", "4,0", "0x4", "4 0")) {
      assertThatThrownBy(() ->
              TestTraces.read(
                  TraceFormat.LENGTHS, "prompt_len,output_len\n1,\"%s\"\n".formatted(bad)))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample:2: output_len is \"%s\", must be a whole".formatted(bad));
    }
    assertThatThrownBy(() -> TestTraces.read(TraceFormat.LENGTHS, "prompt_len,output_len\n1,\"2\n"))
        .hasMessageStartingWith("sample:2: a quote is not closed in \"1,\"2\"");
    assertThatThrownBy(
            () -> TestTraces.read(TraceFormat.LENGTHS, "prompt_len,output_len\n\"1\"2,3\n"))
        .hasMessageStartingWith("sample:2: \"2,3\" follows a closing quote");
    assertThatThrownBy(() -> TestTraces.read(TraceFormat.LENGTHS, "prompt_len,\"output_len\n1,2\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith("sample:1: a quote is not closed");
  }

  @Test
  void burstGpt_rowsWithoutResponse_areCountedAndNoErrors() {
    TraceReader reader =
        TestTraces.reader(
            TraceFormat.BURSTGPT,
            """
            Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
            1,ChatGPT,5,0,5,Conversation log
            5,ChatGPT,472,18,490,Conversation log
            6,GPT-4,7,0,7,API log
            """,
            ReadOptions.ALL);

    assertThat(TestTraces.drain(reader)).containsExactly(new TraceRequest(0, 472, 18));
    assertThat(reader.skipped()).isEqualTo(2);
    assertThat(reader.skippedReason())
        .isEqualTo("sample:2: Response tokens is 0: a failed request");
  }

  @Test
  void burstGpt_newerColumns_areFoundByName() {
    String text =
        """
        Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
        5,s1,1.5,ChatGPT,32,8,40,Conversation log
        """;

    assertThat(TestTraces.read(TraceFormat.BURSTGPT, text))
        .containsExactly(new TraceRequest(0, 32, 8));
  }

  @Test
  void lengths_eachPairOfColumns_withAndWithoutTimes() {
    assertThat(
            TestTraces.read(
                TraceFormat.LENGTHS, "seq_id,prompt_len,output_len,num_preemptions\n0,68,37,0\n"))
        .containsExactly(new TraceRequest(0, 68, 37));
    assertThat(
            TestTraces.read(
                TraceFormat.LENGTHS,
                "req_id,req_time,prompt_len,output_len\n0,1.5,13,199\n1,2.25,36,137\n"))
        .containsExactly(new TraceRequest(0, 13, 199), new TraceRequest(750_000_000, 36, 137));
    assertThat(
            TestTraces.read(
                TraceFormat.LENGTHS, "num_decode_tokens,num_prefill_tokens\n1,2\n3,4\n"))
        .containsExactly(new TraceRequest(0, 2, 1), new TraceRequest(0, 4, 3));
  }

  @Test
  void lengths_declaredColumn_underEitherName() {
    for (String name : List.of("declared_output_tokens", "num_predicted_decode_tokens")) {
      assertThat(
              TestTraces.read(
                  TraceFormat.LENGTHS,
                  "num_prefill_tokens,%s,num_decode_tokens\n1,9,2\n3,,4\n5,0,6\n".formatted(name)))
          .containsExactly(
              new TraceRequest(0, 1, 2).declaring(9),
              new TraceRequest(0, 3, 4),
              new TraceRequest(0, 5, 6));
    }
  }

  @Test
  void declared_noTokenCount_namesFieldValueAndRange() {
    String csv = "prompt_len,output_len,declared_output_tokens\n1,2,%s\n";
    String json = "{\"prompt_len\": 1, \"output_len\": 2, \"declared_output_tokens\": %s}\n";

    for (String bad : List.of("-1", "1.5", "x", "10000001")) {
      assertThatThrownBy(() -> TestTraces.read(TraceFormat.LENGTHS, csv.formatted(bad)))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith(
              "sample:2: declared_output_tokens is \"%s\", must be a whole number 0 (none) to 10000000"
                  .formatted(bad));
    }
    assertThatThrownBy(() -> TestTraces.read(TraceFormat.VLLM_JSONL, json.formatted("\"many\"")))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith("sample:1: declared_output_tokens is \"many\"");
  }

  @Test
  void vllm_declaredInSomeRows_countsForThese() {
    assertThat(
            TestTraces.read(
                TraceFormat.VLLM_JSONL,
                """
                {"prompt_len": 1, "output_len": 2, "declared_output_tokens": 7}
                {"prompt_len": 3, "output_len": 4}
                {"declared_output_tokens": 0, "prompt_len": 5, "output_len": 6}
                """))
        .containsExactly(
            new TraceRequest(0, 1, 2).declaring(7),
            new TraceRequest(0, 3, 4),
            new TraceRequest(0, 5, 6));
  }

  @Test
  void vllm_noArrivals_allAtOnce() {
    assertThat(
            TestTraces.read(
                TraceFormat.VLLM_JSONL,
                "{\"prompt_len\": 1, \"output_len\": 2}\n{\"prompt_len\": 3, \"output_len\": 4}\n"))
        .containsExactly(new TraceRequest(0, 1, 2), new TraceRequest(0, 3, 4));
  }

  @Test
  void vllm_arrivalsInSomeRows_isAnError() {
    String with = "{\"prompt_len\": 1, \"output_len\": 2, \"arrival\": 0}\n";
    String without = "{\"prompt_len\": 1, \"output_len\": 2}\n";

    for (String text : List.of(with + without, without + with)) {
      assertThatThrownBy(() -> TestTraces.read(TraceFormat.VLLM_JSONL, text))
          .isInstanceOf(TraceException.class)
          .hasMessage(
              "sample:2: an arrival in some rows and not in others, must be in all or none");
    }
  }

  @Test
  void llmServingSim_recordOfARun_countsFromUnixSeconds() {
    assertThat(
            TestTraces.read(
                TraceFormat.LLMSERVINGSIM,
                """
                {"request_id": "bench-0", "input_toks": 2358, "output_toks": 531, "arrival_time": 1787267980.0827403, "queued_ts": 27536.6}
                {"request_id": "bench-1", "input_toks": 1034, "output_toks": 769, "arrival_time": 1787267980.3478317, "queued_ts": 27537.0}
                """))
        .containsExactly(new TraceRequest(0, 2358, 531), new TraceRequest(265_091_400, 1034, 769));
  }

  /// Sixteen tokens are a part, the last perhaps fewer; a part has the same id wherever it stands.
  @Test
  void llmServingSim_tokenIds_becomeHashesOfParts() {
    String row =
        "{\"input_toks\": %d, \"output_toks\": 1, \"arrival_time_ns\": 0, \"input_tok_ids\": %s}\n";
    List<Integer> part = IntStream.range(0, 16).boxed().toList();
    List<Integer> twiceAndOne = new ArrayList<>(part);
    twiceAndOne.addAll(part);
    twiceAndOne.add(128_009);

    List<TraceRequest> requests =
        TestTraces.read(
            TraceFormat.LLMSERVINGSIM,
            row.formatted(1, "[128009]") + row.formatted(33, twiceAndOne) + row.formatted(5, "[]"));
    long[] first = requests.get(0).prefixHashes();
    long[] second = requests.get(1).prefixHashes();

    assertThat(requests).extracting(TraceRequest::tokensPerHash).containsExactly(16, 16, 0);
    assertThat(first).hasSize(1);
    assertThat(second).containsExactly(second[0], second[0], first[0]);
    assertThat(second[0]).isNotEqualTo(first[0]);
    assertThat(requests.get(2)).isEqualTo(new TraceRequest(0, 5, 1));
  }

  @Test
  void numberOfIdsThatDoesNotFitThePrompt_isAnError() {
    assertThatThrownBy(() ->
            TestTraces.read(
                TraceFormat.LLMSERVINGSIM,
                "{\"input_toks\": 17, \"output_toks\": 1, \"arrival_time_ns\": 0, \"input_tok_ids\": [1]}\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith(
            "sample:1: input_tok_ids holds 1 ids of 17 prompt tokens, must hold 17 or be empty");
    assertThatThrownBy(() ->
            TestTraces.read(
                TraceFormat.LLMSERVINGSIM,
                "{\"input_toks\": 3, \"output_toks\": 1, \"arrival_time_ns\": 0, \"input_tok_ids\": [1, 2]}\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith(
            "sample:1: input_tok_ids holds 2 ids of 3 prompt tokens, must hold 3 or be empty");
    assertThatThrownBy(() ->
            TestTraces.read(
                TraceFormat.MOONCAKE,
                "{\"timestamp\": 0, \"input_length\": 513, \"output_length\": 1, \"hash_ids\": [1]}\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("makes 1 parts of 512 tokens, must make 2 or be empty");
  }

  @Test
  void mooncake_hashesThatAreNoList_isAnError() {
    String row =
        "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": %s}\n";

    for (String bad :
        List.of("7", "{\"a\": [1]}", "[1, \"x\"]", "[1.5]", "[99999999999999999999]")) {
      assertThatThrownBy(() -> TestTraces.read(TraceFormat.MOONCAKE, row.formatted(bad)))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample:1: ");
    }
  }

  @Test
  void ragPulse_clockRestarts_nextWeekFollows() {
    String row =
        "{\"timestamp\": \"%d\", \"input_length\": 1, \"output_length\": 1, \"hash_ids\": {}}\n";
    TraceReader reader =
        TestTraces.reader(
            TraceFormat.RAGPULSE,
            row.formatted(100) + row.formatted(604_453) + row.formatted(0) + row.formatted(27),
            ReadOptions.ALL);

    assertThat(TestTraces.drain(reader))
        .extracting(request -> request.arrivalNanos() / 1_000_000_000)
        .containsExactly(0L, 604_353L, 604_700L, 604_727L);
    assertThat(reader.adjusted()).isEqualTo(2);
  }

  @Test
  void ragPulse_unknownPart_isAnError() {
    String text =
        """
        {"timestamp": "1", "input_length": 1, "output_length": 1, "hash_ids": {"tools": [1]}}
        """;

    assertThatThrownBy(() -> TestTraces.read(TraceFormat.RAGPULSE, text))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("a part \"tools\", must be one of [sys_prompt, passages_ids");
  }

  @Test
  void jsonl_brokenRow_saysAtWhichCharacterOfItsLine() {
    String good = "{\"prompt_len\": 1, \"output_len\": 2}\n";

    assertThatThrownBy(() -> TestTraces.read(TraceFormat.VLLM_JSONL, good + "{\"a\": 1]"))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith("sample:2: no JSON object, at character 8: Unexpected close marker")
        .hasMessageEndingWith(
            "expected '}'; mend the row or leave such rows out with --skip-invalid, skip-invalid: true in a specification");
  }

  @Test
  void jsonl_fieldTwice_isAnError() {
    assertThatThrownBy(() ->
            TestTraces.read(
                TraceFormat.VLLM_JSONL,
                "{\"prompt_len\": 1, \"prompt_len\": 3, \"output_len\": 2}\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith("sample:1: no JSON object, at character ")
        .hasMessageContaining("Duplicate field 'prompt_len'");
  }

  @Test
  void csv_columnTwice_isAnErrorWhereItIsRead() {
    assertThatThrownBy(
            () -> TestTraces.read(TraceFormat.LENGTHS, "prompt_len,output_len,prompt_len\n1,2,3\n"))
        .isInstanceOf(TraceException.class)
        .hasMessage(
            "sample:1: column \"prompt_len\" stands twice in the header, must be there once; rename or remove one");
    assertThat(TestTraces.read(TraceFormat.LENGTHS, "prompt_len,output_len,note,note\n1,2,3,4\n"))
        .containsExactly(new TraceRequest(0, 1, 2));
  }

  @Test
  void jsonl_anythingButOneObject_isAnError() {
    for (String bad :
        List.of("[1]", "7", "{\"prompt_len\": 1, \"output_len\": 1} {}", "{]", "{\"a\": nul}")) {
      assertThatThrownBy(() -> TestTraces.read(TraceFormat.VLLM_JSONL, bad + "\n"))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample:1: ")
          .hasMessageContaining("JSON");
    }
  }
}
