package io.fusespill.charts;

import io.fusespill.charts.Sheet.Band;
import io.fusespill.charts.Sheet.LegendEntry;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;

/// A figure laid out, in points: title, key, panels and source below each other, each as high as it
/// has to be.
///
/// ```
///  Title
///  ── first key  ── second key
///  ┌──────────────────────────┐
///  │ bands of panels          │
///  └──────────────────────────┘
///  source
/// ```
final class Page {

  private static final double MARGIN = 3;
  private static final double GAP = 4;
  private static final double SWATCH = 16;
  private static final double KEY_GAP = 9;
  private static final Font TITLE = Fonts.medium(Fonts.TITLE);
  private static final Font SMALL = Fonts.regular(Fonts.SMALL);
  private static final double TITLE_LINE = 1.25 * Fonts.TITLE;
  private static final double SMALL_LINE = 1.3 * Fonts.SMALL;

  private final Style style;
  private final List<String> title;
  private final List<String> footer;
  private final List<List<LegendEntry>> keys;
  private final List<Band> bands;

  Page(Style style, String title, String footer, Sheet sheet) {
    this.style = style;
    double width = style.points() - 2 * MARGIN;
    this.title = wrap(title, TITLE, width);
    this.footer = wrap(footer, SMALL, width);
    this.keys = flow(sheet.keys(), width);
    this.bands = sheet.bands();
  }

  /// Lines no wider than `width`, broken at spaces; a word that is wider loses its middle.
  static List<String> wrap(String text, Font font, double width) {
    List<String> lines = new ArrayList<>();
    String line = "";
    for (String whole : text.split(" ", -1)) {
      String word = Fonts.shortened(whole, font, width);
      String longer = line.isEmpty() ? word : line + " " + word;
      if (!line.isEmpty() && Fonts.width(longer, font) > width) {
        lines.add(line);
        line = word;
      } else {
        line = longer;
      }
    }
    if (!line.isEmpty()) {
      lines.add(line);
    }
    return lines;
  }

  private static List<List<LegendEntry>> flow(List<LegendEntry> keys, double width) {
    List<List<LegendEntry>> lines = new ArrayList<>();
    double used = width;
    for (LegendEntry each : keys) {
      LegendEntry key =
          new LegendEntry(Fonts.shortened(each.label(), SMALL, width - SWATCH - 3), each.swatch());
      double wide = SWATCH + 3 + Fonts.width(key.label(), SMALL);
      if (lines.isEmpty() || used + KEY_GAP + wide > width) {
        lines.add(new ArrayList<>());
        used = -KEY_GAP;
      }
      lines.getLast().add(key);
      used += KEY_GAP + wide;
    }
    return lines;
  }

  double width() {
    return style.points();
  }

  double height() {
    double height = 2 * MARGIN + title.size() * TITLE_LINE + footer.size() * SMALL_LINE;
    height += keys.isEmpty() ? 0 : GAP / 2 + keys.size() * SMALL_LINE;
    for (Band band : bands) {
      height += GAP + band.points();
    }
    return height + GAP;
  }

  void draw(Graphics2D g) {
    g.setColor(style.theme().background());
    g.fill(new Rectangle2D.Double(0, 0, width(), height()));
    double y = MARGIN;
    y = lines(g, title, TITLE, style.theme().ink(), y, TITLE_LINE);
    if (!keys.isEmpty()) {
      y += GAP / 2;
    }
    for (List<LegendEntry> line : keys) {
      drawKeys(g, line, y);
      y += SMALL_LINE;
    }
    for (Band band : bands) {
      y += GAP;
      double width = (this.width() - 2 * MARGIN) / band.panels().size();
      for (int i = 0; i < band.panels().size(); i++) {
        Rectangle2D area = new Rectangle2D.Double(MARGIN + i * width, y, width, band.points());
        band.panels().get(i).draw(g, area);
      }
      y += band.points();
    }
    lines(g, footer, SMALL, style.theme().muted(), y + GAP, SMALL_LINE);
  }

  private void drawKeys(Graphics2D g, List<LegendEntry> keys, double y) {
    double x = MARGIN;
    for (LegendEntry key : keys) {
      key.swatch().draw(g, new Rectangle2D.Double(x, y + 1.2, SWATCH, SMALL_LINE - 2.4));
      g.setFont(SMALL);
      g.setColor(style.theme().ink());
      g.drawString(key.label(), (float) (x + SWATCH + 3), (float) (y + 0.76 * SMALL_LINE));
      x += SWATCH + 3 + Fonts.width(key.label(), SMALL) + KEY_GAP;
    }
  }

  private static double lines(
      Graphics2D g, List<String> lines, Font font, Color color, double top, double height) {
    g.setFont(font);
    g.setColor(color);
    double y = top;
    for (String line : lines) {
      g.drawString(line, (float) MARGIN, (float) (y + 0.78 * height));
      y += height;
    }
    return y;
  }
}
