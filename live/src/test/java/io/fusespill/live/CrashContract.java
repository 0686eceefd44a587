package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.plan.Ints;
import io.fusespill.journal.JournalException;
import io.fusespill.journal.JournalReader;
import io.fusespill.live.LiveFixture.Run;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A live batch whose process is killed at random moments, again and again, gives the tokens of one
/// that nobody disturbed. `-Dcrashes=N` kills so many times.
@Timeout(1200)
abstract class CrashContract {

  static final String MODEL = "llama3-gqa-ropescaled-tied-sharded";
  private static final int CRASHES = Integer.getInteger("crashes", 3);
  private static final int REQUESTS = 400;
  private static final int LIFE_MILLIS_MAX = 1500;

  private final Hardware hardware;

  @TempDir private Path temp;

  CrashContract(Hardware hardware) {
    this.hardware = hardware;
  }

  @Test
  void killedAgainAndAgain_givesTheTokensOfAnUndisturbedRun() throws Exception {
    List<TextRequest> requests = requests();
    Path calm = folder("calm", requests);
    assertThat(live(calm, Integer.MAX_VALUE)).isTrue();
    List<Output> expected = outputs(calm);
    assertThat(expected).hasSize(REQUESTS);

    Random random = new Random(7);
    int crashes = 0;
    boolean lost = false;
    for (int run = 0; crashes < CRASHES; run++) {
      Path folder = folder("run" + run, requests);
      boolean cut = false;
      while (crashes < CRASHES && !live(folder, random.nextInt(LIFE_MILLIS_MAX))) {
        crashes++;
        cut |=
            finished(folder.resolve("journal")) < REQUESTS
                && finished(folder.resolve("journal.before")) < REQUESTS;
      }
      if (!Files.exists(folder.resolve("outputs.jsonl"))) {
        assertThat(live(folder, Integer.MAX_VALUE)).isTrue();
      }
      requireAlike(requests, expected, outputs(folder));
      List<EngineEvent> events = LiveFixture.check(folder.resolve("journal"));
      assertThat(events.stream().filter(RequestArrived.class::isInstance)).hasSize(REQUESTS);
      assertThat(folder.resolve("journal.before")).doesNotExist();
      if (cut) {
        assertThat(events.stream().anyMatch(PlaceFailed.class::isInstance)).isTrue();
        lost = true;
      }
    }
    assertThat(lost).as("a run was killed before its last request had ended").isTrue();
  }

  /// Requests that a journal has to the end, if there is one.
  private static long finished(Path journal) {
    long finished = 0;
    try (JournalReader reader = JournalReader.open(journal)) {
      while (reader.next()) {
        finished += reader.event() instanceof SequenceFinished ? 1 : 0;
      }
    } catch (JournalException e) {
      return finished;
    }
    return finished;
  }

  final List<TextRequest> requests() {
    try (LiveFixture live = LiveFixture.open(MODEL, temp)) {
      return live.requests(REQUESTS, 1, 23);
    }
  }

  final void requireAlike(List<TextRequest> requests, List<Output> some, List<Output> others) {
    try (LiveFixture live = LiveFixture.open(MODEL, temp)) {
      hardware.requireAlike(live, requests, new Run(some, List.of()), new Run(others, List.of()));
    }
  }

  static List<Output> outputs(Path folder) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<Output> outputs = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("outputs.jsonl"))) {
      JsonNode output = mapper.readTree(line);
      int[] tokens = new int[output.required("token_ids").size()];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = output.required("token_ids").get(i).asInt();
      }
      FinishReason reason =
          FinishReason.valueOf(output.required("finish_reason").asText().toUpperCase(Locale.ROOT));
      outputs.add(
          new Output(
              output.required("request").asInt(),
              null,
              List.of(new Output.Sample(0, Ints.of(tokens), reason))));
    }
    return outputs;
  }

  final Path folder(String name, List<TextRequest> requests) throws IOException {
    Path folder = Files.createDirectory(temp.resolve(name));
    RequestFile.write(folder.resolve("requests.jsonl"), requests);
    return folder;
  }

  /// Has a process serve the folder for that long, and says whether it came to the end.
  final boolean live(Path folder, int millis) throws Exception {
    Process process = start(CrashingRun.class, folder, hardware);
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (line != null && !line.equals("begun")) {
        line = out.readLine();
      }
      if (line != null && !process.waitFor(millis, TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
        return false;
      }
      List<String> rest = new ArrayList<>();
      out.lines().forEach(rest::add);
      assertThat(process.waitFor()).as("%s %s", line, rest).isZero();
      return true;
    }
  }

  static Process start(Class<?> main, Path folder, Hardware hardware) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> flag.startsWith("--"))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            main.getName(),
            folder.toString(),
            GoldenModel.folder(MODEL).toAbsolutePath().toString(),
            hardware.name()));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }
}
