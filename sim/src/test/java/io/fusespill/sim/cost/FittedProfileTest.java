package io.fusespill.sim.cost;

import static org.assertj.core.api.Assertions.assertThat;
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
    assertThat(profile.submitLatency()).isEqualTo(new SubmitLatency(150_000, 2_500));
    assertThat(profile.queuedNanos()).isEqualTo(2_000);
    FittedPlace place = profile.places().getFirst();
    assertThat(place.terms())
        .extracting(FittedTerm::name)
        .containsExactly("layers", "decode attention", "prefill attention");
    assertThat(place.ranges()).containsEntry(StepFeature.DECODES, new FeatureRange(0, 64));
    assertThat(place.errors()).isEqualTo(new FitErrors(120, 1.5, 3, 8.25, -0.5));
    assertThat(place.regions()).hasSize(2);
    assertThat(place.remote()).isEqualTo(new FittedRemote(700_000, 60_000, 4_000, true));
    assertThat(profile.links().getFirst().latencyNanos()).isEqualTo(12_000);
    assertThat(profile.links().getFirst().nanos(1_000_000, 64)).isEqualTo(20_000);
  }

  /// What is measured on executors that compute no padding says so, and keeps it in its file.
  @Test
  void padded_isKept_andLeavesPaddingOut() throws IOException {
    assertThat(example().places().getFirst().padded()).isTrue();
    assertThat(example().toJson()).doesNotContain("padded");
    String text = exampleText().replaceFirst("\"ranges\"", "\"padded\": false, \"ranges\"");
    FittedProfile read = FittedProfile.read(Files.writeString(folder.resolve("p.json"), text));
    FittedProfile again =
        FittedProfile.read(Files.writeString(folder.resolve("q.json"), read.rounded().toJson()));

    assertThat(again).isEqualTo(read);
    assertThat(again.places().getFirst().padded()).isFalse();
    FittedModel model = new FittedModel(again.places().getFirst());
    StepShape plain = new StepShape(0, 0, 2, 300, 9_000, 300, 2);
    StepShape padded = new StepShape(0, 0, 2, 300, 9_000, 5_000, 2);
    assertThat(model.nanos(padded)).isEqualTo(model.nanos(plain));
    assertThat(model.nanos(padded, 0)).isEqualTo(model.nanos(plain, 0));
    assertThat(model.breakdown(padded)).isEqualTo(model.breakdown(plain));
    assertThat(model.covers(padded)).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"formatVersion\": 2 | \"formatVersion\": 1 |" + " formatVersion is 1, must be 2 to 2",
        "\"blockTokens\": 16 | \"blockTokens\": 0 |" + " blockTokens is 0",
        "\"submitNanos\": 150000 | \"submitNanos\": -1 |" + " submitNanos is -1",
        "\"submitNanos\": 150000 | \"submitNanos\": null | submitNanos is null, must have a value",
        "\"submitNanosPerSequence\": 2500 | \"submitNanosPerSequence\": -1 |"
            + " submitNanosPerSequence is -1",
        "\"queuedNanos\": 2000 | \"queuedNanos\": -1 |" + " queuedNanos is -1",
        "\"decodeContextTokens\": 40 | \"decodeContextTokens\": -40 |"
            + " nanosPer.decodeContextTokens is -40.0, must be finite and at least 0",
        "\"decodeContextTokens\": 40 | \"decodeContextTokens\": 1e400 |"
            + " nanosPer.decodeContextTokens is Infinity",
        "\"interceptNanos\": 2e6 | \"interceptNanos\": -1 |" + " interceptNanos is -1.0",
        "\"prefillContextPairs\": 0.5 | \"prefillContextPars\": 0.5 |"
            + " nanosPer.prefillContextPars is not a key of this format; did you mean prefillContextPairs",
        "\"upTo\": 8 | \"upTo\": 9223372036854775807 |"
            + " upTo 9223372036854775807 follows 9223372036854775807, must ascend",
        "\"prefillTokens\": [0, 4096] | \"prefillTokens\": [0, 4096, 1] |" + " must be [min, max]",
        "\"prefillTokens\": [0, 4096] | \"prefillTokens\": [9, 4] |" + " upper end of a range is 4",
        "\"computedTokens\": [1, 4096] | \"sampledTokens\": [1, 4096] |"
            + " ranges.computedTokens is missing",
        "\"steps\": \"prefill\" | \"steps\": \"prefills\" |"
            + " steps is prefills, must be one of all, decode, prefill, prompt-only, mixed",
        "\"by\": \"decodes\" | \"by\": \"decoders\" |"
            + " by is decoders, must be one of decodes, decodeContextTokens",
        "\"tokenNanos\": 4000 | \"tokenNanos\": -1 |" + " tokenNanos is -1.0",
        "\"hardware\": | \"padded\": 1, \"hardware\": | padded",
        "\"overlapped\": true | \"overlapped\": 1 |" + " must be true or false",
        "\"latencyNanos\": 12e3 | \"latencyNanos\": -1 |" + " latencyNanos is -1.0",
        "\"samples\": 120 | \"samples\": 0 |" + " samples is 0",
        "\"source\": \"made up for tests\" | \"sauce\": \"made up for tests\" |"
            + " source is missing",
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
            .replace("\"interceptNanos\": 2.5e6", "\"upTo\": 64, \"interceptNanos\": 2.5e6");
    Path file = Files.writeString(folder.resolve("broken.json"), text);

    assertThatThrownBy(() -> FittedProfile.read(file))
        .hasMessageContaining("the last segment must have no upTo");
  }

  @Test
  void example_isTheOneInTheDocumentation() throws IOException {
    Path documentation =
        Path.of(System.getProperty("basedir", "sim")).resolve("../docs/cost-profile-format.md");

    assertThat(Files.readString(documentation)).contains(exampleText());
  }

  @Test
  void read_whatToJsonWrites_isTheSame() throws IOException {
    Path file = Files.writeString(folder.resolve("copy.json"), example().toJson());

    assertThat(FittedProfile.read(file)).isEqualTo(example());
    assertThat(example().rounded()).isEqualTo(example());
  }

  @Test
  void place_otherRun_namesBoth() {
    FittedProfile profile = example();

    assertThat(profile.place("h200", "h200", "llama-2-7b", 16))
        .isSameAs(profile.places().getFirst());
    assertThat(profile.place("another", "h200", "llama-2-7b", 16))
        .isSameAs(profile.places().getFirst());
    assertThatThrownBy(() -> profile.place("h200", "a10", "llama-2-7b", 16))
        .isInstanceOf(ProfileException.class)
        .hasMessageContaining("fitted to h200, llama-2-7b, blocks of 16, but this run is a10,");
    assertThatThrownBy(() -> profile.place("h200", "h200", "vicuna-7b", 16))
        .isInstanceOf(ProfileException.class);
    assertThatThrownBy(() -> profile.place("h200", "h200", "llama-2-7b", 32))
        .isInstanceOf(ProfileException.class);
  }

  /// What drivers and folders call a card and a model is not what the catalogue calls them.
  @Test
  void place_otherSpelling_isFound() {
    FittedProfile profile =
        JsonReader.parse(
            exampleText()
                .replace("\"hardware\": \"h200\"", "\"hardware\": \"NVIDIA H200\"")
                .replace("\"model\": \"llama-2-7b\"", "\"model\": \"Llama-2-7b-hf\""),
            "example.json",
            FittedProfile::from);

    assertThat(profile.place("h200", "h200", "llama-2-7b", 16))
        .isSameAs(profile.places().getFirst());
    assertThatThrownBy(() -> profile.place("h200-tp2", "h200-tp2", "llama-2-7b", 16))
        .hasMessageContaining("fitted to NVIDIA H200,");
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
