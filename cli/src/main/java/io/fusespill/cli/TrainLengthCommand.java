package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.learn.Evaluation;
import io.fusespill.learn.LengthTrainer;
import io.fusespill.learn.TextRequest;
import io.fusespill.learn.TextRequestReader;
import io.fusespill.traces.LengthAccuracy;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A model of output lengths, kept if the text of prompts says more than their length.
@Command(
    name = "train-length",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a model that predicts output lengths from prompts, tries it on prompts that it has not seen, and keeps it only if it beats what the prompt's length alone tells.",
      ""
    })
final class TrainLengthCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description =
          "JSONL with prompt, and output or output_tokens; give it again for further files.")
  private List<Path> data;

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "MODEL",
      description = "File to write the model to.")
  private Path out;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "N",
      description = "Seed of the split and of the training (default 0).")
  private long seed;

  @Option(
      names = "--holdout",
      defaultValue = "0.2",
      paramLabel = "SHARE",
      description = "Share of the prompts to try the model on, 0.05 to 0.5 (default 0.2).")
  private double holdout;

  @Option(
      names = "--force-keep",
      description = "Write the model even if it does not beat the prompt's length.")
  private boolean forceKeep;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @Option(
      names = "--skip-invalid",
      description = "Skip and count rows that are not a request, instead of stopping at the first.")
  private boolean skipInvalid;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  private long skipped;
  private String skippedReason = "";

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  TrainLengthCommand() {}

  @Override
  public Integer call() {
    data.forEach(WorkloadOptions::requireFile);
    NewFile.requireFolder(out);
    NewFile.requireOther(out, data);
    NewFile.requireFree(out, force);
    LengthTrainer trainer = new LengthTrainer(seed, holdout);
    List<TextRequest> requests = read();
    LengthTrainer.Result result;
    try (ProgressLine progress =
        new ProgressLine("train", "trees", LengthTrainer.progressMax(), quiet)) {
      result = trainer.train(requests, progress::at);
    }
    boolean kept = forceKeep || result.evaluation().beatsTextBlind();
    PrintWriter printer = spec.commandLine().getOut();
    if (!json) {
      print(printer, result);
      printer.flush();
    }
    boolean written = false;
    try {
      if (kept) {
        result.model().write(out);
        written = true;
      }
    } finally {
      if (json) {
        printer.println(toJson(result, written));
        printer.flush();
      }
    }
    if (!json) {
      printer.println(verdict(result.evaluation(), kept));
      printer.flush();
    }
    return 0;
  }

  private List<TextRequest> read() {
    List<TextRequest> requests = new ArrayList<>();
    for (Path file : data) {
      try (TextRequestReader reader = TextRequestReader.open(file, skipInvalid)) {
        reader.forEachRemaining(requests::add);
        skippedReason = skipped == 0 ? reader.skippedReason() : skippedReason;
        skipped += reader.skipped();
      }
    }
    return requests;
  }

  private void print(PrintWriter printer, LengthTrainer.Result result) {
    Evaluation evaluation = result.evaluation();
    printer.println(
        "trained on %,d requests (%d trees), tried on %,d whose prompts were held out"
            .formatted(
                evaluation.trainingRequests(),
                result.model().treeCount(),
                evaluation.heldOutRequests()));
    if (skipped > 0) {
      printer.println(WorkloadOptions.skipped(skipped, skippedReason));
    }
    new Table()
        .row("error in tokens", "mean", "median", "pairs in order")
        .row(cells("learned from the text", evaluation.learned()))
        .row(cells("mean by prompt length", evaluation.bucketMean()))
        .row(cells("median by prompt length", evaluation.bucketMedian()))
        .row(cells("median of all", evaluation.globalMedian()))
        .print(printer);
  }

  private static String[] cells(String name, LengthAccuracy.Summary accuracy) {
    return new String[] {
      name,
      "%,.1f".formatted(accuracy.meanAbsoluteError()),
      "%,d".formatted(accuracy.medianAbsoluteError()),
      pairs(accuracy.pairwiseAccuracy())
    };
  }

  private static String pairs(double accuracy) {
    return Double.isNaN(accuracy) ? "-" : "%.1f %%".formatted(100 * accuracy);
  }

  private String verdict(Evaluation evaluation, boolean kept) {
    if (evaluation.beatsTextBlind()) {
      return "kept: %s (error lower by %.1f ± %.1f tokens, more pairs in order)"
          .formatted(out, evaluation.gain(), evaluation.gainError());
    }
    if (kept) {
      return "kept because of --force-keep: %s, although %s".formatted(out, reason(evaluation));
    }
    return "not kept: %s; schedule by the prompt's length instead, add data, or write it all the same with --force-keep"
        .formatted(reason(evaluation));
  }

  private static String reason(Evaluation evaluation) {
    if (!evaluation.hasLowerError()) {
      return "the error is not lower than that by prompt length by two standard errors (%.1f ± %.1f tokens)"
          .formatted(evaluation.gain(), evaluation.gainError());
    }
    return "it does not put more pairs in order than the prompt's length (%s against %s)"
        .formatted(
            pairs(evaluation.learned().pairwiseAccuracy()), pairs(evaluation.textBlindPairs()));
  }

  private ObjectNode toJson(LengthTrainer.Result result, boolean written) {
    Evaluation evaluation = result.evaluation();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("kept", written);
    node.put("beats_text_blind", evaluation.beatsTextBlind());
    node.put("model", written ? out.toString() : null);
    node.put("seed", seed);
    node.put("trees", result.model().treeCount());
    node.put("training_requests", evaluation.trainingRequests());
    node.put("held_out_requests", evaluation.heldOutRequests());
    node.put("skipped_rows", skipped);
    node.set("learned", toJson(evaluation.learned()));
    node.set("bucket_mean", toJson(evaluation.bucketMean()));
    node.set("bucket_median", toJson(evaluation.bucketMedian()));
    node.set("global_median", toJson(evaluation.globalMedian()));
    node.put("gain_tokens", evaluation.gain());
    node.put("gain_standard_error", evaluation.gainError());
    return node;
  }

  private static ObjectNode toJson(LengthAccuracy.Summary accuracy) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("mean_absolute_error", accuracy.meanAbsoluteError());
    node.put("median_absolute_error", accuracy.medianAbsoluteError());
    TraceDescribeCommand.putOrNull(node, "pairwise_accuracy", accuracy.pairwiseAccuracy());
    return node;
  }
}
