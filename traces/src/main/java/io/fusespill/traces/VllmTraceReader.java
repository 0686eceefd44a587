package io.fusespill.traces;

import java.util.List;

/// Request lengths as vLLM's benchmarks name them: JSONL with prompt and output length, perhaps
/// with the arrival in seconds. Without it all requests arrive at once.
final class VllmTraceReader extends JsonlTraceReader {

  private static final String PROMPT = "prompt_len";
  private static final String OUTPUT = "output_len";

  VllmTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options, "arrival", ArrivalUnit.SECONDS, PROMPT, OUTPUT);
  }

  static boolean recognises(FirstLine line) {
    return line.hasFields(List.of(PROMPT, OUTPUT));
  }

  @Override
  Row.Arrival missingArrival() {
    return Row.Arrival.NONE;
  }
}
