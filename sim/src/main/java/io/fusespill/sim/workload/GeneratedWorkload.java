package io.fusespill.sim.workload;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.traces.ArrivalProcess;
import io.fusespill.traces.LengthDistribution;
import io.fusespill.traces.PublishedLengths;
import io.fusespill.traces.TokenDistribution;
import io.fusespill.traces.TraceReader;
import io.fusespill.traces.WorkloadGenerator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A trace that is drawn instead of read.
///
/// @param lengths a published table; excludes the next two
/// @param prompt distribution of prompt tokens, `uniform:MIN:MAX` or `normal:MEAN:DEVIATION`
/// @param output the same of output tokens
/// @param requests how many, at least 1
/// @param arrivals `burst`, `gamma`, `on-off` or `diurnal`
/// @param rate requests a second; of every process but `burst`
/// @param burstiness of `gamma`, [#DEFAULT_BURSTINESS] where not given
/// @param onSeconds of `on-off`, like `offSeconds` [#DEFAULT_SECONDS] where not given
/// @param amplitude of `diurnal`, [#DEFAULT_AMPLITUDE] where not given
public record GeneratedWorkload(
    @Nullable String lengths,
    @Nullable String prompt,
    @Nullable String output,
    long requests,
    String arrivals,
    @Nullable Double rate,
    @Nullable Double burstiness,
    @Nullable Double onSeconds,
    @Nullable Double offSeconds,
    @Nullable Double amplitude,
    @Nullable Integer maxPrompt,
    @Nullable Integer maxTotal)
    implements Workload {

  /// All at once: the arrivals that have no rate.
  public static final String BURST = "burst";

  private static final String GAMMA = "gamma";
  private static final String ON_OFF = "on-off";
  private static final String DIURNAL = "diurnal";

  public static final String DEFAULT_ARRIVALS = GAMMA;
  private static final double DEFAULT_BURSTINESS = 1;
  private static final double DEFAULT_SECONDS = 60;
  private static final double DEFAULT_AMPLITUDE = 0.8;

  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long DAY_SECONDS = 86_400;

  public GeneratedWorkload {
    if (requests < 1) {
      throw new IllegalArgumentException("requests is %d, must be at least 1".formatted(requests));
    }
    distribution(lengths, prompt, output);
    process(arrivals, rate, burstiness, onSeconds, offSeconds, amplitude);
    requireOf("rate", rate, arrivals, GAMMA, ON_OFF, DIURNAL);
    requireOf("burstiness", burstiness, arrivals, GAMMA);
    requireOf("on", onSeconds, arrivals, ON_OFF);
    requireOf("off", offSeconds, arrivals, ON_OFF);
    requireOf("amplitude", amplitude, arrivals, DIURNAL);
    TraceWorkload.lengths(maxPrompt, maxTotal);
  }

  @Override
  public TraceReader open(long seed) {
    return new WorkloadGenerator(
        distribution(lengths, prompt, output),
        TraceWorkload.lengths(maxPrompt, maxTotal),
        process(arrivals, rate, burstiness, onSeconds, offSeconds, amplitude),
        requests,
        seed);
  }

  @Override
  public GeneratedWorkload atRate(String rate) {
    if (rate.equals("inf")) {
      return new GeneratedWorkload(
          lengths, prompt, output, requests, BURST, null, null, null, null, null, maxPrompt,
          maxTotal);
    }
    try {
      return with(atOnce() ? DEFAULT_ARRIVALS : arrivals, Double.valueOf(rate));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(TraceWorkload.malformedRate(rate), e);
    }
  }

  @Override
  public GeneratedWorkload scaled(double factor) {
    if (rate == null) {
      throw new IllegalArgumentException(
          "a rate-scale of %s needs a rate to scale, which arrivals %s have not"
              .formatted(factor, arrivals));
    }
    return with(arrivals, rate * factor);
  }

  @Override
  public boolean atOnce() {
    return arrivals.equals(BURST);
  }

  private GeneratedWorkload with(String arrivals, double rate) {
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
        maxTotal);
  }

  @Override
  public ObjectNode describe() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("lengths", lengths);
    json.put("prompt", prompt);
    json.put("output", output);
    json.put("requests", requests);
    json.put("arrivals", arrivals);
    json.put("rate", rate);
    json.put("burstiness", or(burstiness, DEFAULT_BURSTINESS));
    json.put("on", or(onSeconds, DEFAULT_SECONDS));
    json.put("off", or(offSeconds, DEFAULT_SECONDS));
    json.put("amplitude", or(amplitude, DEFAULT_AMPLITUDE));
    json.put("max_prompt", maxPrompt);
    json.put("max_total", maxTotal);
    return json;
  }

  @Override
  public long count() {
    return requests;
  }

  private static LengthDistribution distribution(
      @Nullable String lengths, @Nullable String prompt, @Nullable String output) {
    if (lengths != null && prompt == null && output == null) {
      return PublishedLengths.named(lengths);
    }
    if (lengths == null && prompt != null && output != null) {
      return LengthDistribution.independent(tokens("prompt", prompt), tokens("output", output));
    }
    throw new IllegalArgumentException("give either lengths, or both prompt and output");
  }

  private static TokenDistribution tokens(String key, String text) {
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
      throw malformed(key, text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("%s %s: %s".formatted(key, text, e.getMessage()), e);
    }
    throw malformed(key, text);
  }

  private static IllegalArgumentException malformed(String key, String text) {
    return new IllegalArgumentException(
        "%s is '%s', must be uniform:MIN:MAX or normal:MEAN:DEVIATION".formatted(key, text));
  }

  private static ArrivalProcess process(
      String arrivals,
      @Nullable Double rate,
      @Nullable Double burstiness,
      @Nullable Double onSeconds,
      @Nullable Double offSeconds,
      @Nullable Double amplitude) {
    if (arrivals.equals(BURST)) {
      return ArrivalProcess.atOnce();
    }
    if (rate == null) {
      throw new IllegalArgumentException(
          "arrivals %s need a rate, in requests per second; or take burst".formatted(arrivals));
    }
    return switch (arrivals) {
      case GAMMA -> ArrivalProcess.gamma(rate, or(burstiness, DEFAULT_BURSTINESS));
      case ON_OFF ->
          ArrivalProcess.onOff(
              rate,
              nanos("on", or(onSeconds, DEFAULT_SECONDS)),
              0,
              nanos("off", or(offSeconds, DEFAULT_SECONDS)));
      case DIURNAL ->
          ArrivalProcess.sinusoidal(
              rate, or(amplitude, DEFAULT_AMPLITUDE), DAY_SECONDS * SECOND_NANOS);
      default ->
          throw new IllegalArgumentException(
              "arrivals is '%s', must be burst, gamma, on-off or diurnal".formatted(arrivals));
    };
  }

  private static void requireOf(
      String option, @Nullable Double value, String arrivals, String... processes) {
    if (value != null && !List.of(processes).contains(arrivals)) {
      throw new IllegalArgumentException(
          "%s is %s but arrivals are %s, which have none: leave it away, or take arrivals %s"
              .formatted(option, value, arrivals, String.join(" or ", processes)));
    }
  }

  private static double or(@Nullable Double given, double otherwise) {
    return given == null ? otherwise : given;
  }

  private static long nanos(String option, double seconds) {
    long nanos = (long) (seconds * SECOND_NANOS);
    if (nanos < 1) {
      throw new IllegalArgumentException(
          "%s is %s, must be a number of seconds above 0".formatted(option, seconds));
    }
    return nanos;
  }
}
