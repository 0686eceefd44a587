package io.fusespill.traces;

import java.util.List;

/// Request lengths as Vidur, etalon and many artifacts keep them: CSV with prompt and output
/// tokens, perhaps with the arrival in seconds and with what somebody said the output would be.
/// Without arrivals all requests arrive at once.
final class LengthsTraceReader extends CsvTraceReader {

  private static final List<String> TIMES = List.of("arrived_at", "req_time");
  private static final List<String> DECLARED =
      List.of(LengthsTraceWriter.DECLARED, "num_predicted_decode_tokens");
  private static final List<String> VIDUR = List.of("num_prefill_tokens", "num_decode_tokens");
  private static final List<String> VLLM = List.of("prompt_len", "output_len");

  private final int time = anyColumn(TIMES);
  private final int declared = anyColumn(DECLARED);
  private final int prompt;
  private final int output;

  LengthsTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options);
    List<String> names = hasColumns(VLLM) ? VLLM : VIDUR;
    prompt = column(names.getFirst());
    output = column(names.getLast());
  }

  static boolean recognises(FirstLine line) {
    return line.hasColumns(VIDUR) || line.hasColumns(VLLM);
  }

  @Override
  Row row() {
    Row.Arrival arrival = time < 0 ? Row.Arrival.NONE : arrival(time, ArrivalUnit.SECONDS);
    return new Row(
        arrival,
        tokens(prompt),
        tokens(output),
        declared < 0 ? 0 : declaredTokens(declared),
        0,
        TraceRequest.NO_HASHES);
  }
}
