package io.fusespill.traces;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A trace file being written, UTF-8 with LF. A format says what a row is.
abstract class FileTraceWriter implements TraceWriter {

  private final Path file;
  private final BufferedWriter out;

  FileTraceWriter(Path file) {
    this.file = file;
    try {
      out = Files.newBufferedWriter(file);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /// The row of a request, without the end of the line.
  abstract String row(TraceRequest request);

  @Override
  public final void write(TraceRequest request) {
    line(row(request));
  }

  final void line(String text) {
    try {
      out.write(text);
      out.write('\n');
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /// What follows the last row, before the file is closed.
  void end() {}

  @Override
  public final void close() {
    try (out) {
      end();
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private TraceException unwritable(IOException e) {
    return new TraceException("%s: cannot be written (%s)".formatted(file, e), e);
  }
}
