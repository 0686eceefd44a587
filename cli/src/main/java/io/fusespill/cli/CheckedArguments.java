package io.fusespill.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.UnmatchedArgumentException;

/// Runs a command unless there is none of the name, which help would hide, or one of its
/// `KEY=VALUE` options has a key twice: one of the values would be dropped.
final class CheckedArguments implements IExecutionStrategy {

  @Override
  public int execute(ParseResult parsed) {
    ParseResult last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    if (!last.commandSpec().subcommands().isEmpty()
        && !last.unmatched().isEmpty()
        && !last.unmatched().getFirst().startsWith("-")) {
      throw new UnmatchedArgumentException(last.commandSpec().commandLine(), last.unmatched());
    }
    for (OptionSpec option : last.matchedOptions()) {
      if (option.typeInfo().isMap()) {
        check(option, last);
      }
    }
    return new RunLast().execute(parsed);
  }

  private static void check(OptionSpec option, ParseResult parsed) {
    Map<String, String> values = new LinkedHashMap<>();
    String separator = option.splitRegex();
    for (String given :
        option.originalStringValues().stream()
            .flatMap(
                all -> separator.isEmpty() ? Stream.of(all) : Stream.of(all.split(separator, -1)))
            .toList()) {
      int at = given.indexOf('=');
      String key = given.substring(0, at);
      String value = given.substring(at + 1);
      String before = values.putIfAbsent(key, value);
      if (before != null) {
        throw new ParameterException(
            parsed.commandSpec().commandLine(),
            "%s %s is given twice, as '%s' and as '%s'"
                .formatted(option.longestName(), key, before, value));
      }
    }
  }
}
