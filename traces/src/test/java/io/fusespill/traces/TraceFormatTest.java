package io.fusespill.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What every format keeps to.
final class TraceFormatTest {

  private static final List<String> BAD_TOKENS =
      List.of("0", "-3", "10000001", "99999999999999999999", "12.5", "1e3", "\"x\"");
  private static final List<String> BAD_TIMES = List.of("-1", "1e30", "1e999999999", "\"x\"");

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void open_sample_readsTheRequests(TraceFormat format) {
    Sample sample = Sample.of(format);

    assertThat(TestTraces.read(format, sample.text())).isEqualTo(sample.expected());
  }

  @ParameterizedTest
  @EnumSource
  void open_crlfAndNoNewlineAtTheEnd_readsTheSame(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text = sample.text().strip().replace("\n", "\r\n");

    assertThat(TestTraces.read(format, text)).isEqualTo(sample.expected());
  }

  @ParameterizedTest
  @EnumSource
  void open_blankLinesAndByteOrderMark_readsTheSame(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text = "\ufeff" + sample.text().replace("\n", "\n\n \t\r\n") + "\n";

    assertThat(TestTraces.read(format, text)).isEqualTo(sample.expected());
  }

  @ParameterizedTest
  @EnumSource
  void detect_plainFile_findsTheFormat(TraceFormat format) {
    Sample sample = Sample.of(format);
    Path file = TestTraces.write(folder.resolve("trace"), sample.text());

    assertThat(TraceFormat.detect(file)).isEqualTo(format);
    assertThat(TestTraces.drain(format.open(file, ReadOptions.ALL))).isEqualTo(sample.expected());
  }

  @ParameterizedTest
  @EnumSource
  void detect_gzipUnderAnyName_findsTheFormat(TraceFormat format) {
    Sample sample = Sample.of(format);
    Path file = TestTraces.write(folder.resolve("trace.txt"), TestTraces.gzip(sample.text()));

    assertThat(TraceFormat.detect(file)).isEqualTo(format);
    assertThat(TestTraces.drain(format.open(file, ReadOptions.ALL))).isEqualTo(sample.expected());
  }

  @ParameterizedTest
  @EnumSource
  void open_gzipCutShort_saysSo(TraceFormat format) {
    byte[] whole = TestTraces.gzip(Sample.of(format).text());
    Path file = TestTraces.write(folder.resolve("cut"), Arrays.copyOf(whole, whole.length - 9));

    assertThatThrownBy(() -> TestTraces.drain(format.open(file, ReadOptions.ALL)))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("cannot be read");
  }

  @ParameterizedTest
  @EnumSource
  void open_noRows_saysSo(TraceFormat format) {
    for (String text : List.of("", "\n\r\n", Sample.of(format).header())) {
      assertThatThrownBy(() -> TestTraces.read(format, text))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample: ")
          .hasMessageMatching("(?s).*(is empty|holds no row), must .*");
    }
  }

  /// Every cut either still is a request or is refused with its line; nothing else is thrown.
  @ParameterizedTest
  @EnumSource
  void open_lastRowCutAnywhere_readsOrSaysWhere(TraceFormat format) {
    Sample sample = Sample.of(format);
    String whole = sample.row(sample.late(), "1234", "567");
    int refused = 0;
    for (int length = 1; length < whole.length(); length++) {
      String text = sample.text(sample.row(sample.early(), "10", "20"), whole.substring(0, length));
      try {
        assertThat(TestTraces.read(format, text)).hasSize(2);
      } catch (TraceException e) {
        assertThat(e).hasMessageStartingWith("sample:%d: ".formatted(sample.line(2)));
        refused++;
      }
    }
    // A number that lost its last digits is still a number, so a CSV row can lose a few unseen.
    assertThat(refused).isGreaterThan(whole.length() - 10);
  }

