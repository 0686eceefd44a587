package io.fusespill.replay;

import io.fusespill.engine.metrics.RequestOutcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/// One line a request, written as requests end. Times are nanoseconds since the run's start, -1 for
/// what never came.
public final class RequestCsv implements Consumer<RequestOutcome>, AutoCloseable {

  private static final String HEADER =
      "request,ending,arrival_ns,first_token_ns,end_ns,prompt_tokens,output_tokens,samples,preemptions\n";

  private final Writer writer;
  private final StringBuilder line = new StringBuilder(128);

  public RequestCsv(Path file) {
    try {
      writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
      writer.write(HEADER);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void accept(RequestOutcome outcome) {
    line.setLength(0);
    line.append(outcome.request())
        .append(',')
        .append(outcome.ending().name().toLowerCase(Locale.ROOT))
        .append(',')
        .append(outcome.arrivalNanos())
        .append(',')
        .append(outcome.firstTokenNanos())
        .append(',')
        .append(outcome.endNanos())
        .append(',')
        .append(outcome.promptTokens())
        .append(',')
        .append(outcome.outputTokens())
        .append(',')
        .append(outcome.samples())
        .append(',')
        .append(outcome.preemptions())
        .append('\n');
    try {
      writer.append(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
