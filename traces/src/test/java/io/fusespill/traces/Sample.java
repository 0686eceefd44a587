package io.fusespill.traces;

import java.util.List;

/// A few lines of a format, written by hand, and what they say.
///
/// @param header the first line with its end, empty where there is none
/// @param rows good rows
/// @param expected what the rows say
/// @param row a row with `TIME`, `PROMPT` and `OUTPUT` in place of its values
/// @param early a time
/// @param late a later time
/// @param timeField how the format calls it
/// @param promptField how the format calls the prompt tokens
/// @param outputField how the format calls the output tokens
record Sample(
    String header,
    List<String> rows,
    List<TraceRequest> expected,
    String row,
    String early,
    String late,
    String timeField,
    String promptField,
    String outputField) {

  static Sample of(TraceFormat format) {
    return switch (format) {
      case AZURE ->
          new Sample(
              "TIMESTAMP,ContextTokens,GeneratedTokens\n",
              List.of(
                  "2023-11-16 18:15:46.6805900,374,44",
                  "2023-11-16 18:15:50.9951690,396,109",
                  "2023-11-17 00:00:00,879,55"),
              List.of(
                  new TraceRequest(0, 374, 44),
                  new TraceRequest(4_314_579_000L, 396, 109),
                  // 5 h 44 min 13.31941 s to midnight
                  new TraceRequest(20_653_319_410_000L, 879, 55)),
              "TIME,PROMPT,OUTPUT",
              "2024-05-10 00:00:00.009930+00:00",
              "2024-05-10 00:00:01+00:00",
              "TIMESTAMP",
              "ContextTokens",
              "GeneratedTokens");
      case BURSTGPT ->
          new Sample(
              "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n",
              List.of(
                  "5,ChatGPT,472,18,490,Conversation log",
                  "45,ChatGPT,1087,230,1317,Conversation log",
                  "118.25,GPT-4,417,276,693,API log"),
              List.of(
                  new TraceRequest(0, 472, 18),
                  new TraceRequest(40_000_000_000L, 1087, 230),
                  new TraceRequest(113_250_000_000L, 417, 276)),
              "TIME,GPT-4,PROMPT,OUTPUT,7,API log",
              "5",
              "45.5",
              "Timestamp",
              "Request tokens",
              "Response tokens");
      case MOONCAKE ->
          new Sample(
              "",
              rows(
                  """
                  {"timestamp": 3000, "input_length": 1030, "output_length": 500, "hash_ids": [0, 1, 2]}
                  {"timestamp": 3000, "input_length": 7, "output_length": 1, "hash_ids": []}
                  {"timestamp": 6001, "input_length": 600, "output_length": 3, "hash_ids": [0, 182789]}
                  """),
              List.of(
                  new TraceRequest(0, 1030, 500, 0, 512, new long[] {0, 1, 2}),
                  new TraceRequest(0, 7, 1),
                  new TraceRequest(3_001_000_000L, 600, 3, 0, 512, new long[] {0, 182_789})),
              """
              {"timestamp": TIME, "input_length": PROMPT, "output_length": OUTPUT, "hash_ids": []}\
              """,
              "1000",
              "2000",
              "timestamp",
              "input_length",
              "output_length");
      case RAGPULSE ->
          new Sample(
              "",
              rows(
                  """
                  {"timestamp": "82", "input_length": 3112, "output_length": 192, "hash_ids": {"user_input": [9], "sys_prompt": [1, 2], "passages_ids": [5, 4], "history": [6], "web_search": [7, 8]}, "session_id": "1-a"}
                  {"timestamp": "93", "input_length": 20, "output_length": 86, "hash_ids": {"sys_prompt": [1], "passages_ids": [], "history": [], "web_search": [], "user_input": []}, "session_id": "2-b"}
                  """),
              List.of(
                  new TraceRequest(0, 3112, 192, new long[] {1, 2, 5, 4, 6, 7, 8, 9}),
                  new TraceRequest(11_000_000_000L, 20, 86, new long[] {1})),
              """
              {"timestamp": "TIME", "input_length": PROMPT, "output_length": OUTPUT, "hash_ids": {"user_input": [1]}}\
              """,
              "82",
              "93",
              "timestamp",
              "input_length",
              "output_length");
      case LENGTHS ->
          new Sample(
              "arrived_at,num_prefill_tokens,num_decode_tokens,pd_ratio\n",
              List.of("0.5,74,918,0.08", "0.50000000049,290,905,0.3", "1e1,1402,711,1.9"),
              List.of(
                  new TraceRequest(0, 74, 918),
                  new TraceRequest(0, 290, 905),
                  new TraceRequest(9_500_000_000L, 1402, 711)),
              "TIME,PROMPT,OUTPUT,0.5",
              "0.25",
              "0.75",
              "arrived_at",
              "num_prefill_tokens",
              "num_decode_tokens");
      case VLLM_JSONL ->
          new Sample(
              "",
              rows(
                  """
                  {"prompt_len": 13, "output_len": 199, "arrival": 0.0}
                  {"arrival": 0.20793754160099873, "note": {"prompt_len": 1}, "output_len": 137, "prompt_len": 36}
                  """),
              List.of(new TraceRequest(0, 13, 199), new TraceRequest(207_937_542L, 36, 137)),
              """
              {"prompt_len": PROMPT, "output_len": OUTPUT, "arrival": TIME}\
              """,
              "1",
              "2.5",
              "arrival",
              "prompt_len",
              "output_len");
      case LLMSERVINGSIM ->
          new Sample(
              "",
              rows(
                  """
                  {"input_toks": 3, "output_toks": 531, "arrival_time_ns": 46926808, "input_tok_ids": [5971, 2927, 220], "output_tok_ids": [1]}
                  {"input_toks": 1034, "output_toks": 769, "arrival_time_ns": 347938951}
                  """),
              List.of(
                  new TraceRequest(0, 3, 531, 0, 16, new long[] {4618186463789326430L}),
                  new TraceRequest(301_012_143L, 1034, 769)),
              """
              {"input_toks": PROMPT, "output_toks": OUTPUT, "arrival_time_ns": TIME}\
              """,
              "5",
              "7",
              "arrival_time_ns",
              "input_toks",
              "output_toks");
    };
  }

  private static List<String> rows(String text) {
    return text.lines().toList();
  }

  String text() {
    return header + String.join("\n", rows) + "\n";
  }

  String text(String... otherRows) {
    return header + String.join("\n", otherRows) + "\n";
  }

  String row(String time, String prompt, String output) {
    return row.replace("TIME", time).replace("PROMPT", prompt).replace("OUTPUT", output);
  }

  /// The number of the line that holds the `row`-th row, from 1.
  int line(int row) {
    return (header.isEmpty() ? 0 : 1) + row;
  }
}
