package io.fusespill.charts;

import io.fusespill.charts.KvFigure.Fill;
import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.charts.Sheet.Swatch;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.Topology;
import io.fusespill.replay.explain.Moment;
import io.fusespill.replay.explain.Story;
import io.fusespill.replay.explain.Wording;
import io.fusespill.replay.timeline.Span;
import java.awt.BasicStroke;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jfree.chart.plot.XYPlot;

/// The lives of some sequences, a line each, from arrival to end: waiting, prefill, decode by
/// place, swapped, in transfer.
final class LifeLinesFigure {

  private static final double NANOS = 1e9;
  private static final double LINE_POINTS = 8.6;

  /// Room for the axis' name.
  private static final double LINES_POINTS_MIN = 36;

  private static final double AXIS_POINTS = 28;

  /// So wide that it can be seen.
  private static final double TICK_POINTS = 0.7;

  /// A part of a life, as it is drawn.
  private record Part(Kind kind, int place, long fromNanos, long untilNanos) {}

  private enum Kind {
    WAITING,
    PREFILL,
    DECODE,
    REMOTE_DECODE,
    SWAPPED,
    PARKED,
    MOVING
  }

  private record Line(int sequence, List<Part> parts) {}

  private LifeLinesFigure() {}

  static Figure of(String name, RunData run) {
    Topology topology = run.lives().topology();
    List<Line> lines = new ArrayList<>();
    DataTable.Builder data =
        new DataTable.Builder("sequence", "phase", "place", "from_seconds", "until_seconds");
    for (Story story : run.lives().stories()) {
      Line line = new Line(story.sequence(), parts(story, topology, run.span()));
      lines.add(line);
      for (Part part : line.parts()) {
        data.row(
            line.sequence(),
            label(part.kind()),
            part.place() < 0 ? "" : topology.place(part.place()).name(),
            part.fromNanos() / NANOS,
            part.untilNanos() / NANOS);
      }
    }
    return new Figure(
        name,
        "Lives of %s, %s".formatted(Wording.count(lines.size(), "sequence"), run.name()),
        run.source(),
        data.build(),
        style -> new Drawing(style, topology, run.span(), lines).sheet());
  }

  private static List<Part> parts(Story story, Topology topology, Span span) {
    List<Part> parts = new ArrayList<>();
    List<Part> moves = new ArrayList<>();
    for (Moment moment : story.moments()) {
      switch (moment) {
        case Moment.Stretch stretch ->
            parts.add(
                new Part(
                    kind(stretch, topology),
                    stretch.place(),
                    stretch.atNanos(),
                    stretch.untilNanos()));
        case Moment.Moved moved when moved.doneNanos() > moved.atNanos() ->
            moves.add(new Part(Kind.MOVING, moved.to(), moved.atNanos(), moved.doneNanos()));
        default -> {}
      }
    }
    parts.addAll(moves);
    parts.removeIf(
        part -> part.untilNanos() <= span.fromNanos() || part.fromNanos() >= span.untilNanos());
    return parts;
  }

  private static Kind kind(Moment.Stretch stretch, Topology topology) {
    return switch (stretch.phase()) {
      case WAITING -> Kind.WAITING;
      case PREFILL -> Kind.PREFILL;
      case DECODE -> topology.place(stretch.place()).computes() ? Kind.DECODE : Kind.REMOTE_DECODE;
      case RESTING ->
          stretch.place() >= 0 && topology.place(stretch.place()).computes()
              ? Kind.PARKED
              : Kind.SWAPPED;
      case MOVING -> Kind.MOVING;
    };
  }

  private static String label(Kind kind) {
    return switch (kind) {
      case WAITING -> "waiting";
      case PREFILL -> "prefill";
      case DECODE -> "decode";
      case REMOTE_DECODE -> "decode, attention on host";
      case SWAPPED -> "swapped";
      case PARKED -> "resting on device";
      case MOVING -> "in transfer";
    };
  }

  private static final class Drawing {

    private final Look look;
    private final Topology topology;
    private final Span span;
    private final List<Line> lines;

    Drawing(Style style, Topology topology, Span span, List<Line> lines) {
      this.span = span;
      this.look = new Look(style);
      this.topology = topology;
      this.lines = lines;
    }

