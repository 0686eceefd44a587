package io.fusespill.charts;

import com.fasterxml.jackson.core.JsonProcessingException;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Figures as files of a folder: `NAME.png`, `NAME.svg`, `NAME.csv`, those of the dark theme
/// `NAME-dark.…`, and `figures.json`, which lists all with titles and sources.
///
/// Files of the same names are replaced, others are left alone, and stay in the list.
///
/// @param themes at least one
/// @param inches width
/// @param dpi of PNG files
public record FigureFiles(
    Path folder, Set<Format> formats, Set<Theme> themes, double inches, int dpi) {

  private static final String LIST = "figures.json";
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

  /// Draws all, then writes the files, and returns their names by figure.
  ///
  /// @throws UncheckedIOException if they cannot be written
  public List<List<String>> write(List<Figure> figures) {
    List<Map<String, byte[]>> drawn = figures.stream().map(this::draw).toList();
    List<List<String>> names = drawn.stream().map(files -> List.copyOf(files.keySet())).toList();
    try {
      Files.createDirectories(folder);
      ArrayNode list = listed();
      Set<String> again = figures.stream().map(Figure::name).collect(Collectors.toSet());
      list.removeIf(earlier -> again.contains(earlier.path("name").asText()));
      for (int i = 0; i < figures.size(); i++) {
        list.add(describe(figures.get(i), names.get(i)));
      }
      for (Map<String, byte[]> files : drawn) {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
          Files.write(folder.resolve(file.getKey()), file.getValue());
        }
      }
      Files.writeString(
          folder.resolve(LIST), MAPPER.writeValueAsString(list) + "\n", StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "figures cannot be written to %s (%s)".formatted(folder, e), e);
    }
    return names;
  }

  /// The folder's list as it is; a new one where there is none, or a file that is no list.
  private ArrayNode listed() throws IOException {
    Path file = folder.resolve(LIST);
    try {
      if (Files.exists(file) && MAPPER.readTree(file.toFile()) instanceof ArrayNode list) {
        return list;
      }
    } catch (JsonProcessingException e) {
      // What is no JSON is replaced, as any file of the name.
    }
    return JsonNodeFactory.instance.arrayNode();
  }

  /// The files of a figure by their names.
  private Map<String, byte[]> draw(Figure figure) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (Theme theme : themes) {
      Style style = new Style(theme, inches);
      String base = figure.name() + (theme == Theme.DARK ? "-dark" : "");
      for (Format format : formats) {
        files.put(
            base + "." + format.label(),
            switch (format) {
              case PNG -> figure.png(style, dpi);
              case SVG -> figure.svg(style).getBytes(StandardCharsets.UTF_8);
            });
      }
    }
    files.put(figure.name() + ".csv", figure.data().csv().getBytes(StandardCharsets.UTF_8));
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
