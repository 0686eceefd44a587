package io.fusespill.traces;

/// Writes requests to a file, one row each.
///
/// `write` and `close` throw a [TraceException] where the file cannot be written or the format
/// cannot say what the request says.
public interface TraceWriter extends AutoCloseable {

  void write(TraceRequest request);

  @Override
  void close();
}
