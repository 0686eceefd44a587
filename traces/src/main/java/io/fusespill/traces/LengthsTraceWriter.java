package io.fusespill.traces;

import java.nio.file.Path;

/// Writes lengths as Vidur reads them, with exact seconds; prefix hashes are left out.
final class LengthsTraceWriter extends FileTraceWriter {

  LengthsTraceWriter(Path file) {
    super(file);
    line("arrived_at,num_prefill_tokens,num_decode_tokens");
  }

  @Override
  String row(TraceRequest request) {
    return ArrivalUnit.SECONDS.decimal(request.arrivalNanos())
        + ","
        + request.promptTokens()
        + ","
        + request.outputTokens();
  }
}
