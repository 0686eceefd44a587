package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/// RAGPulse: JSONL with seconds as text, input and output length, and the ids of the prompt's parts
/// by kind.
///
/// Z. Wang et al., "RAGPulse", arXiv:2511.12979.
final class RagPulseTraceReader extends JsonlTraceReader {

  /*
   * The published file is two weeks, one after the other, and the clock restarts with the second:
   * 3,800 rows from 82 to 604,453 s, then 3,306 rows from 0 to 604,603 s. The session ids, which
   * begin with a Unix time, put 0 at 2025-09-10 04:00:34 UTC in the first part and at 2025-09-17
   * 04:00:34 UTC in the second. So where the time falls by more than half a week, a week is added
   * from there on, and the rows are counted as adjusted. A smaller fall stays an error.
   */

  private static final long WEEK_NANOS = 604_800_000_000_000L;
  private static final String HASHES = "hash_ids";

  /// In the order in which they stand in the prompt.
  private static final List<String> PARTS =
      List.of("sys_prompt", "passages_ids", "history", "web_search", "user_input");

  private long previousNanos;
  private long weeks;
  private long adjusted;

  RagPulseTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options, "timestamp", ArrivalUnit.SECONDS, "input_length", "output_length");
  }

  static boolean recognises(FirstLine line) {
    return line.fields().get(HASHES) == JsonToken.START_OBJECT;
  }

  @Override
  void field(String name, JsonParser json) throws IOException {
    if (!name.equals(HASHES)) {
      return;
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new InvalidRowException(
          "hash_ids is %s, must be an object of lists".formatted(Excerpt.of(json.getText())));
    }
    long[][] ids = new long[PARTS.size()][];
    Arrays.fill(ids, TraceRequest.NO_HASHES);
    for (String part = json.nextFieldName(); part != null; part = json.nextFieldName()) {
      int index = PARTS.indexOf(part);
      if (index < 0) {
        throw new InvalidRowException(
            "hash_ids has a part \"%s\", must be one of %s".formatted(Excerpt.of(part), PARTS));
      }
      json.nextToken();
      ids[index] = numbers(part, json);
    }
    prefix(Arrays.stream(ids).flatMapToLong(LongStream::of).toArray());
  }

  @Override
  Row.Arrival onOneClock(Row.Arrival arrival) {
    if (previousNanos - arrival.nanos() > WEEK_NANOS / 2) {
      weeks++;
    }
    previousNanos = arrival.nanos();
    if (weeks == 0) {
      return arrival;
    }
    adjusted++;
    return new Row.Arrival(arrival.field(), arrival.text(), arrival.nanos() + weeks * WEEK_NANOS);
  }

  @Override
  public long adjusted() {
    return adjusted;
  }
}
