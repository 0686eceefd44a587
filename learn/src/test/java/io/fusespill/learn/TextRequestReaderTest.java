package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.traces.TraceException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TextRequestReaderTest {

  @TempDir private Path folder;

  @Test
  void read_eachNameOfItsFields_isTheSameRequest() throws IOException {
    assertThat(
            read(
                """
                {"prompt": "Hello, world!", "output": "Hi."}
                {"question": "Hello, world!", "answer": "Hi.", "id": 7}
                {"instruction": "Hello, world!", "input": "", "response": "Hi."}

                {"instruction": "Hello,", "input": "world!", "output": "Hi."}
                {"prompt": "Hello, world!", "prompt_tokens": 9, "output_tokens": 8, "output": "Hi.", "arrival": 1.5}
                """))
        .containsExactly(
            new TextRequest("Hello, world!", 4, 2, null),
            new TextRequest("Hello, world!", 4, 2, null),
            new TextRequest("Hello, world!\n", 5, 2, null),
            new TextRequest("Hello,\nworld!", 5, 2, null),
            new TextRequest("Hello, world!", 9, 8, 1_500_000_000L));
  }

  @Test
  void read_gzip_isRecognised() throws IOException {
    Path file = folder.resolve("data");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("{\"prompt\": \"a\", \"output\": \"b\"}".getBytes(StandardCharsets.UTF_8));
    }
    try (TextRequestReader reader = TextRequestReader.open(file, false)) {
      assertThat(reader.next()).isEqualTo(new TextRequest("a", 1, 1, null));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"output\": \"b\"}|no field \"prompt\", \"question\", \"instruction\"",
        "{\"prompt\": \"a\"}|no field \"output\", \"response\", \"answer\" or \"output_tokens\"",
        "{\"prompt\": 7, \"output\": \"b\"}|prompt is 7, must be text",
        "{\"prompt\": \" \", \"output\": \"b\"}|prompt is blank",
        "{\"prompt\": \"a\", \"output\": null}|output is null, must be text",
        "{\"prompt\": \"a\", \"output_tokens\": 0}|output_tokens is 0, must be a whole number 1 to",
        "{\"prompt\": \"a\", \"output_tokens\": 1.5}|output_tokens is 1.5, must be",
        "{\"prompt\": \"a\", \"output_tokens\": 1e99}|output_tokens is 1E+99, must be",
        "{\"prompt\": \"a\", \"output_tokens\": \"x\"}|output_tokens is \"x\", must be",
        "{\"prompt\": \"a\", \"output\": \"b\", \"arrival\": -1}|arrival is -1, must be seconds",
        "{\"prompt\": \"a\", \"output\": \"b\", \"arrival\": 1e999999}|arrival is 1E+999999, must",
        "[1]|no JSON object but [1]",
        "{\"prompt\": \"a\"|no JSON object: Unexpected end-of-input: expected close marker for Object;",
        "[|begins a JSON list, must be one JSON object a line",
      })
  void read_badRow_namesLineFieldAndValue(String row, String message) {
    String good = "{\"prompt\": \"a\", \"output\": \"b\"}\n";

    assertThatThrownBy(() -> read(good + row + "\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("data.jsonl:2: " + message)
        .hasMessageContaining("--skip-invalid");
  }

  @Test
  void read_badRowsSkipped_areCountedWithTheFirstReason() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("data.jsonl"), "{}\n{\"prompt\": \"a\", \"output\": \"b\"}\n7\n");
    try (TextRequestReader reader = TextRequestReader.open(file, true)) {
      List<TextRequest> requests = new ArrayList<>();
      reader.forEachRemaining(requests::add);

      assertThat(requests).hasSize(1);
      assertThat(reader.skipped()).isEqualTo(2);
      assertThat(reader.skippedReason()).contains("data.jsonl:1: no field \"prompt\"");
    }
  }

  @Test
  void read_noRows_saysSo() {
    assertThatThrownBy(() -> read("\n"))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("holds no row");
  }

  private List<TextRequest> read(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("data.jsonl"), text);
    List<TextRequest> requests = new ArrayList<>();
    try (TextRequestReader reader = TextRequestReader.open(file, false)) {
      reader.forEachRemaining(requests::add);
    }
    return requests;
  }
}
