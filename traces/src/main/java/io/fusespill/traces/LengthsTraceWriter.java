package io.fusespill.traces;

import java.nio.file.Path;

/// Writes lengths as Vidur reads them, with exact seconds; prefix hashes are left out.
///
/// The first request decides whether the file has a column of declared lengths. In a file with one
/// a request that declares nothing has an empty cell.
final class LengthsTraceWriter extends FileTraceWriter {

  static final String DECLARED = "declared_output_tokens";

  private static final String HEADER = "arrived_at,num_prefill_tokens,num_decode_tokens";

  private boolean begun;
  private boolean declaring;

  LengthsTraceWriter(Path file) {
    super(file);
  }

  @Override
  String row(TraceRequest request) {
    begin(request.declares());
    if (request.declares() && !declaring) {
      throw new TraceException(
          ("a request declares %d output tokens and the first one of the file none, which lengths"
                  + " cannot say; write vllm, where each request has its own fields")
              .formatted(request.declaredOutputTokens()));
    }
    String row =
        ArrivalUnit.SECONDS.decimal(request.arrivalNanos())
            + ","
            + request.promptTokens()
            + ","
            + request.outputTokens();
    if (!declaring) {
      return row;
    }
    return row + "," + (request.declares() ? request.declaredOutputTokens() : "");
  }

  @Override
  void end() {
    begin(false);
  }

  private void begin(boolean declares) {
    if (!begun) {
      begun = true;
      declaring = declares;
      line(declares ? HEADER + "," + DECLARED : HEADER);
    }
  }
}
