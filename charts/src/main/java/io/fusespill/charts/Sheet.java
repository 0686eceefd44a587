package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;

/// What a figure shows between its title and its source: a key, and panels in bands.
///
/// @param keys what colours, lines and marks mean, in the order in which they are listed
/// @param bands from top to bottom
record Sheet(List<LegendEntry> keys, List<Band> bands) {

  /// A part of a figure.
  @FunctionalInterface
  interface Panel {
    void draw(Graphics2D g, Rectangle2D area);
  }

  /// Panels of equal width beside each other.
  ///
  /// @param points height
  record Band(double points, List<Panel> panels) {}

  /// An entry of the key.
  record LegendEntry(String label, Swatch swatch) {}

  /// A sample of how something is drawn.
  @FunctionalInterface
  interface Swatch {
    void draw(Graphics2D g, Rectangle2D box);
  }

  static Sheet of(List<LegendEntry> keys, double points, Panel panel) {
    return new Sheet(keys, List.of(new Band(points, List.of(panel))));
  }

  /// Panels of equal height, beside each other where the style is wide, else below each other.
  static Sheet of(List<LegendEntry> keys, Style style, double points, List<Panel> panels) {
    List<Band> bands = new ArrayList<>();
    if (style.wide()) {
      bands.add(new Band(points, panels));
    } else {
      panels.forEach(panel -> bands.add(new Band(points, List.of(panel))));
    }
    return new Sheet(keys, bands);
  }
}
