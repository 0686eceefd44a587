package io.fusespill.traces;

import java.nio.file.Path;
import java.util.Arrays;

/// Writes Mooncake's format. Milliseconds get a fraction only where the arrival has one; a request
/// without prefix hashes gets an empty list; hashes of smaller parts are merged; a declared length
/// is a field more.
final class MooncakeTraceWriter extends FileTraceWriter {

  MooncakeTraceWriter(Path file) {
    super(file);
  }

  @Override
  String row(TraceRequest request) {
    return "{\"timestamp\": "
        + ArrivalUnit.MILLISECONDS.decimal(request.arrivalNanos())
        + ", \"input_length\": "
        + request.promptTokens()
        + ", \"output_length\": "
        + request.outputTokens()
        + ", \"hash_ids\": "
        + Arrays.toString(blocks(request))
        + JsonlTraceReader.declared(request)
        + "}";
  }

  /// One hash for each block; of smaller parts as many as a block has become one.
  private static long[] blocks(TraceRequest request) {
    long[] hashes = request.prefixHashes();
    int each = request.tokensPerHash();
    int block = MooncakeTraceReader.BLOCK_TOKENS;
    if (hashes.length == 0 || each == block) {
      return hashes;
    }
    if (each == 0 || block % each != 0) {
      throw new TraceException(
          ("a request of %d prompt tokens has %d prefix hashes of %s tokens, mooncake must have %d,"
                  + " one for each %d tokens; write lengths or vllm, which have none")
              .formatted(
                  request.promptTokens(),
                  hashes.length,
                  each == 0 ? "any number of" : String.valueOf(each),
                  Math.ceilDiv(request.promptTokens(), block),
                  block));
    }
    int parts = block / each;
    long[] merged = new long[Math.ceilDiv(hashes.length, parts)];
    for (int i = 0; i < hashes.length; i++) {
      long hash = (merged[i / parts] ^ hashes[i]) * 0x9E3779B97F4A7C15L;
      merged[i / parts] = (hash ^ hash >>> 29) & Long.MAX_VALUE;
    }
    return merged;
  }
}
