package io.fusespill.cli;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A place in a log as the command line names it: a position, or a time since the run's start.
///
/// @param text as it was given
/// @param position of an event, -1 where a time is meant
/// @param nanos time, -1 where a position is meant
record Moment(String text, long position, long nanos) {

  private static final Pattern FORM = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ns|us|ms|s|min|h)?");
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000 * MICRO;
  private static final long SECOND = 1_000 * MILLI;

  /// Reads the command line's form.
  ///
  /// @throws IllegalArgumentException if it is neither
  static Moment parse(String text) {
    Matcher matcher = FORM.matcher(text.toLowerCase(Locale.ROOT));
    if (matcher.matches()) {
      BigDecimal number = new BigDecimal(matcher.group(1));
      String unit = matcher.group(2);
      try {
        return unit == null
            ? new Moment(text, number.longValueExact(), -1)
            : new Moment(
                text, -1, number.multiply(BigDecimal.valueOf(nanosOf(unit))).longValueExact());
      } catch (ArithmeticException e) {
        throw malformed(text, e);
      }
    }
    throw malformed(text, null);
  }

  private static IllegalArgumentException malformed(String text, @Nullable Exception cause) {
    return new IllegalArgumentException(
        "'%s' must be a position of 0 or more, for example 8805, or a time in whole nanoseconds with its unit (ns, us, ms, s, min, h), for example 12.5s"
            .formatted(text),
        cause);
  }

  private static long nanosOf(String unit) {
    return switch (unit) {
      case "ns" -> 1;
      case "us" -> MICRO;
      case "ms" -> MILLI;
      case "s" -> SECOND;
      case "min" -> 60 * SECOND;
      default -> 3_600 * SECOND;
    };
  }

  /// Whether the event lies at this place or before it.
  boolean includes(long position, long atNanos) {
    return this.position >= 0 ? position <= this.position : atNanos <= nanos;
  }

  /// Does nothing where a log comes so far.
  ///
  /// @param option for the message
  /// @throws UsageException if it ends before this place
  void requireReached(String option, long lastPosition, long lastNanos) {
    if (position > lastPosition) {
      throw new UsageException(
          "%s is %s, the journal's last position is %d".formatted(option, text, lastPosition));
    }
    if (nanos > lastNanos) {
      throw new UsageException(
          "%s is %s, the journal ends at %.9f s".formatted(option, text, lastNanos / 1e9));
    }
  }

  /// For picocli.
  static final class Converter implements ITypeConverter<Moment> {

    @Override
    public Moment convert(String text) {
      try {
        return parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
