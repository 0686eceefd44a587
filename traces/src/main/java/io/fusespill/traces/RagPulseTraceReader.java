package io.fusespill.traces;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// RAGPulse: JSONL with seconds as text, input and output length, and the ids of the prompt's parts
/// by kind.
///
/// Z. Wang et al., "RAGPulse", arXiv:2511.12979.
final class RagPulseTraceReader extends JsonlTraceReader {

  /*
   * The published file is two recordings of the same week, one after the other: its time runs
   * from 82 to 604,453 s and then again from 0 to 604,603 s. Were the second one taken as late,
   * its requests would all arrive at one instant. So the rows are sorted: equal times stay in
   * file order, and the rows that moved are counted as adjusted.
   */

  private static final String HASHES = "hash_ids";

  /// In the order in which they stand in the prompt.
  private static final List<String> PARTS =
      List.of("sys_prompt", "passages_ids", "history", "web_search", "user_input");

  private @Nullable Deque<Row> sorted;
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
  @Nullable Row nextInOrder() {
    if (sorted == null) {
      sorted = readSorted();
    }
    return sorted.poll();
  }

  private Deque<Row> readSorted() {
    List<Row> rows = new ArrayList<>();
    long latest = Long.MIN_VALUE;
    for (Row row = nextInFile(); row != null; row = nextInFile()) {
      if (rows.size() == TraceLimits.MAX_SORTED_ROWS) {
        throw tooMany();
      }
      rows.add(row);
      if (row.arrival().nanos() < latest) {
        adjusted++;
      }
      latest = Math.max(latest, row.arrival().nanos());
    }
    rows.sort(Comparator.comparingLong(row -> row.arrival().nanos()));
    return new ArrayDeque<>(rows);
  }

  private TraceException tooMany() {
    return new TraceException(
        "%s: more than %d rows, which ragpulse sorts in memory; sort the file by timestamp and convert it to mooncake"
            .formatted(place(), TraceLimits.MAX_SORTED_ROWS));
  }

  @Override
  public long adjusted() {
    return adjusted;
  }
}
