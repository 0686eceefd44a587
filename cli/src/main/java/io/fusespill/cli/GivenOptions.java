package io.fusespill.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// The scenario options that somebody gave, as they were given: what a run was asked for, before
/// anything was derived from it. Options may be laid over others, which they replace.
record GivenOptions(List<Given> all) {

  static final String POLICY = "--policy";
  static final String POLICY_OPTION = "--policy-option";
  static final String TOPOLOGY = "--topology";
  static final String DEVICE = "--device";
  static final String AUX = "--aux";
  static final String HOST = "--host";
  static final String PEER_LINK = "--peer-link";

  /// Options that describe the machine, which a topology file does as a whole.
  static final List<String> MACHINE =
      List.of(DEVICE, AUX, HOST, "--swap-space", "--link", PEER_LINK, "--disk");

  /// Options whose value may be the path of a file.
  private static final List<String> FILES =
      List.of(TOPOLOGY, "--model", "--time-model", HOST, "--link", PEER_LINK);

  /// One option with its value.
  record Given(String name, String value) {}

  GivenOptions {
    all = List.copyOf(all);
  }

  /// The scenario options among what was parsed. Paths become absolute, so that they still name the
  /// same file when they are read again.
  static GivenOptions of(ParseResult parsed) {
    Set<String> names = new TreeSet<>(scenarioSpec().optionsMap().keySet());
    List<Given> given = new ArrayList<>();
    for (OptionSpec option : new LinkedHashSet<>(parsed.matchedOptions())) {
      if (names.contains(option.longestName())) {
        for (String value : parsed.matchedOption(option.longestName()).originalStringValues()) {
          given.add(new Given(option.longestName(), located(option.longestName(), value)));
        }
      }
    }
    return new GivenOptions(given);
  }

  private static String located(String name, String value) {
    if (name.equals(DEVICE) || name.equals(AUX)) {
      int colon = value.indexOf(':');
      String cards = colon < 0 ? value : value.substring(0, colon);
      return Stream.of(cards.split("\\+", -1))
              .map(GivenOptions::located)
              .collect(Collectors.joining("+"))
          + value.substring(cards.length());
    }
    return FILES.contains(name) ? located(value) : value;
  }

  private static String located(String value) {
    return Files.isRegularFile(Path.of(value))
        ? Path.of(value).toAbsolutePath().normalize().toString()
        : value;
  }

  private static CommandSpec scenarioSpec() {
    return CommandSpec.forAnnotatedObject(new ScenarioOptions());
  }

  /// Options and values in turn, as on a command line.
  static GivenOptions ofArguments(List<String> arguments) {
    List<Given> given = new ArrayList<>();
    for (int i = 0; i + 1 < arguments.size(); i += 2) {
      given.add(new Given(arguments.get(i), arguments.get(i + 1)));
    }
    return new GivenOptions(given);
  }

  List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    for (Given given : all) {
      arguments.add(given.name());
      arguments.add(given.value());
    }
    return arguments;
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  boolean has(String name) {
    return all.stream().anyMatch(given -> given.name().equals(name));
  }

  /// The last value of an option, or `otherwise` where it was not given.
  String value(String name, String otherwise) {
    String value = otherwise;
    for (Given given : all) {
      value = given.name().equals(name) ? given.value() : value;
    }
    return value;
  }

  GivenOptions and(String name, String value) {
    List<Given> more = new ArrayList<>(all);
    more.add(new Given(name, value));
    return new GivenOptions(more);
  }

  GivenOptions without(List<String> names) {
    return new GivenOptions(all.stream().filter(given -> !names.contains(given.name())).toList());
  }

  GivenOptions only(List<String> names) {
    return new GivenOptions(all.stream().filter(given -> names.contains(given.name())).toList());
  }

  /// These options with `over` in the place of those of the same names. Another policy leaves the
  /// options of the one before behind; the same policy keeps those that are not given anew. A
  /// topology takes the place of all that describes a machine, and devices of which only one is
  /// left have no links between them.
  ///
  /// @throws UsageException if part of a machine is given, and these options take the whole of it
  ///   from a topology
  GivenOptions overlaidBy(GivenOptions over) {
    boolean otherPolicy =
        over.has(POLICY)
            && !over.value(POLICY, "").equals(value(POLICY, ScenarioOptions.DEFAULT_POLICY));
    boolean machine = MACHINE.stream().anyMatch(over::has);
    if (machine && has(TOPOLOGY) && !over.has(DEVICE)) {
      throw new UsageException(
          "the run's machine comes from the topology %s: give another --topology, or describe the whole machine with --device and the rest"
              .formatted(value(TOPOLOGY, "")));
    }
    List<Given> laid = new ArrayList<>();
    for (Given given : all) {
      boolean replaced =
          switch (given.name()) {
            case POLICY_OPTION -> otherPolicy || over.hasPolicyOption(key(given));
            case TOPOLOGY -> machine || over.has(TOPOLOGY);
            default ->
                over.has(given.name()) || (over.has(TOPOLOGY) && MACHINE.contains(given.name()));
          };
      if (!replaced) {
        laid.add(given);
      }
    }
    laid.addAll(over.all());
    GivenOptions both = new GivenOptions(laid);
    return over.has(PEER_LINK) || both.only(List.of(DEVICE, AUX)).all().size() > 1
        ? both
        : both.without(List.of(PEER_LINK));
  }

  private boolean hasPolicyOption(String key) {
    return all.stream()
        .anyMatch(given -> given.name().equals(POLICY_OPTION) && key(given).equals(key));
  }

  private static String key(Given option) {
    int equals = option.value().indexOf('=');
    return equals < 0 ? option.value() : option.value().substring(0, equals);
  }

  /// The options as `simulate` would take them.
  ///
  /// @throws UsageException if one is not known or its value cannot be read
  ScenarioOptions parse() {
    ScenarioOptions options = new ScenarioOptions();
    try {
      new CommandLine(options).parseArgs(arguments().toArray(String[]::new));
    } catch (ParameterException e) {
      throw new UsageException(String.valueOf(e.getMessage()), e);
    }
    return options;
  }

  /// As one would type them.
  @Override
  public String toString() {
    return String.join(" ", arguments());
  }
}
