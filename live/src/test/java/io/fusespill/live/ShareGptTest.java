package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.traces.LengthFilter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// ShareGPT's conversations as requests.
class ShareGptTest {

  @TempDir private Path folder;

  private Path file(List<String> turns) throws IOException {
    List<String> elements = new ArrayList<>();
    for (int i = 0; i + 1 < turns.size(); i += 2) {
      elements.add(
          "{\"id\": \"%d\", \"conversations\": [{\"value\": \"%s\"}, {\"value\": \"%s\"}, {\"value\": \"more\"}]}"
              .formatted(i, turns.get(i), turns.get(i + 1)));
    }
    return Files.writeString(
        folder.resolve("chats.json"), "[" + String.join(",\n", elements) + "]");
  }

  private static List<SizedPrompt> sample(
      Path file, int count, int outputTokens, LengthFilter lengths, long seed) {
    try (Tokenizer tokenizer = Tokenizer.open(GoldenModel.folder("llama2-mha"))) {
      return ShareGpt.read(file).sample(tokenizer, count, outputTokens, lengths, seed, taken -> {});
    }
  }

  @Test
  void tooShortAndTooLong_areLeftOut() throws IOException {
    String long1 = "word ".repeat(200);
    Path file =
        file(
            List.of(
                "def f(x): return x",
                "def g(x): return x + 1", // kept
                "a",
                "def g(x): return x + 1",
                "def f(x): return x",
                "b",
                long1,
                "def g(x): return x + 1",
                "def h(y): return y",
                long1));
    try (Tokenizer tokenizer = Tokenizer.open(GoldenModel.folder("llama2-mha"))) {
      int prompt = tokenizer.encode("def f(x): return x", true).length;
      int output = tokenizer.encode("def g(x): return x + 1", true).length;
      assertThat(sample(file, 10, 0, new LengthFilter(100, 150), 0))
          .singleElement()
          .satisfies(only -> {
            assertThat(only.ids().size()).isEqualTo(prompt);
            assertThat(only.outputTokens()).isEqualTo(output);
            assertThat(only.totalTokens()).isEqualTo(prompt + output);
          });
    }
    assertThat(sample(file, 10, 9, LengthFilter.NONE, 0))
        .hasSize(4)
        .allMatch(each -> each.outputTokens() == 9);
  }

  @Test
  void gzip_isUnpacked() throws IOException {
    Path plain = file(List.of("def f(x): return x", "def g(x): return x + 1"));
    Path packed = folder.resolve("packed");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      Files.copy(plain, out);
    }
    assertThat(ShareGpt.recognises(packed)).isTrue();
    assertThat(sample(packed, 1, 0, LengthFilter.NONE, 0))
        .isEqualTo(sample(plain, 1, 0, LengthFilter.NONE, 0));
  }

  @Test
  void seed_decidesWhoIsDrawn_andNobodyIsTwice() throws IOException {
    List<String> turns = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      turns.add("question number %d of many".formatted(i));
      turns.add("an answer to number %d".formatted(i));
    }
    Path file = file(turns);
    List<SizedPrompt> some = sample(file, 12, 0, LengthFilter.NONE, 5);
    assertThat(some).hasSize(12).doesNotHaveDuplicates();
    assertThat(sample(file, 12, 0, LengthFilter.NONE, 5)).isEqualTo(some);
    assertThat(sample(file, 12, 0, LengthFilter.NONE, 6)).isNotEqualTo(some);
    assertThat(sample(file, 99, 0, LengthFilter.NONE, 5))
        .hasSize(30)
        .startsWith(some.toArray(SizedPrompt[]::new));
  }

  @Test
  void file_isToldByItsBeginning() throws IOException {
    assertThat(ShareGpt.recognises(Files.writeString(folder.resolve("a"), " \n[{}]"))).isTrue();
    assertThat(ShareGpt.recognises(Files.writeString(folder.resolve("b"), "{\"a\": 1}"))).isFalse();
    assertThat(ShareGpt.recognises(folder.resolve("none"))).isFalse();
  }

  @Test
  void nothingLeft_isAnError() throws IOException {
    Path file = file(List.of("a", "b"));
    assertThatThrownBy(() -> sample(file, 3, 0, ShareGpt.VLLM, 0))
        .isInstanceOf(LiveException.class)
        .hasMessageContaining("no conversation")
        .hasMessageContaining("1024");
  }
}
