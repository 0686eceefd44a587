package io.fusespill.replay.evaluate;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Machine;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.spec.SpecReader;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A row of the tables: a policy, and how it uses a platform.
///
/// @param name what the row is called
/// @param devices what the policy makes of the platform's cards; empty for the platform's own
/// @param platforms names of those that the row is for; empty for all
/// @param maxNumSeqs 0 for the specification's
/// @param maxNumBatchedTokens 0 for the specification's
/// @param serving predictor, queue depth and submit latency
public record PolicyRow(
    String name,
    PolicySpec policy,
    List<DeviceSpec> devices,
    List<String> platforms,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    Scenario.Serving serving,
    Standing standing) {

  public PolicyRow {
    devices = List.copyOf(devices);
    platforms = List.copyOf(platforms);
  }

  /// The rows of one entry: one for each combination of the values that its options list. Their
  /// names tell the options that have more than one.
  ///
  /// @param names of all platforms
  /// @param known those without problems
  static List<PolicyRow> from(SpecReader spec, List<String> names, List<Platform> known) {
    String policy = spec.text("policy");
    SortedMap<String, List<String>> options = spec.textListsByKey("options");
    spec.requireKnown("policy", "policy", policy, PolicyKind.labels());
    if (PolicyKind.labels().contains(policy)) {
      List<String> optionNames =
          PolicyKind.named(policy).options().stream().map(PolicyOption::name).toList();
      options
          .keySet()
          .forEach(name ->
              spec.requireKnown("options." + name, "option of " + policy, name, optionNames));
    }
    List<String> platforms = spec.texts("platforms");
    platforms.forEach(name -> spec.requireKnown("platforms", "platform", name, names));
    PolicyRow row =
        new PolicyRow(
            spec.has("name") ? spec.name("name") : policy,
            new PolicySpec(policy, new TreeMap<>()),
            Platform.devices(spec, "devices"),
            platforms,
            Limits.maxNumSeqs(spec),
            Limits.maxNumBatchedTokens(spec),
            serving(spec),
            standing(spec));
    boolean namesAreKnown =
        PolicyKind.labels().contains(policy)
            && (row.serving.predictor().isEmpty()
                || PredictorKind.labels().contains(row.serving.predictor()));
    if (namesAreKnown && row.standing == Standing.BASELINE && row.oracle()) {
      spec.problem(
          "baseline",
          "is true under the predictor oracle, which knows what no real run does; name another predictor, or mark the row bound");
    }
    known.stream()
        .filter(row::runsOn)
        .forEach(platform -> row.requireEqualHardware(spec, platform));
    List<PolicyRow> rows = List.of(row);
    for (Map.Entry<String, List<String>> option : options.entrySet()) {
      rows = rows.stream().flatMap(each -> each.with(option.getKey(), option.getValue())).toList();
    }
    return rows;
  }

  private Stream<PolicyRow> with(String option, List<String> values) {
    return values.stream()
        .map(value -> {
          SortedMap<String, String> options = new TreeMap<>(policy.options());
          options.put(option, value);
          return new PolicyRow(
              values.size() == 1 ? name : "%s %s=%s".formatted(name, option, value),
              new PolicySpec(policy.name(), options),
              devices,
              platforms,
              maxNumSeqs,
              maxNumBatchedTokens,
              serving,
              standing);
        });
  }

  /// Whether it is told true output lengths, so that its figures are a bound and no result.
  public boolean oracle() {
    return (serving.predictor().isEmpty()
            ? PolicyKind.named(policy.name()).predictor()
            : PredictorKind.named(serving.predictor()))
        .oracle();
  }

  boolean runsOn(Platform platform) {
    return platforms.isEmpty() || platforms.contains(platform.name());
  }

  TopologySpec topologyOn(Platform platform) {
    Machine machine = platform.machine();
    return devices.isEmpty() || machine == null
        ? platform.topology()
        : machine.withDevices(devices).topology();
  }

  private void requireEqualHardware(SpecReader spec, Platform platform) {
    if (!devices.isEmpty() && platform.machine() == null) {
      spec.problem(
          "devices",
          "cannot take the place of those of platform %s, whose topology has links for its own; name the row's platforms"
              .formatted(platform.name()));
      return;
    }
    if (standing == Standing.BOUND || devices.isEmpty()) {
      return;
    }
    List<String> missing = platform.missing(devices);
    if (!missing.isEmpty()) {
      spec.problem(
          "devices",
          "takes %s, which platform %s does not have; name the row's platforms, or mark it bound"
              .formatted(String.join(" and ", missing), platform.name()));
    }
    if (!Platform.hasMemory(devices) || !Platform.hasMemory(platform.devices())) {
      spec.problem(
          "devices",
          "cannot be compared with those of platform %s where either sets blocks; leave blocks away, or mark the row bound"
              .formatted(platform.name()));
    }
  }

  private static Scenario.Serving serving(SpecReader spec) {
    String predictor = spec.text("predictor", "");
    if (!predictor.isEmpty()) {
      spec.requireKnown("predictor", "predictor", predictor, PredictorKind.labels());
    }
    return new Scenario.Serving(
        predictor,
        spec.within("depth", 0, 1, 8),
        1_000L * spec.within("submit-latency", 0, 0, 60_000_000));
  }

  private static Standing standing(SpecReader spec) {
    boolean baseline = spec.flag("baseline");
    boolean bound = spec.flag("bound");
    if (baseline && bound) {
      spec.problem("bound", "is true and so is baseline, must not both be");
    }
    return baseline ? Standing.BASELINE : bound ? Standing.BOUND : Standing.CONTENDER;
  }
}
