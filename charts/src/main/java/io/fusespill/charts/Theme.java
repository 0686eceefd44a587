package io.fusespill.charts;

import java.awt.Color;
import java.util.List;
import java.util.Locale;

/// Colours for paper or for a dark screen.
///
/// The series colours are those of Okabe and Ito ("Color Universal Design", 2008), which people
/// with any of the common colour deficiencies tell apart, in an order in which neighbours also
/// differ in lightness. On dark they are lightened.
public enum Theme {
  LIGHT(
      0xffffff, 0x1b1d21, 0x5a6068, 0xe2e5e9, 0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0x56b4e9,
      0xe69f00, 0x4a4a4a, 0x8c6bb1),
  DARK(
      0x15181d, 0xe9ebee, 0xa3abb5, 0x2d333b, 0x56b4e9, 0xff8a4c, 0x2fc79a, 0xe8a4cb, 0x9fd6f7,
      0xf2c14e, 0xc9ccd1, 0xb79ad8);

  private final Color background;
  private final Color ink;
  private final Color muted;
  private final Color grid;
  private final List<Color> series;

  Theme(int background, int ink, int muted, int grid, int... series) {
    this.background = new Color(background);
    this.ink = new Color(ink);
    this.muted = new Color(muted);
    this.grid = new Color(grid);
    this.series = java.util.Arrays.stream(series).mapToObj(Color::new).toList();
  }

  /// The name in options and file names.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public Color background() {
    return background;
  }

  /// Text and axes.
  public Color ink() {
    return ink;
  }

  /// What is said in passing: sources, units, guides.
  public Color muted() {
    return muted;
  }

  Color grid() {
    return grid;
  }

  /// The colour of a series, from 0; they begin again after the eighth.
  Color series(int index) {
    return series.get(index % series.size());
  }

  /// A colour between this theme's background and `color`.
  ///
  /// @param share 0 for the background, 1 for `color`
  Color tint(Color color, double share) {
    return mix(background, color, share);
  }

  static Color mix(Color from, Color to, double share) {
    return new Color(
        between(from.getRed(), to.getRed(), share),
        between(from.getGreen(), to.getGreen(), share),
        between(from.getBlue(), to.getBlue(), share));
  }

  private static int between(int from, int to, double share) {
    return Math.clamp(Math.round(from + (to - from) * share), 0, 255);
  }
}
