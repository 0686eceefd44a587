package io.fusespill.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// What is done to traces before anything runs.
@Command(
    name = "trace",
    mixinStandardHelpOptions = true,
    description = {"Describes, converts and generates traces, and declares output lengths.", ""},
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TraceDescribeCommand.class,
      TraceConvertCommand.class,
      TraceGenerateCommand.class,
      TraceDeclareCommand.class
    })
final class TraceCommand implements Runnable {

  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  TraceCommand() {}

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Missing command: describe, convert, generate or declare");
  }
}
