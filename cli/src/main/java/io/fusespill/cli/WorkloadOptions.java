package io.fusespill.cli;

import io.fusespill.replay.explain.Wording;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.traces.TraceReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a trace file becomes a workload.
final class WorkloadOptions {

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "Format of the trace; told by its first line if not given: azure, burstgpt, mooncake, ragpulse, lengths, vllm, llmservingsim.")
  private @Nullable String format;

  @Option(names = "--limit", paramLabel = "N", description = "Take only the first N requests.")
  private @Nullable Long limit;

  @Option(
      names = "--max-prompt",
      paramLabel = "TOKENS",
      description = "Leave out requests with a longer prompt.")
  private @Nullable Integer maxPrompt;

  @Option(
      names = "--max-total",
      paramLabel = "TOKENS",
      description = "Leave out requests with more prompt and output tokens together.")
  private @Nullable Integer maxTotal;

  @Option(
      names = "--skip-invalid",
      description = "Skip and count rows that are not a request, instead of stopping at the first.")
  private boolean skipInvalid;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description =
          "Requests per second in the place of the trace's own arrivals; 'inf' for all at once.")
  private @Nullable String rate;

  @Option(
      names = "--burstiness",
      paramLabel = "B",
      description =
          "With --rate: shape of the Gamma-distributed gaps; 1 is Poisson (default), less is burstier.")
  private @Nullable Double burstiness;

  @Option(
      names = "--rate-scale",
      paramLabel = "X",
      description = "Speed the trace's own arrivals up by this factor.")
  private @Nullable Double rateScale;

  /// Opens `file` as the options say.
  TraceReader open(Path file, long seed) {
    requireFile(file);
    return workload(file).open(seed);
  }

  /// What `file` becomes under the options.
  ///
  /// @throws UsageException if they are not legal
  TraceWorkload workload(Path file) {
    try {
      return new TraceWorkload(
          file, format, limit, maxPrompt, maxTotal, skipInvalid, rate, burstiness, rateScale);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /// @throws UsageException if nothing is left of `file`
  static void requireRequest(Path file, TraceReader reader) {
    if (!reader.hasNext()) {
      throw new UsageException(
          "%s holds no request%s"
              .formatted(
                  file,
                  reader.skipped() == 0
                      ? ""
                      : ": " + skipped(reader.skipped(), reader.skippedReason())));
    }
  }

  /// What was left out of a trace.
  static String skipped(long rows, String reason) {
    return "skipped %s, the first: %s".formatted(Wording.count(rows, "row"), reason);
  }

  static void requireFile(Path file) {
    if (!Files.exists(file)) {
      throw new UsageException("no file %s".formatted(file));
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new UsageException("%s is not a file that can be read".formatted(file));
    }
  }
}
