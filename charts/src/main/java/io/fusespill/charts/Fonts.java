package io.fusespill.charts;

import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Objects;

/// The bundled fonts, Roboto Regular and Medium, and text measured with them.
///
/// A JDK on a machine without fontconfig or fonts cannot make any font, not even from a file. The
/// property `sun.awt.fontconfig` cures that: it names a file that maps the logical fonts. Unless
/// somebody has set it, it is set here, before anything asks the JDK for a font, to a temporary
/// copy of the bundled font.
final class Fonts {

  /// In points. Nothing in a figure is smaller.
  static final float SMALL = 7;

  static final float TITLE = 8.5f;

  private static final String FAMILY = "Roboto, 'Helvetica Neue', Arial, sans-serif";
  private static final String CONFIG = "sun.awt.fontconfig";
  private static final Font REGULAR;
  private static final Font MEDIUM;
  private static final Graphics2D RULER;

  static {
    if (System.getProperty(CONFIG) == null) {
      System.setProperty(CONFIG, configuration().toString());
    }
    REGULAR = load("Roboto-Regular.ttf");
    MEDIUM = load("Roboto-Medium.ttf");
    RULER = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
    RULER.setRenderingHints(hints());
  }

  private Fonts() {}

  private static Path configuration() {
    try {
      Path folder = Files.createTempDirectory("fusespill-fonts");
      Path font = folder.resolve("Roboto-Regular.ttf");
      Path file = folder.resolve("fontconfig.properties");
      Files.write(font, bytes("Roboto-Regular.ttf"));
      Files.writeString(
          file,
          """
          version=1
          allfonts.latin-1=Roboto
          sequence.allfonts=latin-1
          filename.Roboto=%s
          """
              .formatted(font),
          StandardCharsets.ISO_8859_1);
      folder.toFile().deleteOnExit();
      file.toFile().deleteOnExit();
      font.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack the fonts: " + e.getMessage(), e);
    }
  }

  private static byte[] bytes(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(Fonts.class.getResourceAsStream("fonts/" + name), name)) {
      return in.readAllBytes();
    }
  }

  private static Font load(String name) {
    try (InputStream in =
        Objects.requireNonNull(Fonts.class.getResourceAsStream("fonts/" + name), name)) {
      return Font.createFont(Font.TRUETYPE_FONT, in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the font " + name, e);
    } catch (FontFormatException e) {
      throw new IllegalStateException("the bundled font %s is damaged".formatted(name), e);
    }
  }

  static Font regular(float points) {
    return REGULAR.deriveFont(points);
  }

  static Font medium(float points) {
    return MEDIUM.deriveFont(points);
  }

  /// What makes text as wide on a canvas as it is measured here.
  static RenderingHints hints() {
    RenderingHints hints = new RenderingHints(null);
    hints.put(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    hints.put(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    hints.put(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
    hints.put(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    return hints;
  }

  /// A canvas of nothing that measures text.
  static Graphics2D ruler() {
    return RULER;
  }

  static double width(String text, Font font) {
    return font.getStringBounds(text, RULER.getFontRenderContext()).getWidth();
  }

  /// The CSS `font-family` of text in `font`. The text, without its middle where it would be wider
  /// than `points`.
  static String shortened(String text, Font font, double points) {
    int[] letters = text.codePoints().toArray();
    String shorter = text;
    for (int kept = letters.length - 1; kept > 1 && width(shorter, font) > points; kept--) {
      int head = (kept + 1) / 2;
      int tail = kept - head;
      shorter =
          new String(letters, 0, head) + "…" + new String(letters, letters.length - tail, tail);
    }
    return shorter;
  }

  static String cssFamily() {
    return FAMILY;
  }

  static int cssWeight(Font font) {
    return font.getFontName().contains("Medium") ? 500 : 400;
  }

  /// `@font-face` rules with both fonts in them, some 84 KB.
  static String css() {
    return face("Roboto-Regular.ttf", 400) + face("Roboto-Medium.ttf", 500);
  }

  private static String face(String name, int weight) {
    try {
      return "@font-face{font-family:Roboto;font-weight:%d;src:url(data:font/ttf;base64,%s)}\n"
          .formatted(weight, Base64.getEncoder().encodeToString(bytes(name)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the font " + name, e);
    }
  }
}
