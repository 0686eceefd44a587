package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.util.List;

/// LLMServingSim: JSONL with the lengths in tokens and the arrival, in nanoseconds in its workloads
/// and in seconds in its records of vLLM runs. Workloads also hold the prompts' token ids, of which
/// every 16 that stand together become one prefix hash.
///
/// J. Cho et al., "LLMServingSim", IISWC 2024.
final class LlmServingSimTraceReader extends JsonlTraceReader {

  private static final String NANOS = "arrival_time_ns";
  private static final String SECONDS = "arrival_time";
  private static final String PROMPT = "input_toks";
  private static final String OUTPUT = "output_toks";
  private static final String TOKENS = "input_tok_ids";

  /// Tokens in a part: vLLM's blocks.
  private static final int PART_TOKENS = 16;

  LlmServingSimTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options, NANOS, ArrivalUnit.NANOSECONDS, PROMPT, OUTPUT);
  }

  static boolean recognises(FirstLine line) {
    return line.hasFields(List.of(PROMPT, OUTPUT));
  }

  @Override
  void field(String name, JsonParser json) throws IOException {
    if (name.equals(SECONDS)) {
      arrival(name, json, ArrivalUnit.SECONDS);
    } else if (name.equals(TOKENS)) {
      long[] ids = numbers(name, json);
      prefix(name, PART_TOKENS, parts(ids), ids.length);
    }
  }

  private static long[] parts(long[] tokens) {
    long[] hashes = new long[Math.ceilDiv(tokens.length, PART_TOKENS)];
    for (int i = 0; i < hashes.length; i++) {
      int end = Math.min((i + 1) * PART_TOKENS, tokens.length);
      hashes[i] = hash(tokens, i * PART_TOKENS, end);
    }
    return hashes;
  }

  /// 64 bits of some tokens and their number: of a million different parts, two are taken for one
  /// with a probability of 3 in 100 million.
  private static long hash(long[] tokens, int from, int to) {
    long hash = (long) to - from;
    for (int i = from; i < to; i++) {
      hash = (hash ^ tokens[i]) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 29;
    }
    return hash;
  }
}