    Sheet sheet() {
      double from = Double.MAX_VALUE;
      double until = 0;
      for (Line line : lines) {
        for (Part part : line.parts()) {
          from = Math.min(from, Math.max(part.fromNanos(), span.fromNanos()) / NANOS);
          until = Math.max(until, Math.min(part.untilNanos(), span.untilNanos()) / NANOS);
        }
      }
      List<String> names = lines.stream().map(line -> String.valueOf(line.sequence())).toList();
      LaneAxis range = new LaneAxis(look, names);
      range.setLabel("Sequence");
      XYPlot plot = look.plot(look.timeAxis(from, until), range);
      plot.setRangeGridlinesVisible(false);
      Layer.add(
          plot,
          (g, scale) -> {
            for (int i = 0; i < lines.size(); i++) {
              draw(g, scale, lines.get(i), i);
            }
          });
      return Sheet.of(
          legend(),
          Math.max(LINES_POINTS_MIN, lines.size() * LINE_POINTS) + AXIS_POINTS,
          Look.panel(plot));
    }

    private void draw(Graphics2D g, Layer.Scale scale, Line line, int row) {
      List<Part> brief = new ArrayList<>();
      for (Part part : line.parts()) {
        Rectangle2D lane = lane(scale, part, row);
        if (lane.getWidth() < TICK_POINTS
            && (part.kind() == Kind.PREFILL || part.kind() == Kind.MOVING)) {
          brief.add(part);
        } else {
          draw(g, part, lane);
        }
      }
      brief.sort(Comparator.comparingLong(Part::fromNanos));
      Map<Kind, Double> free = new EnumMap<>(Kind.class);
      for (Part part : brief) {
        Rectangle2D lane = lane(scale, part, row);
        if (lane.getX() >= free.getOrDefault(part.kind(), 0.0)) {
          draw(g, part, tick(part.kind(), lane));
          free.put(part.kind(), lane.getX() + 2 * TICK_POINTS);
        }
      }
    }

    private static Rectangle2D lane(Layer.Scale scale, Part part, int row) {
      return scale.box(part.fromNanos() / NANOS, row - 0.4, part.untilNanos() / NANOS, row + 0.4);
    }

    /// What is too short to be seen at its length: half as high as the line, so that it does not
    /// hide what else the sequence did then.
    private static Rectangle2D tick(Kind kind, Rectangle2D lane) {
      return new Rectangle2D.Double(
          lane.getX(),
          kind == Kind.PREFILL ? lane.getY() : lane.getCenterY(),
          TICK_POINTS,
          lane.getHeight() / 2);
    }

    /// An entry for each kind there is, and for each place where it matters which.
    private List<LegendEntry> legend() {
      Map<String, Swatch> entries = new LinkedHashMap<>();
      for (Kind kind : Kind.values()) {
        for (Place place : topology.places()) {
          for (Line line : lines) {
            for (Part part : line.parts()) {
              if (part.kind() == kind && (part.place() == place.id() || part.place() < 0)) {
                entries.put(text(part), (g, box) -> draw(g, part, box));
              }
            }
          }
        }
      }
      List<LegendEntry> legend = new ArrayList<>();
      entries.forEach((label, swatch) -> legend.add(new LegendEntry(label, swatch)));
      return legend;
    }

    private String text(Part part) {
      String label = label(part.kind());
      return switch (part.kind()) {
        case DECODE -> label + " on " + topology.place(part.place()).name();
        case SWAPPED -> topology.place(part.place()).kind() == PlaceKind.DISK ? "on disk" : label;
        default -> label;
      };
    }

    private void draw(Graphics2D g, Part part, Rectangle2D lane) {
      Rectangle2D thin =
          new Rectangle2D.Double(
              lane.getX(),
              lane.getY() + 0.25 * lane.getHeight(),
              lane.getWidth(),
              0.5 * lane.getHeight());
      Theme theme = look.theme();
      switch (part.kind()) {
        case WAITING -> {
          g.setColor(theme.muted());
          g.setStroke(new BasicStroke(0.7f));
          g.draw(
              new Line2D.Double(lane.getX(), lane.getCenterY(), lane.getMaxX(), lane.getCenterY()));
        }
        case PREFILL -> Hatch.SOLID.fill(g, lane, look.color(1), theme);
        case DECODE -> fill(part.place()).fill(g, lane, theme);
        case REMOTE_DECODE -> Hatch.RISING.fill(g, lane, fill(part.place()).color(), theme);
        case SWAPPED -> Hatch.HOLLOW.fill(g, thin, fill(part.place()).color(), theme);
        case PARKED -> Hatch.HOLLOW.fill(g, thin, fill(part.place()).color(), theme);
        case MOVING -> Hatch.SOLID.fill(g, lane, theme.ink(), theme);
      }
    }

    private Fill fill(int place) {
      return KvFigure.fill(look, topology.places(), topology.place(place));
    }
  }
}
