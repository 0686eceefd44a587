package io.fusespill.cli;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/// Takes option names with underscores for those with hyphens, as vLLM's commands do:
/// `--num_prompts`.
final class Underscores implements IParameterPreprocessor {

  @Override
  @SuppressWarnings("JdkObsolete") // picocli's own type
  public boolean preprocess(
      Stack<String> arguments, CommandSpec command, ArgSpec argument, Map<String, Object> info) {
    arguments.replaceAll(each -> mended(each, command));
    return false;
  }

  private static String mended(String argument, CommandSpec command) {
    int equals = argument.indexOf('=');
    String name = equals < 0 ? argument : argument.substring(0, equals);
    String hyphened = name.replace('_', '-');
    return name.startsWith("--")
            && !command.optionsMap().containsKey(name)
            && command.optionsMap().containsKey(hyphened)
        ? hyphened + argument.substring(name.length())
        : argument;
  }
}
