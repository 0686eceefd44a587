package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceLimits;
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
    TraceFormat traceFormat = format == null ? TraceFormat.detect(file) : TraceFormat.named(format);
    return shape(traceFormat.open(file, readOptions()), seed);
  }

  /// Applies the options about arrivals.
  TraceReader shape(TraceReader reader, long seed) {
    if (burstiness != null && rate == null) {
      throw new UsageException(
          "--burstiness is %s but there is no --rate: give both or neither".formatted(burstiness));
    }
    if (rate != null && rateScale != null) {
      throw new UsageException(
          "--rate %s and --rate-scale %s exclude each other".formatted(rate, rateScale));
    }
    if (rate != null) {
      return TraceReader.withArrivals(reader, arrivals(rate), seed);
    }
    try {
      return rateScale == null ? reader : TraceReader.rateScaled(reader, rateScale);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--rate-scale: " + e.getMessage(), e);
    }
  }

  private ArrivalProcess arrivals(String requestsPerSecond) {
    if (requestsPerSecond.equals("inf")) {
      return ArrivalProcess.atOnce();
    }
    try {
      return ArrivalProcess.gamma(
          Double.parseDouble(requestsPerSecond), burstiness == null ? 1 : burstiness);
    } catch (NumberFormatException e) {
      throw new UsageException(
          "--rate is '%s', must be requests per second above 0, or inf"
              .formatted(requestsPerSecond),
          e);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--rate %s: %s".formatted(requestsPerSecond, e.getMessage()), e);
    }
  }

  ReadOptions readOptions() {
    try {
      LengthFilter lengths =
          new LengthFilter(
              maxPrompt == null ? TraceLimits.MAX_TOKENS : maxPrompt,
              maxTotal == null ? 2 * TraceLimits.MAX_TOKENS : maxTotal);
      return new ReadOptions(limit == null ? Long.MAX_VALUE : limit, skipInvalid, lengths);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /// What identifies the workload in the configuration: the file's name, not where it lies.
  ObjectNode describe(String name) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("trace", name);
    json.put("format", format);
    json.put("limit", limit);
    json.put("max_prompt", maxPrompt);
    json.put("max_total", maxTotal);
    json.put("skip_invalid", skipInvalid);
    json.put("rate", rate);
    json.put("burstiness", burstiness);
    json.put("rate_scale", rateScale);
    return json;
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
