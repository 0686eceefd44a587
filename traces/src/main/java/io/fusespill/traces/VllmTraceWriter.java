package io.fusespill.traces;

import java.nio.file.Path;

/// Writes lengths as JSONL, with exact seconds; prefix hashes are left out.
final class VllmTraceWriter extends FileTraceWriter {

  VllmTraceWriter(Path file) {
    super(file);
  }

  @Override
  String row(TraceRequest request) {
    return "{\"prompt_len\": "
        + request.promptTokens()
        + ", \"output_len\": "
        + request.outputTokens()
        + ", \"arrival\": "
        + ArrivalUnit.SECONDS.decimal(request.arrivalNanos())
        + JsonlTraceReader.declared(request)
        + "}";
  }
}
