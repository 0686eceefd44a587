package io.fusespill.cli;

import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthDistribution;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.TokenDistribution;
import io.fusespill.traces.TraceLimits;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.WorkloadGenerator;
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

  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long DAY_SECONDS = 86_400;

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
      defaultValue = "1",
      paramLabel = "B",
      description = "gamma: shape of the gaps; 1 is Poisson (default), less is burstier.")
  private double burstiness;

  @Option(
      names = "--on",
      defaultValue = "60",
      paramLabel = "S",
      description = "on-off: seconds on (default 60).")
  private double onSeconds;

  @Option(
      names = "--off",
      defaultValue = "60",
      paramLabel = "S",
      description = "on-off: seconds off (default 60).")
  private double offSeconds;

  @Option(
      names = "--amplitude",
      defaultValue = "0.8",
      paramLabel = "A",
      description = "diurnal: swing of the rate as a share of it (default 0.8).")
  private double amplitude;

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
    if (requests < 1) {
      throw new UsageException("--requests is %d, must be at least 1".formatted(requests));
    }
    try {
      LengthFilter filter =
          new LengthFilter(
              maxPrompt == null ? TraceLimits.MAX_TOKENS : maxPrompt,
              maxTotal == null ? 2 * TraceLimits.MAX_TOKENS : maxTotal);
      return new WorkloadGenerator(lengths(), filter, process(), requests, seed);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private LengthDistribution lengths() {
    if (lengths != null && prompt == null && output == null) {
      return PublishedLengths.named(lengths);
    }
    if (lengths == null && prompt != null && output != null) {
      return LengthDistribution.independent(
          distribution("--prompt", prompt), distribution("--output", output));
    }
    throw new UsageException("give either --lengths, or both --prompt and --output");
  }

  private static TokenDistribution distribution(String option, String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 3 && parts[0].equals("uniform")) {
        return new TokenDistribution.Uniform(
            Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
      }
      if (parts.length == 3 && parts[0].equals("normal")) {
        return new TokenDistribution.Normal(
            Double.parseDouble(parts[1]), Double.parseDouble(parts[2]));
      }
    } catch (NumberFormatException e) {
      throw malformed(option, text);
    }
    throw malformed(option, text);
  }

  private static UsageException malformed(String option, String text) {
    return new UsageException(
        "%s is '%s', must be uniform:MIN:MAX or normal:MEAN:DEVIATION".formatted(option, text));
  }

  private ArrivalProcess process() {
    if (arrivals.equals("burst")) {
      return ArrivalProcess.atOnce();
    }
    if (rate == null) {
      throw new UsageException(
          "--arrivals %s needs --rate, in requests per second; or take --arrivals burst"
              .formatted(arrivals));
    }
    return switch (arrivals) {
      case "gamma" -> ArrivalProcess.gamma(rate, burstiness);
      case "on-off" -> ArrivalProcess.onOff(rate, nanos(onSeconds), 0, nanos(offSeconds));
      case "diurnal" -> ArrivalProcess.sinusoidal(rate, amplitude, DAY_SECONDS * SECOND_NANOS);
      default ->
          throw new UsageException(
              "--arrivals is '%s', must be burst, gamma, on-off or diurnal".formatted(arrivals));
    };
  }

  private static long nanos(double seconds) {
    return (long) (seconds * SECOND_NANOS);
  }
}
