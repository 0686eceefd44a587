package io.fusespill.charts;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;

/// Checks of drawn figures.
final class Drawn {

  private static final Pattern SIZE = Pattern.compile("font-size:([0-9.]+)px");

  private Drawn() {}

  /// The image is as wide as the style says, has the theme's background, and neither too few
  /// colours nor too little or too much ink for a figure.
  static void assertInk(Figure figure, Style style) throws IOException {
    byte[] png = figure.png(style, Figure.PRINT_DPI);
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(image.getWidth()).isEqualTo((int) Math.round(style.inches() * Figure.PRINT_DPI));
    assertThat(image.getHeight()).isGreaterThan(image.getWidth() / 8);
    assertThat(png.length).isBetween(5_000, 1_000_000);
    int background = style.theme().background().getRGB();
    Map<Integer, Integer> colours = new HashMap<>();
    long ink = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int rgb = image.getRGB(x, y);
        colours.merge(rgb, 1, Integer::sum);
        ink += rgb == background ? 0 : 1;
      }
    }
    for (int x : new int[] {0, image.getWidth() - 1}) {
      for (int y : new int[] {0, image.getHeight() - 1}) {
        assertThat(image.getRGB(x, y)).as("corner").isEqualTo(background);
      }
    }
    assertThat(colours.size()).as("distinct colours").isGreaterThan(30);
    assertThat((double) ink / image.getWidth() / image.getHeight())
        .as("share of ink")
        .isBetween(0.02, 0.85);
  }

  static Document parse(String svg) {
    try {
      return DocumentBuilderFactory.newDefaultNSInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(svg)));
    } catch (Exception e) {
      throw new AssertionError("no XML: " + e.getMessage(), e);
    }
  }

  /// All texts of an SVG document.
  static List<String> texts(String svg) {
    List<String> texts = new ArrayList<>();
    collect(parse(svg).getDocumentElement(), 12, false, texts, new ArrayList<>());
    return texts;
  }

  /// All texts of a figure, names of axes without whether they are logarithmic.
  static List<String> labels(Figure figure, Style style) {
    return texts(figure.svg(style)).stream().map(text -> text.replace(Look.LOG, "")).toList();
  }

  /// No text is smaller than 7 points, reaches out of the page or over another text.
  static void assertLegible(Figure figure, Style style) {
    String svg = figure.svg(style);
    Document document = parse(svg);
    Element root = document.getDocumentElement();
    String[] box = root.getAttribute("viewBox").split(" ");
    Rectangle2D page =
        new Rectangle2D.Double(
            -0.5, -0.5, Double.parseDouble(box[2]) + 1, Double.parseDouble(box[3]) + 1);
    List<String> texts = new ArrayList<>();
    List<Rectangle2D> boxes = new ArrayList<>();
    collect(root, 12, false, texts, boxes);
    assertThat(texts).as("texts").hasSizeGreaterThan(4);
    for (int i = 0; i < boxes.size(); i++) {
      Rectangle2D one = boxes.get(i);
      if (one == null) {
        continue;
      }
      assertThat(page.contains(one)).as("'%s' at %s in %s", texts.get(i), one, page).isTrue();
      for (int j = 0; j < i; j++) {
        if (boxes.get(j) != null) {
          assertThat(one.intersects(boxes.get(j)))
              .as("'%s' at %s over '%s' at %s", texts.get(i), one, texts.get(j), boxes.get(j))
              .isFalse();
        }
      }
    }
  }

  /// @param boxes takes null for text that stands upright
  private static void collect(
      Element element, double size, boolean turned, List<String> texts, List<Rectangle2D> boxes) {
    Matcher own = SIZE.matcher(element.getAttribute("style"));
    double points = own.find() ? Double.parseDouble(own.group(1)) : size;
    boolean upright = turned || element.hasAttribute("transform");
    if (element.getLocalName().equals("text")) {
      assertThat(points).as("size of '%s'", element.getTextContent()).isGreaterThanOrEqualTo(7);
      texts.add(element.getTextContent());
      double x = Double.parseDouble(element.getAttribute("x"));
      double y = Double.parseDouble(element.getAttribute("y"));
      double width = Double.parseDouble(element.getAttribute("textLength"));
      boxes.add(
          upright ? null : new Rectangle2D.Double(x, y - 0.68 * points, width, 0.62 * points));
    }
    for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
      if (child instanceof Element inner) {
        collect(inner, points, upright, texts, boxes);
      }
    }
  }
}
