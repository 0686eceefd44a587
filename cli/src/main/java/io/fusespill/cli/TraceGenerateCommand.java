package io.fusespill.cli;

import io.fusespill.sim.workload.GeneratedWorkload;
import io.fusespill.traces.TraceReader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// A trace drawn from published figures.
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = {
      "Draws a trace: lengths from published tables or simple distributions, arrivals from a process.",
      ""
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  fusespill trace generate --lengths sharegpt --max-prompt 1024 --max-total 1512 -n 1000 --rate 4 -o t.csv",
      "  fusespill trace generate --prompt uniform:200:1000 --output normal:200:60 -n 10000 --arrivals burst -o t.csv"
    })
final class TraceGenerateCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--lengths",
      paramLabel = "TABLE",
      description =
          "sharegpt, azure-conv, mooncake, arxiv, ragpulse or deepseek-r1: published lengths.")
  private @Nullable String lengths;

  @Option(
      names = "--prompt",
      paramLabel = "DIST",
      description = "Prompt tokens: uniform:MIN:MAX or normal:MEAN:DEVIATION.")
  private @Nullable String prompt;

  @Option(names = "--output", paramLabel = "DIST", description = "Output tokens, in the same way.")
  private @Nullable String output;

  @Option(
      names = {"-n", "--requests"},
      required = true,
      paramLabel = "N",
      description = "Number of requests.")
  private long requests;

  @Option(
      names = "--arrivals",
      defaultValue = "gamma",
      paramLabel = "PROCESS",
      description =
          "burst (all at once), gamma (default; Poisson unless --burstiness says else), on-off or diurnal.")
  private String arrivals;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "Requests per second on average; while on, for on-off.")
  private @Nullable Double rate;

  @Option(
      names = "--burstiness",
      paramLabel = "B",
      description = "gamma: shape of the gaps; 1 is Poisson (default), less is burstier.")
  private @Nullable Double burstiness;

  @Option(names = "--on", paramLabel = "S", description = "on-off: seconds on (default 60).")
  private @Nullable Double onSeconds;

  @Option(names = "--off", paramLabel = "S", description = "on-off: seconds off (default 60).")
  private @Nullable Double offSeconds;

  @Option(
      names = "--amplitude",
      paramLabel = "A",
      description = "diurnal: swing of the rate as a share of it (default 0.8).")
  private @Nullable Double amplitude;

  @Option(
      names = "--max-prompt",
      paramLabel = "TOKENS",
      description = "Draw again what has a longer prompt.")
  private @Nullable Integer maxPrompt;

  @Option(
      names = "--max-total",
      paramLabel = "TOKENS",
      description = "Draw again what has more prompt and output tokens together.")
  private @Nullable Integer maxTotal;

  @Option(names = "--seed", defaultValue = "0", paramLabel = "N", description = "Seed (default 0).")
  private long seed;

  @Mixin private TraceOutput target;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  TraceGenerateCommand() {}

  @Override
  public Integer call() {
    try (TraceReader generator = generator()) {
      target.write(generator, spec.commandLine().getOut(), requests, false);
    }
    return 0;
  }

  private TraceReader generator() {
    try {
      return new GeneratedWorkload(
              lengths,
              prompt,
              output,
              requests,
              arrivals,
              rate,
              burstiness,
              onSeconds,
              offSeconds,
              amplitude,
              maxPrompt,
              maxTotal)
          .open(seed);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }
}
