package io.fusespill.host.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.host.GoldenModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class TextStreamTest {

  private static final int VOCABULARY = 600;
  private static final int[] NONE = {};

  @TempDir private Path temp;

  static List<Path> models() {
    return GoldenModels.folders();
  }

  private static Tokenizer byteLevel() {
    return Tokenizer.open(GoldenModels.bundled("llama3-gqa-ropescaled-tied-sharded"));
  }

  /// The Llama 2 model's tokenizer with byte tokens that are not special, as real ones are.
  private Tokenizer byteFallback() throws IOException {
    Path file = GoldenModels.bundled("llama2-mha").resolve("tokenizer.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    ArrayNode kept = json.arrayNode();
    for (JsonNode token : json.get("added_tokens")) {
      if (token.get("id").asInt() < 3) {
        kept.add(token);
      }
    }
    json.set("added_tokens", kept);
    Files.writeString(temp.resolve("tokenizer.json"), json.toString());
    return Tokenizer.open(temp);
  }

  private static List<String> pieces(TextStream stream, int[] ids) {
    List<String> pieces = new ArrayList<>();
    for (int id : ids) {
      pieces.add(stream.add(id));
    }
    pieces.add(stream.finish());
    return pieces;
  }

  private static void assertStreamed(Tokenizer tokenizer, int[] ids, String reproduce) {
    String whole = tokenizer.decode(ids, true);
    List<String> pieces = pieces(new TextStream(tokenizer, NONE, List.of(), 0), ids);
    assertThat(String.join("", pieces)).as(reproduce).isEqualTo(whole);
    for (String piece : pieces.subList(0, ids.length)) {
      assertThat(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
          .as(reproduce)
          .isTrue();
      assertThat(piece).as(reproduce).doesNotEndWith("\ufffd");
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void pieces_areTheWholeText(Path folder) {
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      for (int seed = 0; seed < 300; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] ids = random.ints(random.nextInt(1, 60), 0, VOCABULARY).toArray();
        assertStreamed(tokenizer, ids, "seed " + seed);
      }
    }
  }

  @Test
  void pieces_ofBytesAndWords_areTheWholeText() throws IOException {
    try (Tokenizer tokenizer = byteFallback()) {
      int[] characters = "a ßж東𝄞🙂".codePoints().toArray();
      for (int seed = 0; seed < 300; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < 40) {
          if (random.nextBoolean()) {
            ids.add(random.nextInt(259, VOCABULARY));
          } else {
            String character = Character.toString(characters[random.nextInt(characters.length)]);
            for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
              ids.add(3 + Byte.toUnsignedInt(b));
            }
          }
        }
        int[] array = ids.stream().mapToInt(i -> i).toArray();
        assertThat(tokenizer.decode(array, true)).doesNotContain("\ufffd");
        assertStreamed(tokenizer, array, "seed " + seed);
      }
    }
  }

  /// With a prompt before it, the output's text goes on where the prompt's ends.
  @ParameterizedTest
  @MethodSource("models")
  void pieces_goOnFromThePrompt(Path folder) {
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      int[] all = tokenizer.encode("The café in 東京 opens, and so on: it closes 🙂 late", false);
      String whole = tokenizer.decode(all, true);
      for (int prompt = 1; prompt < all.length; prompt++) {
        String before = tokenizer.decode(Arrays.copyOf(all, prompt), true);
        if (before.endsWith("\ufffd")) {
          continue;
        }
        TextStream stream = new TextStream(tokenizer, Arrays.copyOf(all, prompt), List.of(), 0);
        int[] rest = Arrays.copyOfRange(all, prompt, all.length);
        assertThat(before + String.join("", pieces(stream, rest))).isEqualTo(whole);
      }
    }
  }

  @Test
  void halfACharacter_isHeldBack() throws IOException {
    try (Tokenizer tokenizer = byteFallback()) {
      TextStream stream = new TextStream(tokenizer, NONE, List.of(), 0);
      byte[] bytes = "東".getBytes(StandardCharsets.UTF_8);
      assertThat(stream.add(3 + Byte.toUnsignedInt(bytes[0]))).isEmpty();
      assertThat(stream.add(3 + Byte.toUnsignedInt(bytes[1]))).isEmpty();
      assertThat(stream.add(3 + Byte.toUnsignedInt(bytes[2]))).isEqualTo("東");
      assertThat(stream.add(tokenizer.encode("a", false)[1])).isEqualTo("a");
      assertThat(stream.add(3 + Byte.toUnsignedInt(bytes[0]))).isEmpty();
      assertThat(stream.finish()).isEqualTo("\ufffd");
    }
  }

  /// Of bytes that fit no character nothing waits for long, whatever follows.
  @Test
  void bytesThatFitNoCharacter_areGivenOutAsTheyGoOn() throws IOException {
    try (Tokenizer byteLevel = byteLevel();
        Tokenizer byteFallback = byteFallback()) {
      int[] noCharacters =
          IntStream.range(0, VOCABULARY)
              .filter(id -> byteLevel.decode(new int[] {id}, true).equals("\ufffd"))
              .toArray();
      assertThat(noCharacters).hasSizeGreaterThan(100);
      for (String end : List.of("", "東", " a")) {
        for (int id : noCharacters) {
          assertInVain(byteLevel, IntStream.generate(() -> id), bytes(byteLevel, end));
        }
        assertInVain(
            byteFallback, IntStream.generate(() -> 3 + 0xff), byteFallback.encode(end, false));
      }
      for (int seed = 0; seed < 300; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        IntStream ids = IntStream.generate(() -> noCharacters[random.nextInt(noCharacters.length)]);
        assertInVain(byteLevel, ids, NONE);
      }
    }
  }

  private static void assertInVain(Tokenizer tokenizer, IntStream bytes, int[] end) {
    int[] ids = IntStream.concat(bytes.limit(200), Arrays.stream(end)).toArray();
    List<String> pieces = pieces(new TextStream(tokenizer, NONE, List.of(), 0), ids);
    String whole = tokenizer.decode(ids, true);
    assertThat(String.join("", pieces)).isEqualTo(whole);
    int waiting = 0;
    for (String piece : pieces.subList(0, 200)) {
      waiting = piece.isEmpty() ? waiting + 1 : 0;
      assertThat(waiting).isLessThan(50);
    }
  }

  @Test
  void specialTokens_areNoText() {
    try (Tokenizer tokenizer = byteLevel()) {
      TextStream stream = new TextStream(tokenizer, NONE, List.of(), 0);
      int[] ids = {66, 1, 67, 0};
      assertThat(pieces(stream, ids)).containsExactly("a", "", "b", "", "");
    }
  }

  /// Stops at every way that text can be cut into tokens.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          one STOP two          | STOP    | "one "
          one STO               | STOP    | one STO
          one SSTOP             | STOP    | one S
          STOP                  | STOP    | ""
          one two               | STOP    | one two
          a b c                 | c,b     | "a "
          aab aaab              | aaab    | "aab "
          xyxyz end             | xyz,end | xy
          é 東京 end            | 京      | é 東
          """)
  void stopStrings_areCutExactly(String text, String stops, String expected) {
    List<String> stopList = List.of(stops.split(","));
    try (Tokenizer tokenizer = byteLevel()) {
      int[] tokens = tokenizer.encode(text, false);
      int[] bytes = bytes(tokenizer, text);
      for (int[] ids : List.of(tokens, bytes)) {
        TextStream stream = new TextStream(tokenizer, NONE, stopList, 0);
        assertThat(String.join("", pieces(stream, ids))).isEqualTo(expected);
        assertThat(stream.add(66)).isEmpty();
      }
    }
  }

  /// The ids of a text byte by byte: whatever merges there are, single bytes have ids.
  private static int[] bytes(Tokenizer tokenizer, String text) {
    return text.codePoints()
        .mapToObj(Character::toString)
        .flatMapToInt(c -> IntStream.of(tokenizer.encode(c, false)))
        .toArray();
  }

  @Test
  void whatCannotBecomeAStop_isNotHeldBack() {
    try (Tokenizer tokenizer = byteLevel()) {
      TextStream stream = new TextStream(tokenizer, NONE, List.of("bbc", "xyz"), 0);
      // a b b b c
      int[] ids = {66, 67, 67, 67, 68};
      List<String> pieces = new ArrayList<>();
      for (int id : ids) {
        pieces.add(stream.add(id));
        assertThat(stream.stopped()).isEqualTo(pieces.size() == ids.length);
      }
      assertThat(pieces).containsExactly("a", "", "", "b", "");
      assertThat(stream.finish()).isEmpty();
    }
  }

  @Test
  void stops_countAfterTheLeastTokens() {
    try (Tokenizer tokenizer = byteLevel()) {
      TextStream stream = new TextStream(tokenizer, NONE, List.of("b"), 3);
      // a b b a b a
      int[] ids = {66, 67, 67, 66, 67, 66};
      assertThat(String.join("", pieces(stream, ids))).isEqualTo("abba");
      assertThat(stream.stopped()).isTrue();
    }
  }

  @Test
  void emptyStops_areRefused() {
    try (Tokenizer tokenizer = byteLevel()) {
      assertThatThrownBy(() -> new TextStream(tokenizer, NONE, List.of(""), 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
