package io.fusespill.charts;

import io.fusespill.charts.Results.Row;
import io.fusespill.charts.Sheet.LegendEntry;
import io.fusespill.charts.Sheet.Panel;
import io.fusespill.charts.Source.Origin;
import io.fusespill.engine.event.Handling;
import io.fusespill.replay.evaluate.HandlingGrid;
import io.fusespill.replay.evaluate.HandlingGrid.Cell;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.plot.XYPlot;

/// Which handling was chosen most, by KV capacity, link and host bandwidth.
///
/// A cell's letter and colour say which, the deeper the larger its share of all choices; the
/// numbers are that share and output tokens a second.
final class DecisionMapFigure {

  private static final String NAME = "decision-map";
  private static final String TITLE = "Handling chosen most, its share, and output tokens/s";
  private static final double CELL_POINTS = 12;
  private static final double AXIS_POINTS = 36;
  private static final String BLOCKS = "kv_blocks";
  private static final String LINK = "link_bytes_per_second";
  private static final String HOST = "host_bytes_per_second";
  private static final String RATE = "output_tokens_per_second";
  private static final String DIGEST = "journal_digest";

  private DecisionMapFigure() {}

  static boolean fits(Results results) {
    return results.has(BLOCKS) && results.has(LINK) && results.has(HOST);
  }

  /// From the data of such a figure.
  static Figure of(Results results) {
    List<Cell> cells = new ArrayList<>();
    for (String column : List.of(BLOCKS, LINK, HOST, RATE)) {
      results.require(column);
    }
    for (Row row : results.rows()) {
      Map<Handling, Long> chosen = new EnumMap<>(Handling.class);
      for (Handling handling : Handling.values()) {
        double count = row.number(column(handling));
        chosen.put(handling, Double.isFinite(count) ? (long) count : 0);
      }
      cells.add(
          new Cell(
              (int) row.number(BLOCKS),
              row.number(LINK),
              row.number(HOST),
              chosen,
              row.number(RATE),
              row.text(DIGEST)));
    }
    return of(cells, results.source());
  }

  static Figure of(HandlingGrid grid, List<Cell> cells) {
    StringBuilder digests = new StringBuilder();
    cells.forEach(cell -> digests.append(cell.journalDigest()));
    return of(
        cells,
        new Source(
            "Simulated, roofline step times; %s under fusespill on %s, %,d ShareGPT-like requests at once, seed 0; %d runs, digest"
                .formatted(grid.model(), grid.device(), grid.requests(), cells.size()),
            List.of(new Origin(NAME, "", Results.sha256(digests.toString())))));
  }

  private static String column(Handling handling) {
    return "chosen_" + handling.name().toLowerCase(Locale.ROOT);
  }

  private static Figure of(List<Cell> cells, Source source) {
    List<String> columns = new ArrayList<>(List.of(BLOCKS, LINK, HOST));
    for (Handling handling : Handling.values()) {
      columns.add(column(handling));
    }
    columns.addAll(List.of(RATE, DIGEST));
    List<List<Object>> rows = new ArrayList<>();
    for (Cell cell : cells) {
      List<Object> row =
          new ArrayList<>(
              List.of(cell.blocks(), cell.linkBytesPerSecond(), cell.hostBytesPerSecond()));
      for (Handling handling : Handling.values()) {
        row.add(cell.chosen(handling));
      }
      row.add(cell.outputTokensPerSecond());
      row.add(cell.journalDigest());
      rows.add(row);
    }
    return new Figure(
        NAME, TITLE, source, new DataTable(columns, rows), style -> sheet(style, cells));
  }

  private static String letter(Handling handling) {
    return switch (handling) {
      case RECOMPUTE -> "R";
      case SWAP -> "S";
      case SPILL -> "D";
      case OFFLOAD_DECODE -> "O";
      case OFFLOAD_ATTENTION -> "A";
      case STAY -> "–";
    };
  }

