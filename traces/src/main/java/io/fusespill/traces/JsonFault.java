package io.fusespill.traces;

import com.fasterxml.jackson.core.JacksonException;
import java.io.IOException;
import java.util.regex.Pattern;

/// What is wrong with a JSON text, in one line, as messages have it.
public final class JsonFault {

  /// Where something began: the parser names a source that it does not show.
  private static final Pattern LOCATION = Pattern.compile(" \\((for|start) .*");

  private JsonFault() {}

  /// The parser's words without its source, or those of whoever could not read.
  public static String of(IOException failure) {
    String message =
        failure instanceof JacksonException fault ? fault.getOriginalMessage() : failure.toString();
    return LOCATION.matcher(message.lines().findFirst().orElse("")).replaceFirst("");
  }
}
