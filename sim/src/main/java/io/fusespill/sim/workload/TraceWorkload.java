package io.fusespill.sim.workload;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthFilter;
import io.fusespill.traces.ReadOptions;
import io.fusespill.traces.TraceFormat;
import io.fusespill.traces.TraceLimits;
import io.fusespill.traces.TraceReader;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A trace file and what is changed on the way; what is null was not asked for.
///
/// @param format told by the first line if null
/// @param limit requests at most
/// @param rate requests a second in the place of the trace's own arrivals, or `inf` for all at once
/// @param burstiness shape of the gaps that `rate` draws; needs a `rate` other than `inf`
/// @param rateScale factor on the rate of the trace's own arrivals; excludes `rate`
public record TraceWorkload(
    Path file,
    @Nullable String format,
    @Nullable Long limit,
    @Nullable Integer maxPrompt,
    @Nullable Integer maxTotal,
    boolean skipInvalid,
    @Nullable String rate,
    @Nullable Double burstiness,
    @Nullable Double rateScale)
    implements Workload {

  private static final String AT_ONCE = "inf";
  private static final double SCALE_MIN = 1e-6;
  private static final double SCALE_MAX = 1e6;

  public TraceWorkload {
    if (burstiness != null && rate == null) {
      throw new IllegalArgumentException(
          "burstiness is %s but there is no rate: give both or neither".formatted(burstiness));
    }
    if (burstiness != null && AT_ONCE.equals(rate)) {
      throw new IllegalArgumentException(
          "burstiness is %s but the rate is inf, all at once, which leaves no gaps: leave it away, or give a number as the rate"
              .formatted(burstiness));
    }
    if (rate != null && rateScale != null) {
      throw new IllegalArgumentException(
          "rate %s and rate-scale %s exclude each other".formatted(rate, rateScale));
    }
    if (rateScale != null && !(rateScale >= SCALE_MIN && rateScale <= SCALE_MAX)) {
      throw new IllegalArgumentException(
          "rate-scale is %s, must be 0.000001 to 1,000,000".formatted(rateScale));
    }
    if (rate != null) {
      arrivals(rate, burstiness);
    }
    if (format != null) {
      TraceFormat.named(format);
    }
    readOptions(limit, maxPrompt, maxTotal, skipInvalid);
  }

  /// The same trace with its own arrivals at another rate, or as they are where it is null.
  public TraceWorkload withRateScale(@Nullable Double scale) {
    return new TraceWorkload(
        file, format, limit, maxPrompt, maxTotal, skipInvalid, rate, burstiness, scale);
  }

  @Override
  public TraceReader open(long seed) {
    TraceFormat traceFormat = format == null ? TraceFormat.detect(file) : TraceFormat.named(format);
    return arranged(
        traceFormat.open(file, readOptions(limit, maxPrompt, maxTotal, skipInvalid)), seed);
  }

  /// This workload without what it does to arrivals: whatever is equal to it reads the same.
  public TraceWorkload recorded() {
    return with(null, null, null);
  }

  /// The same of another file.
  public TraceWorkload at(Path file) {
    return new TraceWorkload(
        file, format, limit, maxPrompt, maxTotal, skipInvalid, rate, burstiness, rateScale);
  }

  /// The requests that [#recorded] reads at this workload's times. Closing closes `recorded`.
  ///
  /// @param seed of gaps that are drawn
  public TraceReader arranged(TraceReader recorded, long seed) {
    if (rate != null) {
      return TraceReader.withArrivals(recorded, arrivals(rate, burstiness), seed);
    }
    return rateScale == null ? recorded : TraceReader.rateScaled(recorded, rateScale);
  }

  @Override
  public TraceWorkload atRate(String rate) {
    return with(rate, rate.equals(AT_ONCE) ? null : burstiness, null);
  }

  @Override
  public boolean atOnce() {
    return AT_ONCE.equals(rate);
  }

  @Override
  public TraceWorkload scaled(double factor) {
    if (rate == null) {
      return with(null, null, (rateScale == null ? 1 : rateScale) * factor);
    }
    try {
      return with(String.valueOf(Double.parseDouble(rate) * factor), burstiness, null);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "a rate-scale of %s needs a rate to scale, which all at once has not".formatted(factor),
          e);
    }
  }

  private TraceWorkload with(
      @Nullable String rate, @Nullable Double burstiness, @Nullable Double rateScale) {
    return new TraceWorkload(
        file, format, limit, maxPrompt, maxTotal, skipInvalid, rate, burstiness, rateScale);
  }

  /// The file's name, not where it lies, and every option.
  @Override
  public ObjectNode describe() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("trace", String.valueOf(file.getFileName()));
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

  @Override
  public long count() {
    long requests = 0;
    try (TraceReader reader = open(0)) {
      while (reader.hasNext()) {
        reader.next();
        requests++;
      }
    }
    return requests;
  }

  private static ArrivalProcess arrivals(String rate, @Nullable Double burstiness) {
    if (rate.equals(AT_ONCE)) {
      return ArrivalProcess.atOnce();
    }
    double perSecond;
    try {
      perSecond = Double.parseDouble(rate);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(malformedRate(rate), e);
    }
    if (!(perSecond > 0 && perSecond <= ArrivalProcess.RATE_MAX)) {
      throw new IllegalArgumentException(malformedRate(rate));
    }
    return ArrivalProcess.gamma(perSecond, burstiness == null ? 1 : burstiness);
  }

  static String malformedRate(String rate) {
    return "rate is '%s', must be above 0 and at most %,.0f requests per second, or inf"
        .formatted(rate, ArrivalProcess.RATE_MAX);
  }

  private static ReadOptions readOptions(
      @Nullable Long limit,
      @Nullable Integer maxPrompt,
      @Nullable Integer maxTotal,
      boolean skipInvalid) {
    return new ReadOptions(
        limit == null ? Long.MAX_VALUE : limit, skipInvalid, lengths(maxPrompt, maxTotal));
  }

  static LengthFilter lengths(@Nullable Integer maxPrompt, @Nullable Integer maxTotal) {
    return new LengthFilter(
        maxPrompt == null ? TraceLimits.MAX_TOKENS : maxPrompt,
        maxTotal == null ? 2 * TraceLimits.MAX_TOKENS : maxTotal);
  }
}
