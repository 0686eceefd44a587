package io.fusespill.traces;

import java.nio.file.Path;
import java.util.Arrays;

/// Writes Mooncake's format. Milliseconds get a fraction only where the arrival has one; a request
/// without prefix hashes gets an empty list; a declared length is a field more.
final class MooncakeTraceWriter extends FileTraceWriter {

  MooncakeTraceWriter(Path file) {
    super(file);
  }

  @Override
  String row(TraceRequest request) {
    int hashes = request.prefixHashes().length;
    int each = MooncakeTraceReader.BLOCK_TOKENS;
    if (hashes != 0 && request.tokensPerHash() != each) {
      throw new TraceException(
          ("a request of %d prompt tokens has %d prefix hashes%s, mooncake must have %d,"
                  + " one for each %d tokens; write lengths or vllm, which have none")
              .formatted(
                  request.promptTokens(),
                  hashes,
                  request.tokensPerHash() == 0
                      ? ""
                      : " of %d tokens".formatted(request.tokensPerHash()),
                  Math.ceilDiv(request.promptTokens(), each),
                  each));
    }
    return "{\"timestamp\": "
        + ArrivalUnit.MILLISECONDS.decimal(request.arrivalNanos())
        + ", \"input_length\": "
        + request.promptTokens()
        + ", \"output_length\": "
        + request.outputTokens()
        + ", \"hash_ids\": "
        + Arrays.toString(request.prefixHashes())
        + JsonlTraceReader.declared(request)
        + "}";
  }
}
