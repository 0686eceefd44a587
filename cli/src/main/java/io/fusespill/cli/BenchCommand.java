package io.fusespill.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// How fast a model runs here.
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures a model on this machine: options and figures of vLLM's benchmarks.",
      ""
    },
    subcommands = {BenchThroughputCommand.class, BenchLatencyCommand.class},
    synopsisSubcommandLabel = "COMMAND")
final class BenchCommand implements Runnable {

  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  BenchCommand() {}

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }
}
