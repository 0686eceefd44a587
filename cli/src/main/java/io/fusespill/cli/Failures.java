package io.fusespill.cli;

import io.fusespill.charts.ResultsException;
import io.fusespill.cuda.driver.CudaException;
import io.fusespill.engine.policy.PolicyException;
import io.fusespill.host.checkpoint.CheckpointException;
import io.fusespill.journal.EngineStoppedException;
import io.fusespill.journal.JournalException;
import io.fusespill.journal.live.NoDeviceException;
import io.fusespill.learn.LengthModelException;
import io.fusespill.live.LiveException;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.spec.SpecException;
import io.fusespill.sweep.SweepException;
import io.fusespill.traces.TraceException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// One line on standard error for what the user can mend, and exit code 2; a stack trace for what
/// only we can, and 1.
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {

  static final int INTERNAL = 1;
  static final int USAGE = 2;

  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    List<String> unmatched = command.getUnmatchedArguments();
    if (e instanceof MissingParameterException && !unmatched.isEmpty()) {
      // A mistyped option is what is missing: name it, as picocli does where nothing else is.
      return handleParseException(new UnmatchedArgumentException(command, unmatched), arguments);
    }
    if (e instanceof UnmatchedArgumentException known) {
      // What else is left over is mostly such an option's value.
      List<String> options =
          known.getUnmatched().stream().filter(it -> it.startsWith("-")).toList();
      if (!options.isEmpty() && options.size() < known.getUnmatched().size()) {
        return handleParseException(new UnmatchedArgumentException(command, options), arguments);
      }
    }
    String hint = "; see '%s --help'".formatted(command.getCommandSpec().qualifiedName());
    if (e instanceof UnmatchedArgumentException known) {
      List<String> near = suggestions(known);
      if (!near.isEmpty()) {
        hint =
            "; did you mean %s? See '%s --help'"
                .formatted(String.join(" or ", near), command.getCommandSpec().qualifiedName());
      }
    }
    print(command, message(e) + hint);
    return USAGE;
  }

  /// Near names; for what is no option, of a command that takes options alone, what may be meant.
  private static List<String> suggestions(UnmatchedArgumentException e) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    String first = e.getUnmatched().getFirst();
    boolean trace =
        command.positionalParameters().isEmpty()
            && command.findOption("--trace") != null
            && !first.startsWith("-");
    return trace ? List.of("--trace " + first) : e.getSuggestions();
  }

  /// What picocli says, with legal values as they are documented, no type of Java's and no word
  /// twice.
  private static String message(ParameterException e) {
    String message =
        String.valueOf(e.getMessage())
            .replace("for option option '", "for option '")
            .replaceFirst(" is not an int$", " is not a whole number below 2^31")
            .replaceFirst(" is not a long$", " is not a whole number below 2^63")
            .replaceFirst(" is not a double$", " is not a number")
            .replaceFirst("\\.$", "");
    if (e.getArgSpec() == null || !e.getArgSpec().type().isEnum()) {
      return message;
    }
    String constants = Arrays.toString(e.getArgSpec().type().getEnumConstants());
    return message.replace(
        "one of " + constants + " (case-insensitive)",
        "one of " + constants.substring(1, constants.length() - 1).toLowerCase(Locale.ROOT));
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult result) {
    if (mendable(e)) {
      print(command, FileFault.inWords(e));
      return USAGE;
    }
    if (e instanceof EngineStoppedException
        && (e.getCause() instanceof JournalException
            || e.getCause() instanceof NoDeviceException)) {
      print(command, "the run has stopped: " + FileFault.inWords(e.getCause()));
      return USAGE;
    }
    command.getErr().println("fusespill: internal error, please report it with the lines below");
    e.printStackTrace(command.getErr());
    return INTERNAL;
  }

  /// Whether what was given is at fault, and not a journal or a disk on the way.
  static boolean isOfInput(Exception e) {
    return mendable(e) && !(e instanceof JournalException) && !(e instanceof UncheckedIOException);
  }

  private static boolean mendable(Exception e) {
    return e instanceof UsageException
        || e instanceof TraceException
        || e instanceof LengthModelException
        || e instanceof ProfileException
        || e instanceof PolicyException
        || e instanceof JournalException
        || e instanceof SpecException
        || e instanceof ResultsException
        || e instanceof SweepException
        || e instanceof LiveException
        || e instanceof CheckpointException
        || e instanceof UncheckedIOException
        || (e instanceof CudaException cuda && !cuda.isFatal());
  }

  private static void print(CommandLine command, String message) {
    command.getErr().println("fusespill: " + message);
  }
}
