package io.fusespill.charts;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;

/// How an area is filled, so that areas differ where colours do not, on a grey print.
enum Hatch {
  SOLID,
  /// Lines from bottom left to top right.
  RISING,
  /// Lines from top left to bottom right.
  FALLING,
  /// Both.
  CROSSED,
  /// An outline around a lighter fill.
  HOLLOW;

  private static final double PITCH = 2.6;

  /// @param area for [#HOLLOW] a rectangle
  void fill(Graphics2D g, Shape area, Color color, Theme theme) {
    switch (this) {
      case SOLID -> {
        g.setColor(color);
        g.fill(area);
      }
      case RISING, FALLING, CROSSED -> {
        g.setColor(theme.tint(color, 0.42));
        g.fill(area);
        g.setColor(color);
        g.setStroke(new BasicStroke(0.7f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL));
        Shape clip = g.getClip();
        g.clip(area);
        if (this != FALLING) {
          g.draw(lines(area.getBounds2D(), true));
        }
        if (this != RISING) {
          g.draw(lines(area.getBounds2D(), false));
        }
        g.setClip(clip);
      }
      case HOLLOW -> {
        Rectangle2D box = area.getBounds2D();
        g.setColor(theme.tint(color, 0.15));
        g.fill(box);
        g.setColor(color);
        g.setStroke(new BasicStroke(0.6f));
        g.draw(
            new Rectangle2D.Double(
                box.getX() + 0.3,
                box.getY() + 0.3,
                Math.max(0, box.getWidth() - 0.6),
                Math.max(0, box.getHeight() - 0.6)));
      }
    }
  }

  private static Path2D lines(Rectangle2D area, boolean rising) {
    Path2D path = new Path2D.Double();
    double width = area.getWidth();
    double height = area.getHeight();
    // Offsets from a common origin, so that the lines of neighbours meet.
    double first = Math.floor((area.getX() - height) / PITCH) * PITCH;
    for (double x = first; x < area.getMaxX(); x += PITCH) {
      double from = Math.max(0, area.getX() - x);
      double until = Math.min(height, area.getMaxX() - x);
      if (from < until && width > 0) {
        double y1 = rising ? area.getMaxY() - from : area.getY() + from;
        double y2 = rising ? area.getMaxY() - until : area.getY() + until;
        path.moveTo(x + from, y1);
        path.lineTo(x + until, y2);
      }
    }
    return path;
  }
}
