package io.fusespill.replay.whatif;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// The true output length of each request of a simulated run, one line a request in order of
/// arrival: what no journal tells, because no policy may know it.
public final class LengthsCsv implements AutoCloseable {

  private static final String HEADER = "request,output_tokens,declared_output_tokens";

  /// @param outputTokens true output length
  /// @param declaredOutputTokens what was foretold of it, 0 for nothing
  public record Lengths(int outputTokens, int declaredOutputTokens) {}

  private final Writer writer;
  private int next;

  public LengthsCsv(Path file) {
    try {
      writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
      writer.write(HEADER + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Writes the line of the next request.
  ///
  /// @param declaredOutputTokens 0 where nothing was declared
  public void add(int outputTokens, int declaredOutputTokens) {
    try {
      writer.write(next + "," + outputTokens + "," + declaredOutputTokens + "\n");
      next++;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The lengths of `file` by request. A line that a killed writer left unfinished is passed over.
  ///
  /// @throws IllegalArgumentException naming the first line that is not one of these
  public static Map<Integer, Lengths> read(Path file) {
    Map<Integer, Lengths> lengths = new TreeMap<>();
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      if (!HEADER.equals(reader.readLine())) {
        throw new IllegalArgumentException("%s:1: must be %s".formatted(file, HEADER));
      }
      String line = reader.readLine();
      while (line != null) {
        String following = reader.readLine();
        String[] cells = line.split(",", -1);
        if (cells.length == 3 && line.matches("[0-9]{1,9},[0-9]{1,9},[0-9]{1,9}")) {
          lengths.put(
              Integer.parseInt(cells[0]),
              new Lengths(Integer.parseInt(cells[1]), Integer.parseInt(cells[2])));
        } else if (following != null) {
          throw new IllegalArgumentException(
              "%s:%d: '%s' must be three whole numbers with commas between them"
                  .formatted(file, lengths.size() + 2, line));
        }
        line = following;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lengths;
  }
}
