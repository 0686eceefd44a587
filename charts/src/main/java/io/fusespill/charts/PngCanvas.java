package io.fusespill.charts;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/// Pages as PNG images that know their size in print.
final class PngCanvas {

  static final int DPI_MIN = 36;
  static final int DPI_MAX = 1_200;

  private static final double METRES_PER_INCH = 0.0254;

  private PngCanvas() {}

  static byte[] png(Page page, int dpi) {
    if (dpi < DPI_MIN || dpi > DPI_MAX) {
      throw new IllegalArgumentException(
          "%d dots per inch: %d to %,d are legal".formatted(dpi, DPI_MIN, DPI_MAX));
    }
    double scale = dpi / Style.POINTS_PER_INCH;
    BufferedImage image =
        new BufferedImage(
            (int) Math.round(page.width() * scale),
            (int) Math.floor(page.height() * scale),
            BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHints(Fonts.hints());
    g.scale(scale, scale);
    page.draw(g);
    g.dispose();
    return encode(image, dpi);
  }

  private static byte[] encode(BufferedImage image, int dpi) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(
              ImageTypeSpecifier.createFromRenderedImage(image), writer.getDefaultWriteParam());
      metadata.mergeTree("javax_imageio_png_1.0", printSize(dpi));
      writer.setOutput(out);
      writer.write(new IIOImage(image, null, metadata));
      out.flush();
      return bytes.toByteArray();
    } catch (IIOInvalidTreeException e) {
      throw new IllegalStateException("the JDK's PNG writer refuses a resolution", e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode a PNG image", e);
    } finally {
      writer.dispose();
    }
  }

  private static IIOMetadataNode printSize(int dpi) {
    String dotsPerMetre = String.valueOf(Math.round(dpi / METRES_PER_INCH));
    IIOMetadataNode size = new IIOMetadataNode("pHYs");
    size.setAttribute("pixelsPerUnitXAxis", dotsPerMetre);
    size.setAttribute("pixelsPerUnitYAxis", dotsPerMetre);
    size.setAttribute("unitSpecifier", "meter");
    IIOMetadataNode root = new IIOMetadataNode("javax_imageio_png_1.0");
    root.appendChild(size);
    return root;
  }
}
