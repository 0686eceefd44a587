package io.fusespill.traces;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// BurstGPT: CSV with seconds, request and response tokens. Rows without a response are failed
/// requests and are skipped.
///
/// Y. Wang et al., "BurstGPT: A Real-world Workload Dataset to Optimize LLM Serving Systems",
/// arXiv:2401.17644.
final class BurstGptTraceReader extends CsvTraceReader {

  private static final String TIME = "Timestamp";
  private static final String PROMPT = "Request tokens";
  private static final String OUTPUT = "Response tokens";

  private final int time = column(TIME);
  private final int prompt = column(PROMPT);
  private final int output = column(OUTPUT);

  BurstGptTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options);
  }

  static boolean recognises(FirstLine line) {
    return line.hasColumns(List.of(TIME, PROMPT, OUTPUT));
  }

  @Override
  @Nullable Row row() {
    if (TokenCount.whole(text(output)) == 0) {
      return skip("Response tokens is 0: a failed request");
    }
    return new Row(arrival(time, ArrivalUnit.SECONDS), tokens(prompt), tokens(output));
  }
}
