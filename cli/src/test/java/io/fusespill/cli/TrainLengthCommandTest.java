package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Training on text, what is kept of it, and a trace that declares what the model predicts.
class TrainLengthCommandTest {

  @TempDir private Path folder;

  @Test
  void textThatTells_isKeptAndDeclared() throws IOException {
    Path data = telling();
    Path model = folder.resolve("model.json");
    Cli trained = Cli.run("train-length", "--data", data, "--out", model);

    assertThat(trained.exitCode()).as(trained.err()).isZero();
    assertThat(trained.err()).isEmpty();
    assertThat(trained.out())
        .contains("tried on 60 whose prompts were held out")
        .contains("learned from the text", "mean by prompt length", "median of all")
        .contains("kept: " + model);

    Path trace = folder.resolve("trace.csv");
    Cli declared = Cli.run("trace", "declare", data, "--length-model", model, "-o", trace);
    assertThat(declared.exitCode()).as(declared.err()).isZero();
    assertThat(Files.readAllLines(trace).getFirst())
        .isEqualTo("arrived_at,num_prefill_tokens,num_decode_tokens,declared_output_tokens");
    JsonNode described =
        Cli.run("trace", "describe", trace, "--json").json().get("declared_output_tokens");
    assertThat(described.get("requests").asInt()).isEqualTo(300);
    assertThat(described.get("share").asDouble()).isEqualTo(1);
    // of 41,175 pairs to compare 22,500 are a short and a long one; half of the others by chance
    assertThat(described.get("pairwise_accuracy").asDouble()).isGreaterThan(0.75);
    assertThat(Cli.run("trace", "describe", trace).out())
        .contains("declared output: 100.0 % of the requests, mean error", " tokens, median ");
  }

  @Test
  void textThatDoesNotTell_isNotKeptUnlessForced() throws IOException {
    Path data = silent();
    Path model = folder.resolve("model.json");
    Cli trained = Cli.run("train-length", "--data", data, "--out", model);

    assertThat(trained.exitCode()).isZero();
    assertThat(trained.out()).contains("not kept: ").contains("--force-keep");
    assertThat(model).doesNotExist();

    Cli asJson = Cli.run("train-length", "--data", data, "--out", model, "--json");
    assertThat(asJson.exitCode()).isZero();
    assertThat(asJson.json().get("kept").asBoolean()).isFalse();
    assertThat(asJson.json().get("model").isNull()).isTrue();

    Cli forced = Cli.run("train-length", "--data", data, "--out", model, "--force-keep");
    assertThat(forced.exitCode()).isZero();
    assertThat(forced.out()).contains("kept because of --force-keep: " + model);
    assertThat(model).exists();
  }

  @Test
  void severalFiles_areOneSetOfData() throws IOException {
    Cli trained =
        Cli.run(
            "train-length",
            "--data",
            telling(),
            "--data",
            silent(),
            "--holdout",
            "0.5",
            "--json",
            "--out",
            folder.resolve("model.json"));

    assertThat(trained.json().get("training_requests").asInt()).isEqualTo(300);
    assertThat(trained.json().get("held_out_requests").asInt()).isEqualTo(300);
  }

  @Test
  void badInput_isOneLine() throws IOException {
    Path data = telling();
    Path model = folder.resolve("model.json");
    assertOneLine(train(folder.resolve("none"), model), "none");
    assertOneLine(
        train(
            Files.writeString(folder.resolve("bad"), "{\"prompt\": 1, \"output\": \"x\"}"), model),
        "bad:1: prompt is 1");
    assertOneLine(
        train(
            Files.writeString(folder.resolve("few"), "{\"prompt\": \"a\", \"output\": \"x\"}"),
            model),
        "1 different prompts");
    assertOneLine(train(data, model, "--holdout", "0.9"), "holdout is 0.9");
    assertOneLine(train(data, model, "--holdout", "x"), "'x'");
    assertOneLine(train(data, Files.writeString(folder.resolve("there"), "precious")), "--force");
    assertThat(folder.resolve("there")).hasContent("precious");
    assertOneLine(
        train(data, folder.resolve("gone/model.json")),
        "there is no folder " + folder.resolve("gone"));
    String rows = Files.readString(data);
    assertOneLine(train(data, data, "--force"), "is what is read");
    assertThat(data).hasContent(rows);
    assertThat(model).doesNotExist();
  }

  @Test
  void reportIsPrinted_evenIfTheModelCannotBeWritten() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));

    Cli cli = train(telling(), full);

    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.out()).contains("learned from the text").doesNotContain("kept");
    assertThat(cli.errorLines()).singleElement().asString().contains("/dev/full");

    Cli asJson = train(telling(), full, "--json");
    assertThat(asJson.exitCode()).isEqualTo(2);
    assertThat(asJson.json().get("kept").asBoolean()).isFalse();
    assertThat(asJson.json().get("model").isNull()).isTrue();
    assertThat(asJson.json().get("beats_text_blind").asBoolean()).isTrue();
  }

  @Test
  void declareWithoutAModel_isOneLine() throws IOException {
    Path data = telling();
    Path trace = folder.resolve("trace.csv");
    Path foreign = Files.writeString(folder.resolve("foreign.json"), "{\"a\": 1}");
    Path newer =
        Files.writeString(
            folder.resolve("newer.json"),
            "{\"format\": \"fusespill-length-model\", \"version\": 9}");

    assertOneLine(Cli.run("trace", "declare", data, "-o", trace), "--length-model");
    assertOneLine(declare(data, folder.resolve("none.json"), trace), "none.json");
    assertOneLine(declare(data, foreign, trace), "foreign.json: is no length model");
    assertOneLine(declare(data, newer, trace), "version 9, must be 1");
    assertThat(trace).doesNotExist();
  }

  private static Cli train(Path data, Path model, Object... options) {
    return Cli.run(
        IntStream.range(0, 5 + options.length)
            .mapToObj(i ->
                i < 5
                    ? List.of("train-length", "--data", data, "--out", model).get(i)
                    : options[i - 5])
            .toArray());
  }

  private static Cli declare(Path data, Path model, Path trace) {
    return Cli.run("trace", "declare", data, "--length-model", model, "-o", trace);
  }

  /// Answers of 3 tokens where yes or no is asked for, of 400 where an essay is.
  private Path telling() throws IOException {
    return write(
        "telling.jsonl",
        IntStream.range(0, 300)
            .mapToObj(i ->
                i % 2 == 0
                    ? row(
                        "Answer yes or no: is case %d the same as before?".formatted(i), 3 + i % 3)
                    : row(
                        "Write an essay on case %d and on what was before.".formatted(i),
                        400 + i)));
  }

  /// Answers of lengths that no prompt tells.
  private Path silent() throws IOException {
    return write(
        "silent.jsonl",
        IntStream.range(0, 300)
            .mapToObj(i -> row("Case %d, what about it?".formatted(i), 1 + i * 7919 % 997)));
  }

  private Path write(String name, Stream<String> rows) throws IOException {
    return Files.write(folder.resolve(name), rows.toList());
  }

  private static String row(String prompt, int outputTokens) {
    return "{\"prompt\": \"%s\", \"output_tokens\": %d}".formatted(prompt, outputTokens);
  }

  private static void assertOneLine(Cli cli, String named) {
    assertThat(cli.exitCode()).as(cli.err()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.errorLines()).as(cli.err()).hasSize(1);
    assertThat(cli.errorLines().getFirst()).startsWith("fusespill: ").contains(named);
  }
}
