package io.fusespill.traces;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Quantiles of prompt and output length and how the two hang together.
///
/// Lengths are drawn by inverting the distribution function, linearly between the quantiles, at two
/// uniform numbers joined by a Gaussian copula.
final class LengthTable {

  private static final String HEADER = "p,prompt,output";

  private final String source;
  private final String licence;
  private final double correlation;
  private final double[] shares;
  private final int[] promptTokens;
  private final int[] outputTokens;

  private LengthTable(Map<String, String> notes, List<String[]> rows) {
    source = note(notes, "source");
    licence = note(notes, "licence");
    correlation = Double.parseDouble(note(notes, "copula correlation"));
    shares = rows.stream().mapToDouble(row -> Double.parseDouble(row[0])).toArray();
    promptTokens = rows.stream().mapToInt(row -> Integer.parseInt(row[1])).toArray();
    outputTokens = rows.stream().mapToInt(row -> Integer.parseInt(row[2])).toArray();
  }

  /// Reads `# name: value` notes, a header and the quantiles from beside this class.
  static LengthTable resource(String name) {
    try (InputStream in = LengthTable.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no resource %s in the traces module".formatted(name));
      }
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      Map<String, String> notes =
          lines.stream()
              .filter(line -> line.startsWith("# "))
              .map(line -> line.substring(2).split(": ", 2))
              .collect(Collectors.toMap(note -> note[0], note -> note[1]));
      List<String[]> rows =
          lines.stream()
              .filter(line -> !line.startsWith("#") && !line.equals(HEADER))
              .map(line -> line.split(",", -1))
              .toList();
      return new LengthTable(notes, rows);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String note(Map<String, String> notes, String name) {
    String value = notes.get(name);
    if (value == null) {
      throw new IllegalStateException("a length table without \"# %s: …\"".formatted(name));
    }
    return value;
  }

  String source() {
    return source;
  }

  String licence() {
    return licence;
  }

  LengthDistribution.Lengths draw(SeededRandom random) {
    double share = random.nextDouble();
    double independent = random.nextNormal();
    double normal =
        correlation * StandardNormal.quantile(share)
            + Math.sqrt(1 - correlation * correlation) * independent;
    return new LengthDistribution.Lengths(
        quantile(promptTokens, share), quantile(outputTokens, StandardNormal.cdf(normal)));
  }

  private int quantile(int[] tokens, double share) {
    int found = Arrays.binarySearch(shares, share);
    int above = Math.clamp(found < 0 ? -found - 1 : found, 1, shares.length - 1);
    double weight = (share - shares[above - 1]) / (shares[above] - shares[above - 1]);
    return (int) Math.round(tokens[above - 1] + weight * (tokens[above] - tokens[above - 1]));
  }
}
