package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.util.List;

/// LLMServingSim: JSONL with the lengths in tokens and the arrival, in nanoseconds in its workloads
/// (which also hold token ids) and in seconds in its records of vLLM runs.
///
/// J. Cho et al., "LLMServingSim", IISWC 2024.
final class LlmServingSimTraceReader extends JsonlTraceReader {

  private static final String NANOS = "arrival_time_ns";
  private static final String SECONDS = "arrival_time";
  private static final String PROMPT = "input_toks";
  private static final String OUTPUT = "output_toks";

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
    }
  }
}
