package io.fusespill.traces;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/// Traces from text, from values and to lists.
final class TestTraces {

  private TestTraces() {}

  /// A reader of text, which messages call `sample`.
  static TraceReader reader(TraceFormat format, String text, ReadOptions options) {
    return format.open(lines(text), options);
  }

  static List<TraceRequest> read(TraceFormat format, String text) {
    return drain(reader(format, text, ReadOptions.ALL));
  }

  static LineReader lines(String text) {
    return new LineReader(
        "sample", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  static List<TraceRequest> drain(TraceReader reader) {
    List<TraceRequest> requests = new ArrayList<>();
    try (reader) {
      reader.forEachRemaining(requests::add);
    }
    return requests;
  }

  static TraceReader of(TraceRequest... requests) {
    Iterator<TraceRequest> iterator = List.of(requests).iterator();
    return new TraceReader() {
      @Override
      public boolean hasNext() {
        return iterator.hasNext();
      }

      @Override
      public TraceRequest next() {
        return iterator.next();
      }
    };
  }

  static Path write(Path file, String text) {
    return write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] gzip(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
