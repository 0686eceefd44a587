package io.fusespill.charts;

/// How a figure looks: its theme and how wide it is printed.
///
/// Texts have the same size whatever the width, 7 points or more, so a wider figure has room for
/// more.
///
/// @param inches width, 2.5 to 20; 3.4 is a column of a two-column paper
public record Style(Theme theme, double inches) {

  /// Width of a column in a two-column paper.
  public static final double COLUMN_INCHES = 3.4;

  /// The narrowest and the widest figure.
  public static final double INCHES_MIN = 2.5;

  public static final double INCHES_MAX = 20;

  static final double POINTS_PER_INCH = 72;

  public Style {
    if (!(inches >= INCHES_MIN && inches <= INCHES_MAX)) {
      throw new IllegalArgumentException(
          "a figure %s inches wide: %s to %s are legal".formatted(inches, INCHES_MIN, INCHES_MAX));
    }
  }

  /// A column of a two-column paper.
  public static Style column(Theme theme) {
    return new Style(theme, COLUMN_INCHES);
  }

  double points() {
    return inches * POINTS_PER_INCH;
  }

  /// Whether panels have room beside each other.
  boolean wide() {
    return inches >= 5.5;
  }
}
