package io.fusespill.cli;

import io.fusespill.learn.DeclaringTraceReader;
import io.fusespill.learn.LengthModel;
import io.fusespill.learn.TextRequestReader;
import io.fusespill.traces.TraceReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Prompts and outputs to a trace with declared lengths.
@Command(
    name = "declare",
    mixinStandardHelpOptions = true,
    description = {
      "Makes a trace of requests with text; what each declares is what a length model predicts from its prompt.",
      ""
    })
final class TraceDeclareCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FILE",
      description =
          "JSONL with prompt, and output or output_tokens; perhaps prompt_tokens, arrival (s).")
  private Path file;

  @Option(
      names = "--length-model",
      required = true,
      paramLabel = "MODEL",
      description = "File that train-length wrote.")
  private Path model;

  @Mixin private TraceOutput output;

  @Option(
      names = "--skip-invalid",
      description = "Skip and count rows that are not a request, instead of stopping at the first.")
  private boolean skipInvalid;

  @Option(names = "--quiet", description = "No progress bar.")
  private boolean quiet;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  TraceDeclareCommand() {}

  @Override
  public Integer call() {
    WorkloadOptions.requireFile(file);
    WorkloadOptions.requireFile(model);
    PrintWriter out = spec.commandLine().getOut();
    LengthModel lengths = LengthModel.read(model);
    try (TraceReader reader =
        new DeclaringTraceReader(TextRequestReader.open(file, skipInvalid), lengths)) {
      output.write(reader, out, 0, quiet);
      if (reader.skipped() > 0) {
        out.println(WorkloadOptions.skipped(reader.skipped(), reader.skippedReason()));
        out.flush();
      }
    }
    return 0;
  }
}