  @ParameterizedTest
  @MethodSource("tokenFields")
  void open_badTokens_namesFieldValueAndRange(TraceFormat format, boolean prompt) {
    Sample sample = Sample.of(format);
    for (String bad : BAD_TOKENS) {
      if (format == TraceFormat.BURSTGPT && !prompt && bad.equals("0")) {
        continue; // a failed request, see BurstGptTraceReaderTest
      }
      String row =
          prompt ? sample.row(sample.late(), bad, "20") : sample.row(sample.late(), "10", bad);
      String text = sample.text(sample.row(sample.early(), "10", "20"), row);
      TraceReader reader = TestTraces.reader(format, text, ReadOptions.ALL);
      String field = prompt ? sample.promptField() : sample.outputField();
      reader.next();

      assertThatThrownBy(reader::next)
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample:%d: %s is ".formatted(sample.line(2), field))
          .hasMessageContaining(bad.replace("\"", ""))
          .hasMessageContaining("must be a whole number 1 to 10000000")
          .hasMessageContaining("--skip-invalid");
    }
  }

  static Stream<Arguments> tokenFields() {
    return Arrays.stream(TraceFormat.values())
        .flatMap(format -> Stream.of(Arguments.of(format, true), Arguments.of(format, false)));
  }

  @ParameterizedTest
  @EnumSource
  void open_badTime_namesFieldAndValue(TraceFormat format) {
    Sample sample = Sample.of(format);
    for (String bad : BAD_TIMES) {
      String time = sample.row().contains("\"TIME\"") ? bad.replace("\"", "") : bad;
      assertThatThrownBy(() -> TestTraces.read(format, sample.text(sample.row(time, "10", "20"))))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("sample:%d: %s is ".formatted(sample.line(1), sample.timeField()))
          .hasMessageContaining(bad.replace("\"", ""));
    }
  }

  @ParameterizedTest
  @EnumSource
  void open_skipInvalid_countsTheBadRowsAndKeepsTheReason(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text =
        sample.text(
            sample.row(sample.early(), "0", "20"),
            sample.row(sample.early(), "10", "20"),
            "broken",
            sample.row(sample.late(), "11", "21"));
    TraceReader reader = TestTraces.reader(format, text, ReadOptions.ALL.withSkipInvalid(true));

    List<TraceRequest> requests = TestTraces.drain(reader);

    assertThat(requests).extracting(TraceRequest::promptTokens).containsExactly(10, 11);
    assertThat(requests.getFirst().arrivalNanos()).isZero();
    assertThat(reader.skipped()).isEqualTo(2);
    assertThat(reader.skippedReason())
        .startsWith("sample:%d: %s is \"0\"".formatted(sample.line(1), sample.promptField()));
  }

  @ParameterizedTest
  @EnumSource
  void open_timeGoesBack_namesBothTimes(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text =
        sample.text(sample.row(sample.late(), "10", "20"), sample.row(sample.early(), "10", "20"));

    assertThatThrownBy(() -> TestTraces.read(format, text))
        .isInstanceOf(TraceException.class)
        .hasMessage(
            "sample:%d: %s is %s, must not be before the %s of the row before; sort the file by %s"
                .formatted(
                    sample.line(2),
                    sample.timeField(),
                    sample.early(),
                    sample.late(),
                    sample.timeField()));
  }

  @ParameterizedTest
  @EnumSource
  void open_timeGoesBackAndSkipInvalid_isRefusedAllTheSame(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text =
        sample.text(sample.row(sample.late(), "10", "20"), sample.row(sample.early(), "10", "20"));
    ReadOptions options = ReadOptions.ALL.withSkipInvalid(true);

    assertThatThrownBy(() -> TestTraces.drain(TestTraces.reader(format, text, options)))
        .isInstanceOf(TraceException.class);
  }

  @ParameterizedTest
  @EnumSource
  void open_limit_endsThere(TraceFormat format) {
    Sample sample = Sample.of(format);
    TraceReader reader = TestTraces.reader(format, sample.text(), ReadOptions.ALL.withLimit(1));

    assertThat(TestTraces.drain(reader)).isEqualTo(sample.expected().subList(0, 1));
    assertThat(reader.hasNext()).isFalse();
    assertThatThrownBy(reader::next).isInstanceOf(NoSuchElementException.class);
  }

  @ParameterizedTest
  @EnumSource
  void open_lengthFilter_countsWhatDoesNotFitAndBeginsAtZero(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text =
        sample.text(
            sample.row(sample.early(), "1025", "1"),
            sample.row(sample.early(), "1024", "489"),
            sample.row(sample.late(), "1024", "488"));
    ReadOptions options = ReadOptions.ALL.withLengths(LengthFilter.FUSESPILL_PAPER);
    TraceReader reader = TestTraces.reader(format, text, options);

    assertThat(TestTraces.drain(reader))
        .extracting(TraceRequest::arrivalNanos, TraceRequest::outputTokens)
        .containsExactly(tuple(0L, 488));
    assertThat(reader.skipped()).isEqualTo(2);
    assertThat(reader.skippedReason())
        .endsWith(
            "1025 prompt and 1 output tokens are longer than max-prompt 1024 and max-total 1512");
  }

