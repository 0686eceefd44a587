package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.journal.JournalReader;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.LiveRun;
import io.fusespill.live.RequestFile;
import io.fusespill.live.TextRequest;
import io.fusespill.replay.explain.Wording;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// An interrupted live run, from where it was.
@Command(
    name = "resume",
    mixinStandardHelpOptions = true,
    preprocessor = Underscores.class,
    description = {
      "Goes on with a live run that was interrupted: by kill -9, a crash, a loss of power (--journal sync).",
      "Requests that had ended are not run again; those that had begun go on with the tokens that they have, whose KV is computed anew; the others are sent as if no time had passed.",
      "It may be interrupted, too, and resumed again. A run that is complete stays as it is.",
      ""
    },
    sortOptions = false,
    footer = {"", "Example:", "  fusespill resume runs/NAME"})
final class ResumeCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      description = "Folder that generate or bench throughput left, with --journal async or sync.")
  private Path run;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on standard output.")
  private boolean json;

  @Option(
      names = {"--disable-log-stats", "--quiet"},
      description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  ResumeCommand() {}

  @Override
  public Integer call() {
    RunDirectory directory = directory();
    LiveFile live = LiveFile.read(directory);
    LoadedModel.Source source = live.source();
    requireFolders(source, directory);
    List<TextRequest> requests = RequestFile.read(directory.liveRequests());
    if (Files.exists(directory.outputs())) {
      complete(directory, requests.size());
      return 0;
    }
    if (ModelRun.batches(directory)) {
      throw new UsageException(
          "%s is a run of bench latency, whose batches wait for one another: what it measures cannot be gone on with, start it again"
              .formatted(run));
    }
    try (LoadedModel model = LoadedModel.open(source, source.tokenizer() != null)) {
      LiveOptions.noteModel(spec, model);
      ObjectNode figures = JsonNodeFactory.instance.objectNode();
      ModelRun.Ended ended;
      try (ProgressLine progress = new ProgressLine("resume", "requests", requests.size(), quiet)) {
        LiveBatch batch = LiveProgress.batch(requests, progress).givingUpAfter(live.timeoutNanos());
        ended = ModelRun.resume(model, directory, live, requests, batch, figures);
      }
      print(model, directory, live.measured(), ended, figures);
    }
    return 0;
  }

  private RunDirectory directory() {
    if (!Files.isDirectory(run)) {
      throw new UsageException(
          "no run %s: name the folder of a live run, for example runs/NAME".formatted(run));
    }
    RunDirectory directory = new RunDirectory(run);
    if (!Files.exists(directory.live())) {
      throw new UsageException(
          directory.holdsRun()
              ? "%s is a simulation: only runs of generate and bench are resumed, simulate it again"
                  .formatted(run)
              : "%s is not the folder of a run".formatted(run));
    }
    if (!Files.exists(directory.liveRequests())) {
      throw new UsageException(
          "%s ended before its first request was sent: start it again".formatted(run));
    }
    if (JournalReader.isBeingWritten(directory.journal())) {
      throw new UsageException(
          "%s is being written: the run is still going on".formatted(directory.journal()));
    }
    return directory;
  }

  private static void requireFolders(LoadedModel.Source source, RunDirectory directory) {
    requireFolder("model", source.folder(), directory);
    if (source.tokenizer() != null) {
      requireFolder("tokenizer", source.tokenizer(), directory);
    }
  }

  private static void requireFolder(String key, Path folder, RunDirectory directory) {
    if (!Files.isDirectory(folder)) {
      throw new UsageException(
          "no %s folder %s, where the run had it: move it back, or write where it is now as %s in %s"
              .formatted(key, folder, key, directory.live()));
    }
  }

  private void complete(RunDirectory directory, int requests) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      node.put("run", run.toString());
      node.put("resumed", false);
      node.put("requests", requests);
      out.println(node);
    } else {
      out.println(
          "%s is complete: %s, all of which have ended, and what came of them is in %s"
              .formatted(run, Wording.count(requests, "request"), directory.outputs()));
    }
    out.flush();
  }

  private void print(
      LoadedModel model,
      RunDirectory directory,
      boolean measured,
      ModelRun.Ended ended,
      ObjectNode figures) {
    LiveRun.Resumed way = ended.way();
    PrintWriter out = spec.commandLine().getOut();
    Throughput throughput = Throughput.since(way.before(), ended.report());
    if (json) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      node.put("run", run.toString());
      node.put("resumed", true);
      if (measured) {
        throughput.putInto(node);
      }
      node.put("requests_ended_before", way.ended());
      node.put("requests_gone_on", way.wentOn());
      node.put("requests_new", way.sent());
      node.setAll(figures);
      out.println(node);
    } else {
      out.println(
          "resumed %s: %s had ended before, %,d went on, %,d were new"
              .formatted(run, Wording.count(way.ended(), "request"), way.wentOn(), way.sent()));
      out.println(
          measured
              ? throughput.line() + " (since it was resumed)"
              : "what came of them is in %s".formatted(directory.outputs()));
      out.println();
      Summary.print(
          out,
          ended.report(),
          figures,
          Summary.title(model.name(), ended.config(), "live"),
          ended.config().topology(),
          directory);
    }
    out.flush();
  }
}
