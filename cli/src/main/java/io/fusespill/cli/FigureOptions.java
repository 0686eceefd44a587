package io.fusespill.cli;

import io.fusespill.charts.Figure;
import io.fusespill.charts.FigureFiles;
import io.fusespill.charts.FigureFiles.Format;
import io.fusespill.charts.Style;
import io.fusespill.charts.Theme;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/// How figures are written.
final class FigureOptions {

  private static final int DPI_MIN = 36;
  private static final int DPI_MAX = 1_200;
  private static final double CENTIMETRES_PER_INCH = 2.54;
  private static final double POINTS_PER_INCH = 72;
  private static final Pattern WIDTH = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(in|cm|mm|pt)");

  @Option(
      names = "--format",
      split = ",",
      paramLabel = "FORMAT",
      completionCandidates = Candidates.FigureFormats.class,
      description = "png, svg or both (default png,svg). Data are always written as CSV.")
  private List<String> formats = List.of("png", "svg");

  @Option(
      names = "--theme",
      split = ",",
      paramLabel = "THEME",
      completionCandidates = Candidates.Themes.class,
      description = "light, dark or both (default light).")
  private List<String> themes = List.of("light");

  @Option(
      names = "--width",
      paramLabel = "WIDTH",
      description =
          "Width in in, cm, mm or pt, 2.5in to 20in (default 3.4in, a column). Text keeps its size: a wider figure has room for more.")
  private String width = "3.4in";

  @Option(
      names = "--dpi",
      paramLabel = "N",
      description = "Dots per inch of PNG files, 36 to 1200 (default ${DEFAULT-VALUE}).")
  private int dpi = Figure.PRINT_DPI;

  /// The options checked, for figures in `folder`.
  FigureFiles files(Path folder) {
    if (dpi < DPI_MIN || dpi > DPI_MAX) {
      throw new UsageException("--dpi is %d, must be %d to %,d".formatted(dpi, DPI_MIN, DPI_MAX));
    }
    Set<Format> chosenFormats = chosen("--format", formats, Format.class);
    Set<Theme> chosenThemes = chosen("--theme", themes, Theme.class);
    return new FigureFiles(folder, chosenFormats, chosenThemes, inches(), dpi);
  }

  private static <E extends Enum<E>> Set<E> chosen(
      String option, List<String> names, Class<E> type) {
    List<String> legal =
        Arrays.stream(type.getEnumConstants())
            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
            .toList();
    EnumSet<E> chosen = EnumSet.noneOf(type);
    for (String name : names) {
      int index = legal.indexOf(name.toLowerCase(Locale.ROOT));
      if (index < 0) {
        throw new UsageException(
            "%s is '%s', must be %s".formatted(option, name, String.join(" or ", legal)));
      }
      chosen.add(type.getEnumConstants()[index]);
    }
    return chosen;
  }

  private double inches() {
    Matcher matcher = WIDTH.matcher(width);
    if (!matcher.matches()) {
      throw new UsageException(
          "--width is '%s', must be a number with in, cm, mm or pt, for example 3.4in"
              .formatted(width));
    }
    double number = Double.parseDouble(matcher.group(1));
    double inches =
        switch (matcher.group(2)) {
          case "cm" -> number / CENTIMETRES_PER_INCH;
          case "mm" -> number / CENTIMETRES_PER_INCH / 10;
          case "pt" -> number / POINTS_PER_INCH;
          default -> number;
        };
    if (inches < Style.INCHES_MIN || inches > Style.INCHES_MAX) {
      throw new UsageException(
          "--width is %s, must be %sin to %.0fin"
              .formatted(width, Style.INCHES_MIN, Style.INCHES_MAX));
    }
    return inches;
  }
}