  /// JSON says what is missing in the row, CSV in the header.
  @ParameterizedTest
  @EnumSource
  void open_otherFieldsThanTheFormats_saysWhichIsMissing(TraceFormat format) {
    Sample sample = Sample.of(format);
    String text = sample.header().isEmpty() ? "{\"a\": 1, \"b\": [2]}\n" : "a,b,c\n1,2,3\n";

    assertThatThrownBy(() -> TestTraces.read(format, text))
        .isInstanceOf(TraceException.class)
        .hasMessageMatching(
            "(?s)sample:1: no (column|field) \"(%s|%s)\".*(--format|--skip-invalid).*"
                .formatted(sample.timeField(), sample.promptField()));
  }

  @Test
  void detect_unknownFirstLine_listsTheFormats() {
    Path file = TestTraces.write(folder.resolve("passages"), "{\"passage_id\": 0}\n");

    assertThatThrownBy(() -> TraceFormat.detect(file))
        .isInstanceOf(TraceException.class)
        .hasMessageStartingWith(file + ": in no known format, begins \"{\"passage_id\": 0}\"")
        .hasMessageContaining("--format")
        .satisfies(e -> {
          for (TraceFormat format : TraceFormat.values()) {
            assertThat(e).hasMessageContaining(format.label());
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\0r\0r\0,\0b\0\n", "\u0080\u00ff\n"})
  void detect_noText_isNotQuoted(String bytes) throws IOException {
    Path file = Files.write(folder.resolve("binary"), bytes.getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> TraceFormat.detect(file))
        .isInstanceOf(TraceException.class)
        .hasMessage(file + ": is no text in UTF-8, must be CSV or JSON lines, plain or gzip");
  }

  /// Names of columns and texts that nobody reads may be in another encoding, or hold U+FFFD.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "prompt_len,output_len,Gr\u00f6\u00dfe\n4,5,6\n",
        "{\"prompt_len\":4,\"output_len\":5,\"note\":\"\u00ef\u00bf\u00bd\"}\n"
      })
  void detect_knownFormatBesideBytesThatAreNoText_isFound(String bytes) throws IOException {
    Path file = Files.write(folder.resolve("trace"), bytes.getBytes(StandardCharsets.ISO_8859_1));

    assertThat(TraceFormat.detect(file)).isIn(TraceFormat.LENGTHS, TraceFormat.VLLM_JSONL);
  }

  @Test
  void detect_binaryFile_isQuotedWithoutControlCharacters() {
    Path file = TestTraces.write(folder.resolve("binary"), "PK\u0003\u0004\u001b[2J\u009bx\n");

    assertThatThrownBy(() -> TraceFormat.detect(file))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("begins \"PK\\u0003\\u0004\\u001b[2J\\u009bx\"");
  }

  @Test
  void detect_emptyOrMissingFile_saysSo() {
    Path empty = TestTraces.write(folder.resolve("empty"), "\n");

    assertThatThrownBy(() -> TraceFormat.detect(empty))
        .isInstanceOf(TraceException.class)
        .hasMessage(empty + ": is empty, must hold a trace");
    assertThatThrownBy(() -> TraceFormat.detect(folder.resolve("missing")))
        .isInstanceOf(TraceException.class)
        .hasMessage(folder.resolve("missing") + ": no such file");
  }

  @Test
  void named_eachLabel_findsItsFormat() {
    List<String> labels = new ArrayList<>();
    for (TraceFormat format : TraceFormat.values()) {
      assertThat(TraceFormat.named(format.label())).isEqualTo(format);
      assertThat(format.description()).isNotEmpty().doesNotContain("\n");
      labels.add(format.label());
    }

    assertThat(labels)
        .containsExactly(
            "azure", "burstgpt", "mooncake", "ragpulse", "lengths", "vllm", "llmservingsim");
    assertThatThrownBy(() -> TraceFormat.named("pcap"))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("\"pcap\"")
        .hasMessageContaining("mooncake");
  }
}
