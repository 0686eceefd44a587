package io.fusespill.cli;

import io.fusespill.engine.EngineVersion;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The only `main`.
@Command(
    name = "fusespill",
    description = {
      "Schedules LLM inference on GPUs too small for the KV cache, and proves what its schedule is worth.",
      ""
    },
    subcommands = {
      DemoCommand.class,
      SimulateCommand.class,
      GenerateCommand.class,
      BenchCommand.class,
      ResumeCommand.class,
      WhatIfCommand.class,
      CalibrateCommand.class,
      CompareCommand.class,
      DiffCommand.class,
      EvaluateCommand.class,
      ChartsCommand.class,
      SweepCommand.class,
      CapacityCommand.class,
      CheapestCommand.class,
      ParetoCommand.class,
      VerifyCommand.class,
      InspectCommand.class,
      DumpCommand.class,
      ExplainCommand.class,
      ReportCommand.class,
      ExportCommand.class,
      TraceCommand.class,
      TrainLengthCommand.class,
      ProfileCommand.class,
      DevicesCommand.class,
      ProfileDeviceCommand.class,
      GenerateCompletion.class,
      HelpCommand.class
    },
    mixinStandardHelpOptions = true,
    versionProvider = FuseSpill.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Start with:",
      "  fusespill demo",
      "  fusespill simulate --trace requests.csv --model vicuna-7b --device a10 --policy vllm-0.2.7",
      "  fusespill generate --model models/Qwen3-0.6B --prompt 'The sea is'",
      "  fusespill verify runs/NAME",
      "",
      "Exit codes: 0 fine, 1 a divergence, a failed cell, a bound that compare missed, or an internal error,",
      "2 wrong usage or input.",
      "Completion for bash and zsh: source <(fusespill generate-completion)"
    })
public final class FuseSpill implements Runnable {

  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets it
  private FuseSpill() {}

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /// The whole command, ready to execute.
  static CommandLine commandLine() {
    Failures failures = new Failures();
    return new CommandLine(new FuseSpill())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpLongOptionsMaxWidth(34)
        .setUsageHelpWidth(110)
        .setExecutionStrategy(new CheckedArguments())
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }

  /// What `--version` prints.
  static final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
      return new String[] {"fusespill " + EngineVersion.VERSION};
    }
  }
}
