package io.fusespill.live;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/// The process that is killed: serves a list of requests, or what an earlier one has left of it.
final class CrashingRun {

  private CrashingRun() {}

  /// @param args folder of the run, folder of the model, hardware
  public static void main(String[] args) {
    Path run = Path.of(args[0]);
    try (LiveFixture live = LiveFixture.open(Path.of(args[1]), run);
        ModelWeights weights = ModelWeights.of(live.checkpoint().config(), live.checkpoint())) {
      LivePlan plan = live.plan(spec(Hardware.valueOf(args[2])));
      List<TextRequest> requests = RequestFile.read(run.resolve("requests.jsonl"));
      AtomicBoolean begun = new AtomicBoolean();
      LiveBatch batch =
          new LiveBatch(
              requests,
              (request, sample, token, logprobs) -> {
                if (!begun.getAndSet(true)) {
                  say("begun");
                }
              });
      LiveRun serving = new LiveRun(live.setup(plan, weights), Map.of());
      Path journal = run.resolve("journal");
      if (RunJournal.holdsEvents(journal)) {
        serving.resume(RunJournal.open(journal, Durability.ASYNC), batch);
      } else {
        delete(journal);
        JournalHeader header = JournalHeader.of("test", "{}");
        serving.run(
            new RunStarted(0, "test", header.configDigest(), 0, plan.config()),
            Journal.create(journal, header, Durability.ASYNC),
            batch);
      }
      OutputFile.write(run.resolve("outputs.jsonl"), requests, batch.outputs(), null);
      say("done");
    }
  }

  /// Memory for a few of the requests, a host that attends, a disk and a second device.
  static LiveSpec spec(Hardware hardware) {
    return LiveFixture.spec(
        PolicySpec.of("fusespill"), 2, hardware, true, 96.0 / 1024 / 1024, 1.0 / 64, 240, 240);
  }

  /// What is left of a journal whose process was killed while it made it.
  private static void delete(Path journal) {
    try {
      if (Files.exists(journal)) {
        for (Path file : Files.list(journal).toList()) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @SuppressWarnings("SystemOut") // the parent process reads it
  private static void say(String what) {
    System.out.println(what);
    System.out.flush();
  }
}
