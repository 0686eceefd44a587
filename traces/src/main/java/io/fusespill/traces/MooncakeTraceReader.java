package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.List;

/// Mooncake traces: JSONL with milliseconds, input and output length, and one hash id for each
/// block of 512 prompt tokens.
///
/// R. Qin et al., "Mooncake: Trading More Storage for Less Computation", FAST 2025.
final class MooncakeTraceReader extends JsonlTraceReader {

  /// Prompt tokens in one block.
  static final int BLOCK_TOKENS = 512;

  private static final String TIME = "timestamp";
  private static final String PROMPT = "input_length";
  private static final String OUTPUT = "output_length";
  private static final String HASHES = "hash_ids";

  MooncakeTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options, TIME, ArrivalUnit.MILLISECONDS, PROMPT, OUTPUT);
  }

  static boolean recognises(FirstLine line) {
    return line.hasFields(List.of(TIME, PROMPT, OUTPUT))
        && line.fields().get(HASHES) != JsonToken.START_OBJECT;
  }

  @Override
  void field(String name, JsonParser json) throws IOException {
    if (name.equals(HASHES)) {
      prefix(name, BLOCK_TOKENS, numbers(name, json));
    }
  }
}
