package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LineReaderTest {

  @Test
  void advance_linesOfAllEnds_haveTheirTextAndNumber() {
    assertThat(lines("a\nb\r\n\n  c d \r\n\t\n é"))
        .containsExactly("1 a", "2 b", "4   c d", "6  é");
    assertThat(lines("")).isEmpty();
    assertThat(lines("\n\r\n \n")).isEmpty();
    assertThat(lines("\ufeffa\n\ufeffb")).containsExactly("1 a", "2 \ufeffb");
  }

  @Test
  void advance_linesAroundTheBufferSize_areWhole() {
    for (int length = (1 << 16) - 2; length <= (1 << 16) + 2; length++) {
      String line = "x".repeat(length);
      assertThat(lines(line + "\n" + line + "\r\nend"))
          .containsExactly("1 " + line, "2 " + line, "3 end");
    }
  }

  @Test
  void advance_lineLongerThanTheLimit_saysSo() {
    try (LineReader lines = new LineReader("binary", new Repeated("x", Integer.MAX_VALUE))) {
      assertThatThrownBy(lines::advance)
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("binary:1: longer than " + TraceLimits.MAX_LINE_BYTES + " bytes");
    }
  }

  @Test
  void advance_streamFails_namesTheLine() {
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("disk on fire");
          }
        };

    assertThatThrownBy(() -> new LineReader("trace.csv", failing).advance())
        .isInstanceOf(TraceException.class)
        .hasMessage("trace.csv:1: cannot be read: disk on fire");
  }

  /// A million rows are never held: what was taken from the stream is ahead of the requests by one
  /// buffer at most.
  @Test
  void read_aMillionRows_takesThemAsTheyAreAskedFor() {
    String row = "2024-05-10 00:00:00.009930+00:00,374,44\n";
    Repeated stream = new Repeated(row, 1_000_000);
    TraceReader reader =
        TraceFormat.AZURE.open(
            new LineReader(
                "generated",
                new SequenceInputStream(
                    new ByteArrayInputStream(
                        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                            .getBytes(StandardCharsets.UTF_8)),
                    stream)),
            ReadOptions.ALL);
    long requests = 0;
    long aheadMax = 0;
    try (reader) {
      while (reader.hasNext()) {
        reader.next();
        requests++;
        aheadMax = Math.max(aheadMax, stream.taken - requests * row.length());
      }
    }

    assertThat(requests).isEqualTo(1_000_000);
    assertThat(aheadMax).isBetween(1L, 1L << 16);
  }

  private static List<String> lines(String text) {
    List<String> found = new ArrayList<>();
    try (LineReader lines = TestTraces.lines(text)) {
      while (lines.advance()) {
        assertThat(
                new String(lines.bytes(), lines.offset(), lines.length(), StandardCharsets.UTF_8))
            .isEqualTo(lines.text());
        found.add(lines.number() + " " + lines.text());
      }
    }
    return found;
  }

  /// The same text again and again.
  private static final class Repeated extends InputStream {

    private final byte[] text;
    private final long length;
    private long taken;

    Repeated(String text, int times) {
      this.text = text.getBytes(StandardCharsets.UTF_8);
      this.length = (long) times * this.text.length;
    }

    @Override
    public int read() {
      return taken == length ? -1 : text[(int) (taken++ % text.length)];
    }

    @Override
    public int read(byte[] bytes, int offset, int count) {
      int copied = 0;
      while (copied < count && taken < length) {
        int from = (int) (taken % text.length);
        int chunk = Math.min(count - copied, text.length - from);
        System.arraycopy(text, from, bytes, offset + copied, chunk);
        copied += chunk;
        taken += chunk;
      }
      return copied == 0 ? -1 : copied;
    }
  }
}
