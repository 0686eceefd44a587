package io.fusespill.learn;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Public prompts and answers as their authors published them; the figures are in
/// `docs/length-training.md`.
final class PublishedTextsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @Test
  void tokenEstimate_againstTiktokensCounts_isWithinATenthOnAverage() throws IOException {
    double error = 0;
    int answers = 0;
    for (String model : List.of("gpt-4-0314", "gpt-4-0613", "gpt-3.5-turbo-0125")) {
      Path file = SharedData.file("text_arena_hard_v0.1/model_answer/%s.jsonl.gz".formatted(model));
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(
                  new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          JsonNode turn = JSON.readTree(line).at("/choices/0/turns/0");
          int counted = turn.get("token_len").intValue();
          if (counted > 0) {
            int estimated = TokenEstimate.of(turn.get("content").textValue());
            error += Math.abs(estimated - counted) / (double) counted;
            answers++;
          }
        }
      }
    }
    assertThat(answers).isGreaterThan(1490);
    assertThat(error / answers).isLessThan(0.08);
  }

  @Test
  void train_programs_textTellsMoreThanThePromptsLength() throws IOException {
    Evaluation evaluation = train("text_gpteacher/codegen-instruct.json.gz");

    assertThat(evaluation.trainingRequests() + evaluation.heldOutRequests()).isEqualTo(4535);
    assertThat(evaluation.beatsTextBlind()).isTrue();
    assertThat(evaluation.learned().pairwiseAccuracy()).isGreaterThan(0.7);
    assertThat(evaluation.textBlindPairs()).isLessThan(0.6);
  }

  @Test
  void train_rolePlay_textTellsTooLittle() throws IOException {
    assertThat(train("text_gpteacher/roleplay-simple-deduped-roleplay-instruct.json.gz"))
        .satisfies(evaluation -> assertThat(evaluation.beatsTextBlind()).isFalse());
  }

  private Evaluation train(String name) throws IOException {
    Path file = SharedData.file(name);
    List<String> lines = new ArrayList<>();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      JSON.readTree(in).forEach(row -> lines.add(row.toString()));
    }
    Path jsonl = Files.write(folder.resolve("texts.jsonl"), lines);
    List<TextRequest> requests = new ArrayList<>();
    try (TextRequestReader reader = TextRequestReader.open(jsonl, false)) {
      reader.forEachRemaining(requests::add);
    }
    return new LengthTrainer(0, 0.2).train(requests, count -> {}).evaluation();
  }
}
