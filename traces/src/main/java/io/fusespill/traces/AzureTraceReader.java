package io.fusespill.traces;

import java.util.List;

/// Azure LLM inference traces of 2023 and 2024: CSV with a date and time, prompt tokens and output
/// tokens.
///
/// P. Patel et al., "Splitwise: Efficient generative LLM inference using phase splitting", ISCA
/// 2024.
final class AzureTraceReader extends CsvTraceReader {

  private static final String TIME = "TIMESTAMP";
  private static final String PROMPT = "ContextTokens";
  private static final String OUTPUT = "GeneratedTokens";

  private final int time = column(TIME);
  private final int prompt = column(PROMPT);
  private final int output = column(OUTPUT);

  AzureTraceReader(LineReader lines, ReadOptions options) {
    super(lines, options);
  }

  static boolean recognises(FirstLine line) {
    return line.hasColumns(List.of(TIME, PROMPT, OUTPUT));
  }

  @Override
  Row row() {
    String text = text(time);
    Row.Arrival arrival = new Row.Arrival(TIME, text, AzureTimestamp.epochNanos(TIME, text));
    return new Row(arrival, tokens(prompt), tokens(output));
  }
}
