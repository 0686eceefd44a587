package io.fusespill.sweep;

import io.fusespill.replay.Latencies;
import io.fusespill.sim.profile.NearMatch;
import io.fusespill.sim.spec.SpecReader;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A service level objective: percentiles of latencies that a run must keep, and the share of
/// requests that it may leave unserved.
///
/// @param unserved share of the requests that may be rejected or fail, 0 to 1
public record Slo(List<Target> targets, double unserved) {

  /// One bound.
  ///
  /// @param percentile above 0, at most 100
  public record Target(SloMetric metric, double percentile, long limitNanos) {

    boolean boundsSameAs(Target other) {
      return metric == other.metric && percentile == other.percentile;
    }

    /// As the command line spells it: `ttft.p99=2s`.
    @Override
    public String toString() {
      BigDecimal seconds = BigDecimal.valueOf(limitNanos, NANO_DIGITS).stripTrailingZeros();
      return "%s.p%s=%ss"
          .formatted(
              metric.label(),
              BigDecimal.valueOf(percentile).stripTrailingZeros().toPlainString(),
              seconds.toPlainString());
    }
  }

  /// No bound at all.
  public static final Slo NONE = new Slo(List.of(), 0);

  private static final int NANO_DIGITS = 9;
  private static final String UNSERVED = "unserved";
  private static final Pattern PERCENTILE = Pattern.compile("p([0-9]{1,3}(?:\\.[0-9]{1,3})?)");
  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(us|ms|s|min)");
  private static final Pattern TERM = Pattern.compile("([a-z0-9]+)\\.(p[0-9.]+)=(.+)");

  public Slo {
    targets = List.copyOf(targets);
    if (!(unserved >= 0 && unserved <= 1)) {
      throw new IllegalArgumentException(
          "unserved is %s, must be a share of 0 to 1".formatted(unserved));
    }
    for (int i = 0; i < targets.size(); i++) {
      for (Target earlier : targets.subList(0, i)) {
        if (earlier.boundsSameAs(targets.get(i))) {
          throw new IllegalArgumentException(
              "%s and %s bound the same: give one of them".formatted(earlier, targets.get(i)));
        }
      }
    }
  }

  /// Whether it asks for nothing.
  public boolean isEmpty() {
    return targets.isEmpty();
  }

  /// Reads the key `slo` of a specification.
  static Slo from(SpecReader spec) {
    List<Target> targets = new ArrayList<>();
    for (String key : spec.keys()) {
      if (!key.equals(UNSERVED) && SloMetric.labels().contains(key)) {
        SpecReader bounds = spec.object(key);
        for (String percentile : bounds.keys()) {
          String limit = bounds.text(percentile);
          Target target =
              limit.isEmpty()
                  ? null
                  : bounds.check(percentile, () -> target(key, percentile, limit));
          if (target != null) {
            targets.add(target);
          }
        }
      }
    }
    for (String label : SloMetric.labels()) {
      spec.has(label);
    }
    boolean alone = spec.keys().equals(List.of(UNSERVED));
    double unserved = spec.number(UNSERVED, 0);
    Slo slo = spec.check(UNSERVED, () -> of(targets, unserved, alone));
    return slo == null ? NONE : slo;
  }

  /// Reads terms as the command line has them: `ttft.p99=2s`, `unserved=0.01`.
  ///
  /// @throws IllegalArgumentException if one is malformed
  public static Slo parse(List<String> terms) {
    List<Target> targets = new ArrayList<>();
    double unserved = 0;
    boolean alone = false;
    for (String term : terms) {
      Matcher matcher = TERM.matcher(term);
      if (matcher.matches()) {
        targets.add(target(matcher.group(1), matcher.group(2), matcher.group(3)));
      } else if (term.matches(UNSERVED + "=[0-9]+(\\.[0-9]+)?")) {
        unserved = Double.parseDouble(term.substring(UNSERVED.length() + 1));
        alone = terms.size() == 1;
      } else {
        throw new IllegalArgumentException(
            "'%s' must be METRIC.PERCENTILE=LIMIT, for example ttft.p99=2s or tpot.p90=100ms, or unserved=SHARE"
                .formatted(term));
      }
    }
    return of(targets, unserved, alone);
  }

  /// @param alone whether the share of unserved requests is all that is asked for
  private static Slo of(List<Target> targets, double unserved, boolean alone) {
    Slo slo = new Slo(targets, unserved);
    if (alone) {
      throw new IllegalArgumentException(
          "unserved goes with the bound of a latency, for example ttft.p99=2s, and there is none");
    }
    return slo;
  }

  private static Target target(String metric, String percentile, String limit) {
    if (!SloMetric.labels().contains(metric)) {
      throw new IllegalArgumentException(
          "unknown latency \"%s\"%s; known: %s"
              .formatted(
                  metric,
                  NearMatch.hint(metric, SloMetric.labels()),
                  String.join(", ", SloMetric.labels())));
    }
    Matcher share = PERCENTILE.matcher(percentile);
    double value = share.matches() ? Double.parseDouble(share.group(1)) : 0;
    if (!(value > 0 && value <= 100)) {
      throw new IllegalArgumentException(
          "'%s' must be a percentile above p0, at most p100, for example p99 or p99.9"
              .formatted(percentile));
    }
    Matcher duration = DURATION.matcher(limit);
    if (!duration.matches()) {
      throw new IllegalArgumentException(
          "'%s' must be a time with its unit, us, ms, s or min, for example 2s or 150ms"
              .formatted(limit));
    }
    long unit =
        switch (duration.group(2)) {
          case "us" -> 1_000L;
          case "ms" -> 1_000_000L;
          case "s" -> 1_000_000_000L;
          default -> 60_000_000_000L;
        };
    BigDecimal nanos = new BigDecimal(duration.group(1)).multiply(BigDecimal.valueOf(unit));
    if (nanos.signum() == 0 || nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException(
          "'%s' must be above 0 and below 292 years".formatted(limit));
    }
    return new Target(SloMetric.named(metric), value, nanos.longValue());
  }

  /// The bounds that a run does not keep, with what it has instead.
  ///
  /// @param unservedShare of its requests
  List<String> broken(Latencies latencies, double unservedShare) {
    List<String> broken = new ArrayList<>();
    for (Target target : targets) {
      long nanos = target.metric().of(latencies).percentileNanos(target.percentile());
      if (nanos > target.limitNanos()) {
        broken.add(target.toString());
      }
    }
    if (unservedShare > unserved) {
      broken.add(UNSERVED);
    }
    return broken;
  }

  /// What one request's latency may be to count as good: the loosest bound of the metric.
  OptionalLong limitNanos(SloMetric metric) {
    return targets.stream()
        .filter(target -> target.metric() == metric)
        .mapToLong(Target::limitNanos)
        .max();
  }

  @Override
  public String toString() {
    return isEmpty()
        ? "none"
        : targets.stream().map(Target::toString).collect(Collectors.joining(", "))
            + (unserved == 0 ? "" : ", %s=%s".formatted(UNSERVED, unserved));
  }
}
