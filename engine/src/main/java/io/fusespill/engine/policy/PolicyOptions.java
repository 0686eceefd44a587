package io.fusespill.engine.policy;

import io.fusespill.engine.config.PolicySpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The options given for a policy, checked against those that it has.
public final class PolicyOptions {

  private final PolicySpec spec;
  private final List<PolicyOption> known;

  PolicyOptions(PolicySpec spec, List<PolicyOption> known) {
    this.spec = spec;
    this.known = known;
    for (String name : spec.options().keySet()) {
      if (known.stream().noneMatch(option -> option.name().equals(name))) {
        throw new PolicyException(
            "policy %s has no option '%s'; it has %s"
                .formatted(spec.name(), name, known.stream().map(PolicyOption::name).toList()));
      }
    }
  }

  /// A whole number of `min` to `max`.
  int integer(PolicyOption option, int min, int max) {
    String text = text(option);
    if (text.matches("[0-9]{1,9}")) {
      int value = Integer.parseInt(text);
      if (value >= min && value <= max) {
        return value;
      }
    }
    throw illegal(option, text);
  }

  /// A decimal fraction of 0 to below 1.
  double fraction(PolicyOption option) {
    String text = text(option);
    if (text.matches("[0-9]+(\\.[0-9]+)?")) {
      double value = Double.parseDouble(text);
      if (value < 1) {
        return value;
      }
    }
    throw illegal(option, text);
  }

  /// A decimal fraction of 0 to below 1 as a number of parts, of which `whole` make 1.
  long parts(PolicyOption option, long whole) {
    double fraction = fraction(option);
    long parts = Math.round(fraction * whole);
    if ((double) parts / whole != fraction) {
      throw illegal(option, text(option));
    }
    return parts;
  }

  boolean flag(PolicyOption option) {
    return switch (text(option)) {
      case "true" -> true;
      case "false" -> false;
      case String text -> throw illegal(option, text);
    };
  }

  /// A constant of `type` by its lower-case name; hyphens stand for underscores.
  <E extends Enum<E>> E constant(PolicyOption option, Class<E> type) {
    String text = text(option);
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(text.replace('-', '_')))
        .findFirst()
        .orElseThrow(() -> illegal(option, text));
  }

  private String text(PolicyOption option) {
    if (!known.contains(option)) {
      throw new IllegalStateException(
          "policy " + spec.name() + " reads an option that it does not declare: " + option.name());
    }
    return spec.options().getOrDefault(option.name(), option.defaultValue());
  }

  private PolicyException illegal(PolicyOption option, String text) {
    return new PolicyException(
        "option %s of policy %s is '%s', must be %s"
            .formatted(option.name(), spec.name(), text, option.legal()),
        option.name());
  }
}
