package io.fusespill.charts;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.charts.Source.Origin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Figures as files of a folder: `NAME.png`, `NAME.svg`, `NAME.csv`, those of the dark theme
/// `NAME-dark.…`, and `figures.json`, which lists all with titles and sources.
///
/// Files of the same names are replaced, others are left alone.
///
/// @param themes at least one
/// @param inches width
/// @param dpi of PNG files
public record FigureFiles(
    Path folder, Set<Format> formats, Set<Theme> themes, double inches, int dpi) {

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /// What a figure is written as, beside its data.
  public enum Format {
    PNG,
    SVG;

    /// The ending of the files.
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Writes the files, and returns their names by figure.
  ///
  /// @throws UncheckedIOException if they cannot be written
  public List<List<String>> write(List<Figure> figures) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    List<List<String>> names = new ArrayList<>();
    try {
      Files.createDirectories(folder);
      for (Figure figure : figures) {
        List<String> files = write(figure);
        names.add(files);
        list.add(describe(figure, files));
      }
      Files.writeString(
          folder.resolve("figures.json"),
          MAPPER.writeValueAsString(list) + "\n",
          StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "figures cannot be written to %s (%s)".formatted(folder, e), e);
    }
    return names;
  }

  private List<String> write(Figure figure) throws IOException {
    List<String> files = new ArrayList<>();
    for (Theme theme : themes) {
      Style style = new Style(theme, inches);
      String base = figure.name() + (theme == Theme.DARK ? "-dark" : "");
      for (Format format : formats) {
        String file = base + "." + format.label();
        Path path = folder.resolve(file);
        switch (format) {
          case PNG -> Files.write(path, figure.png(style, dpi));
          case SVG -> Files.writeString(path, figure.svg(style), StandardCharsets.UTF_8);
        }
        files.add(file);
      }
    }
    String data = figure.name() + ".csv";
    Files.writeString(folder.resolve(data), figure.data().csv(), StandardCharsets.UTF_8);
    files.add(data);
    return files;
  }

  private static ObjectNode describe(Figure figure, List<String> files) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", figure.name());
    json.put("title", figure.title());
    json.put("source", figure.source().text());
    ArrayNode origins = json.putArray("origins");
    for (Origin origin : figure.source().origins()) {
      origins
          .addObject()
          .put("name", origin.name())
          .put("config_digest", origin.configDigest())
          .put("result_digest", origin.resultDigest());
    }
    ArrayNode list = json.putArray("files");
    files.forEach(list::add);
    return json;
  }
}
