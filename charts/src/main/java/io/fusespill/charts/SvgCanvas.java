package io.fusespill.charts;

import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.DOMGroupManager;
import org.apache.batik.svggen.SVGGeneratorContext;
import org.apache.batik.svggen.SVGGraphics2D;
import org.apache.batik.svggen.SVGIDGenerator;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/// Pages as SVG documents: text as text, measured as for PNG and fitted to that width, because a
/// viewer may have another font.
final class SvgCanvas extends SVGGraphics2D {

  private static final String SVG = "http://www.w3.org/2000/svg";
  private static final String XML = "http://www.w3.org/XML/1998/namespace";
  private static final String FONT_FAMILY = "font-family";
  private static final int DECIMALS = 2;

  private SvgCanvas(SVGGeneratorContext context) {
    super(context, false);
  }

  private SvgCanvas(SvgCanvas other) {
    super(other);
  }

  /// @param prefix begins all identifiers
  static String svg(Page page, String prefix, String title) {
    Document document = document();
    SVGGeneratorContext context = SVGGeneratorContext.createDefault(document);
    context.setPrecision(DECIMALS);
    context.setComment("FuseSpill");
    context.setIDGenerator(
        new SVGIDGenerator() {
          @Override
          public String generateID(String kind) {
            return prefix + "-" + super.generateID(kind);
          }
        });
    SvgCanvas canvas = new SvgCanvas(context);
    canvas.setRenderingHints(Fonts.hints());
    page.draw(canvas);
    Element root = canvas.getRoot();
    root.setAttributeNS(null, "width", "%spt".formatted(number(page.width())));
    root.setAttributeNS(null, "height", "%spt".formatted(number(page.height())));
    root.setAttributeNS(
        null, "viewBox", "0 0 %s %s".formatted(number(page.width()), number(page.height())));
    root.setAttributeNS(null, "role", "img");
    root.setAttributeNS(null, "aria-label", title);
    dropEmptyDefinitions(root);
    nameFonts(root);
    StringWriter out = new StringWriter();
    try {
      canvas.stream(root, out, true, false);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write an SVG document", e);
    }
    String text = out.toString();
    return text.substring(text.indexOf("<svg"));
  }

  private static Document document() {
    try {
      return DocumentBuilderFactory.newDefaultInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument(SVG, "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException("the JDK has no XML parser", e);
    }
  }

  /// Batik's first group of definitions is empty and has the same identifier in every document.
  private static void dropEmptyDefinitions(Element root) {
    Node child = root.getFirstChild();
    while (child != null) {
      Node next = child.getNextSibling();
      if (child instanceof Element element
          && element.getLocalName().equals("defs")
          && !element.hasChildNodes()) {
        root.removeChild(child);
      }
      child = next;
    }
  }

  /// Fallbacks, and weights where Batik has families of their own.
  private static void nameFonts(Node node) {
    if (node instanceof Element element && element.hasAttribute(FONT_FAMILY)) {
      boolean medium = element.getAttribute(FONT_FAMILY).contains("Medium");
      element.setAttributeNS(null, FONT_FAMILY, Fonts.cssFamily());
      element.setAttributeNS(null, "font-weight", medium ? "500" : "400");
    }
    for (Node child = node.getFirstChild(); child != null; child = child.getNextSibling()) {
      nameFonts(child);
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  @Override
  public Graphics create() {
    return new SvgCanvas(this);
  }

  @Override
  public FontMetrics getFontMetrics(Font font) {
    return Fonts.ruler().getFontMetrics(font);
  }

  @Override
  public void drawString(String text, float x, float y) {
    Element element = getDOMFactory().createElementNS(SVG, "text");
    element.setAttributeNS(null, "x", number(x));
    element.setAttributeNS(null, "y", number(y));
    element.setAttributeNS(null, "textLength", number(Fonts.width(text, getFont())));
    element.setAttributeNS(null, "lengthAdjust", "spacingAndGlyphs");
    element.setAttributeNS(XML, "xml:space", "preserve");
    element.appendChild(getDOMFactory().createTextNode(text));
    domGroupManager.addElement(element, DOMGroupManager.FILL);
  }
}