  private static String label(Handling handling) {
    return switch (handling) {
      case RECOMPUTE -> "recompute";
      case SWAP -> "swap to host";
      case SPILL -> "swap to disk";
      case OFFLOAD_DECODE -> "offload decode";
      case OFFLOAD_ATTENTION -> "attention on host";
      case STAY -> "none";
    };
  }

  private static Color color(Look look, Handling handling) {
    return switch (handling) {
      case RECOMPUTE -> look.color(1);
      case SWAP -> look.color(4);
      case SPILL -> look.color(3);
      case OFFLOAD_DECODE -> look.color(2);
      case OFFLOAD_ATTENTION -> look.color(5);
      case STAY -> look.theme().muted();
    };
  }

  private static Sheet sheet(Style style, List<Cell> cells) {
    Look look = new Look(style);
    List<LegendEntry> legend = new ArrayList<>();
    for (Handling handling : Handling.values()) {
      if (cells.stream().anyMatch(cell -> cell.most() == handling)) {
        legend.add(
            new LegendEntry(
                label(handling), (g, box) -> fill(g, look, box, handling, 0.8, letter(handling))));
      }
    }
    List<Panel> panels = new ArrayList<>();
    List<Double> links = cells.stream().map(Cell::linkBytesPerSecond).distinct().sorted().toList();
    for (int blocks : cells.stream().map(Cell::blocks).distinct().toList()) {
      panels.add(
          look.titled(
              "%,d KV blocks".formatted(blocks),
              panel(
                  style,
                  look,
                  links,
                  cells.stream().filter(cell -> cell.blocks() == blocks).toList())));
    }
    return Sheet.of(legend, style, links.size() * CELL_POINTS + AXIS_POINTS, panels);
  }

  private static Panel panel(Style style, Look look, List<Double> links, List<Cell> cells) {
    List<Double> hosts = cells.stream().map(Cell::hostBytesPerSecond).distinct().sorted().toList();
    LaneAxis range =
        new LaneAxis(look, links.reversed().stream().map(DecisionMapFigure::gigabytes).toList());
    range.setLabel("Link, GB/s");
    LaneAxis domain =
        LaneAxis.horizontal(
            look,
            hosts.stream().map(host -> host == 0 ? "none" : gigabytes(host)).toList(),
            style.points() / hosts.size() / 2);
    domain.setLabel("Attending host reads, GB/s");
    XYPlot plot = look.plot(domain, range);
    plot.setDomainGridlinesVisible(false);
    plot.setRangeGridlinesVisible(false);
    Layer.add(
        plot,
        (g, scale) -> {
          for (Cell cell : cells) {
            int column = hosts.indexOf(cell.hostBytesPerSecond());
            int row = links.size() - 1 - links.indexOf(cell.linkBytesPerSecond());
            Handling most = cell.most();
            double share = cell.choices() == 0 ? 0 : (double) cell.chosen(most) / cell.choices();
            String text =
                String.format(
                    Locale.ROOT,
                    "%s %.0f%%  %,.0f",
                    letter(most),
                    100 * share,
                    cell.outputTokensPerSecond());
            fill(
                g,
                look,
                scale.box(column - 0.5, row - 0.5, column + 0.5, row + 0.5),
                most,
                share,
                text);
          }
        });
    return Look.panel(plot);
  }

  private static String gigabytes(double bytes) {
    String text = String.format(Locale.ROOT, "%.2f", bytes / 1e9);
    return text.replaceAll("\\.?0+$", "");
  }

  private static void fill(
      Graphics2D g, Look look, Rectangle2D box, Handling handling, double share, String text) {
    g.setColor(look.theme().tint(color(look, handling), 0.15 + 0.55 * share));
    g.fill(
        new Rectangle2D.Double(
            box.getX() + 0.3, box.getY() + 0.3, box.getWidth() - 0.6, box.getHeight() - 0.6));
    double width = Fonts.width(text, Fonts.regular(Fonts.SMALL));
    if (width < box.getWidth()) {
      Look.text(
          g, text, box.getCenterX() - width / 2, box.getCenterY() + 2.5, look.theme().ink(), false);
    }
  }
}
