package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fusespill.traces.LengthAccuracy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LengthModelFileTest {

  /// ln 101 for a prompt of up to 10 tokens, ln 1001 for one of more.
  private static final LengthModel MODEL =
      new LengthModel(
          new BoostedTrees(
              StrictMath.log(101),
              List.of(
                  new Tree.Split(
                      PromptFeatures.PROMPT_TOKENS,
                      10,
                      new Tree.Leaf(0),
                      new Tree.Leaf(StrictMath.log(1001) - StrictMath.log(101))))),
          -5,
          new Evaluation(
              80,
              20,
              summary(1.5, 0.9),
              summary(3, 0.6),
              summary(4, 0.7),
              summary(5, 0.5),
              1.5,
              0.1));

  @TempDir private Path folder;

  private static LengthAccuracy.Summary summary(double error, double pairs) {
    return new LengthAccuracy.Summary(20, error, 2, pairs);
  }

  @Test
  void read_written_isTheSame() throws IOException {
    Path file = folder.resolve("model.json");
    MODEL.write(file);
    LengthModel read = LengthModel.read(file);

    assertThat(read.evaluation()).isEqualTo(MODEL.evaluation());
    assertThat(read.trees()).isEqualTo(MODEL.trees());
    assertThat(read.outputTokens(new TextRequest("x", 10, 1, null))).isEqualTo(100);
    assertThat(read.outputTokens(new TextRequest("x", 11, 1, null))).isEqualTo(1000);
    read.write(folder.resolve("again.json"));
    assertThat(Files.mismatch(file, folder.resolve("again.json"))).isEqualTo(-1);
  }

  @Test
  void tokens_anyValue_isAPossibleLength() {
    assertThat(LengthModel.tokens(-3)).isEqualTo(1);
    assertThat(LengthModel.tokens(1e9)).isEqualTo(10_000_000);
    assertThat(LengthModel.tokens(LengthModel.target(357))).isEqualTo(357);
  }

  @Test
  void read_somethingElse_saysWhatItShouldBe() throws IOException {
    assertRefused("{}", "is no length model: \"format\" must be \"fusespill-length-model\"");
    assertRefused("prompt_len,output_len\n", "is no length model but something that is no JSON");
    assertRefused("", "is no length model");
    Path binary = Files.write(folder.resolve("model"), new byte[] {(byte) 0x80, 0, 1});
    assertThatThrownBy(() -> LengthModel.read(binary)).hasMessageContaining("that is no text");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> LengthModel.read(missing))
        .isInstanceOf(LengthModelException.class)
        .hasMessage(missing + ": no such file");
  }

  @Test
  void read_anotherVersion_namesBoth() throws IOException {
    assertRefused(
        written().replace("\"version\":1", "\"version\":2"),
        "is a length model of version 2, must be 1; train it again with train-length");
  }

  @Test
  void read_damaged_namesTheField() throws IOException {
    assertRefused(written().replace("prompt tokens", "prompt size"), "no feature \"prompt size\"");
    assertRefused(written().replace("\"at_most\"", "\"at\""), "no field \"at_most\"");
    assertRefused(written().replace("\"at_most\":10.0", "\"at_most\":true"), "at_most is true");
    assertRefused(written().replace("\"trees\"", "\"woods\""), "no field \"trees\"");
  }

  /// Every cut is refused in one line; nothing else is thrown.
  @Test
  void read_cutAnywhere_isRefused() throws IOException {
    String whole = written().strip();
    for (int length = 0; length < whole.length(); length++) {
      Path file = Files.writeString(folder.resolve("model"), whole.substring(0, length));
      Throwable thrown = catchThrowable(() -> LengthModel.read(file));
      assertThat(thrown).as("%d characters", length).isInstanceOf(LengthModelException.class);
      assertThat(thrown.getMessage().lines()).hasSize(1);
    }
  }

  private String written() throws IOException {
    MODEL.write(folder.resolve("model"));
    return Files.readString(folder.resolve("model"));
  }

  private void assertRefused(String content, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("model"), content);
    assertThatThrownBy(() -> LengthModel.read(file))
        .isInstanceOf(LengthModelException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }
}
