package io.fusespill.charts;

import java.util.function.Function;

/// One figure: a title, what it shows, where its numbers are from, and the numbers themselves.
///
/// Drawing is repeatable: the same figure and style give the same bytes on the same JDK. A figure
/// is immutable, and any thread may draw it.
public final class Figure {

  /// Dots per inch of a PNG for print.
  public static final int PRINT_DPI = 300;

  private final String name;
  private final String title;
  private final Source source;
  private final DataTable data;
  private final Function<Style, Sheet> drawing;

  /// @param name file name without ending: lower-case letters, digits and dashes
  Figure(String name, String title, Source source, DataTable data, Function<Style, Sheet> drawing) {
    this.name = name;
    this.title = title;
    this.source = source;
    this.data = data;
    this.drawing = drawing;
  }

  /// The name of its files, without ending; unique among the figures of one set.
  public String name() {
    return name;
  }

  /// A title in a few words.
  public String title() {
    return title;
  }

  /// Where its numbers are from.
  public Source source() {
    return source;
  }

  /// Its numbers.
  public DataTable data() {
    return data;
  }

  /// A self-contained SVG document without an XML declaration, so it can stand in HTML as it is.
  ///
  /// Text is text, in the first font of `Roboto, Helvetica Neue, Arial, sans-serif` that the viewer
  /// has, and fitted to the width it has in Roboto. Identifiers begin with [#name] and the theme,
  /// so that several figures can stand in one page.
  public String svg(Style style) {
    return SvgCanvas.svg(page(style), name + "-" + style.theme().label(), title);
  }

  /// A PNG image.
  ///
  /// @param dpi dots per inch, 36 to 1,200
  public byte[] png(Style style, int dpi) {
    return PngCanvas.png(page(style), dpi);
  }

  private Page page(Style style) {
    return new Page(style, title, source.footer(), drawing.apply(style));
  }
}
