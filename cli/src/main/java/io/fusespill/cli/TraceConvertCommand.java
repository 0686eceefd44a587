package io.fusespill.cli;

import io.fusespill.traces.TraceReader;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// One format to another.
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a trace in another format, with other arrivals or less of it if the options say so.",
      ""
    })
final class TraceConvertCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "Trace file, plain or gzip.")
  private Path file;

  @Mixin private WorkloadOptions workloadOptions;

  @Mixin private TraceOutput output;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "N",
      description = "Seed of drawn arrivals (default 0).")
  private long seed;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required
  TraceConvertCommand() {}

  @Override
  public Integer call() {
    try (TraceReader reader = workloadOptions.open(file, seed)) {
      WorkloadOptions.requireRequest(file, reader);
      output.write(reader, spec.commandLine().getOut(), 0, false);
    }
    return 0;
  }
}
