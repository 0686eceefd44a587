package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.sim.profile.JsonReader;
import io.fusespill.sim.profile.ProfileException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FittedProfileTest {

  @TempDir Path folder;

  @Test
  void read_example_isComplete() {
    FittedProfile profile = example();

    assertThat(profile.name()).isEqualTo("example");
    assertThat(profile.segments()).hasSize(2);
    assertThat(profile.ranges()).containsEntry(StepFeature.DECODES, new FeatureRange(0, 64));
    assertThat(profile.errors()).isEqualTo(new FitErrors(120, 1.5, 3, 8.25));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"formatVersion\": 1 | \"formatVersion\": 2 | formatVersion is 2, must be 1 to 1",
        "\"blockTokens\": 16 | \"blockTokens\": 0 | blockTokens is 0",
        "\"decodeContextTokens\": 40 | \"decodeContextTokens\": -40 |"
            + " nanosPer.decodeContextTokens is -40.0, must be finite and at least 0",
        "\"decodeContextTokens\": 40 | \"decodeContextTokens\": 1e400 |"
            + " nanosPer.decodeContextTokens is Infinity",
        "\"interceptNanos\": 2e6 | \"interceptNanos\": -1 | interceptNanos is -1.0",
        "\"prefillTokens\": 9e3 | \"prefillTokns\": 9e3 | segments[0].nanosPer.prefillTokns is not"
            + " a key of this format; did you mean prefillTokens",
        "\"decodesMax\": 8 | \"decodesMax\": 2147483647 | must ascend",
        "\"prefillTokens\": [0, 4096] | \"prefillTokens\": [0, 4096, 1] | must be [min, max]",
        "\"prefillTokens\": [0, 4096] | \"prefillTokens\": [9, 4] | upper end of a range is 4",
        "\"prefillTokens\": [0, 4096], | '' | ranges.prefillTokens is missing",
        "\"samples\": 120 | \"samples\": 0 | samples is 0",
        "\"source\": \"made up for tests\" | \"sauce\": \"made up for tests\" | source is missing",
      })
  void read_broken_namesTheKey(String good, String bad, String expected) throws IOException {
    String text = exampleText();
    assertThat(text).contains(good);
    Path file = Files.writeString(folder.resolve("broken.json"), text.replace(good, bad));

    assertThatThrownBy(() -> FittedProfile.read(file))
        .isInstanceOf(ProfileException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(expected);
  }

  @Test
  void read_lastSegmentEnds_isAnError() throws IOException {
    String text =
        exampleText()
            .replace("\"interceptNanos\": 3e6", "\"decodesMax\": 64, \"interceptNanos\": 3e6");
    Path file = Files.writeString(folder.resolve("broken.json"), text);

    assertThatThrownBy(() -> FittedProfile.read(file))
        .hasMessageContaining("the last one must have no decodesMax");
  }

  @Test
  void example_isTheOneInTheDocumentation() throws IOException {
    Path documentation =
        Path.of(System.getProperty("basedir", "sim")).resolve("../docs/cost-profile-format.md");

    assertThat(Files.readString(documentation)).contains(exampleText());
  }

  @Test
  void requireMatch_otherRun_namesBoth() {
    FittedProfile profile = example();

    assertThatCode(() -> profile.requireMatch("h200", "llama-2-7b", 16)).doesNotThrowAnyException();
    assertThatThrownBy(() -> profile.requireMatch("a10", "llama-2-7b", 16))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("fitted to h200, llama-2-7b, blocks of 16, but this run is a10,");
    assertThatThrownBy(() -> profile.requireMatch("h200", "vicuna-7b", 16))
        .isInstanceOf(ProfileException.class);
    assertThatThrownBy(() -> profile.requireMatch("h200", "llama-2-7b", 32))
        .isInstanceOf(ProfileException.class);
  }

  static FittedProfile example() {
    return JsonReader.parse(exampleText(), "example.json", FittedProfile::from);
  }

  private static String exampleText() {
    try (InputStream in =
        Objects.requireNonNull(
            FittedProfileTest.class.getResourceAsStream("example-cost-profile.json"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
