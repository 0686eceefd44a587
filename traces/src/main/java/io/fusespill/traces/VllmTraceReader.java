package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.util.List;

/// Request lengths as vLLM's benchmarks name them: JSONL with prompt and output length, perhaps
/// with the arrival in seconds and with what somebody said the output would be. Without arrivals
/// all requests arrive at once.
final class VllmTraceReader extends JsonlTraceReader {

  private static final String PROMPT = "prompt_len";
  private static final String OUTPUT = "output_len";

  /// What a request declares.
  static final String DECLARED = "declared_output_tokens";

  VllmTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options, "arrival", ArrivalUnit.SECONDS, PROMPT, OUTPUT);
  }

  static boolean recognises(FirstLine line) {
    return line.hasFields(List.of(PROMPT, OUTPUT));
  }

  @Override
  void field(String name, JsonParser json) throws IOException {
    if (name.equals(DECLARED)) {
      declared(name, json);
    }
  }

  @Override
  Row.Arrival missingArrival() {
    return Row.Arrival.NONE;
  }
}
