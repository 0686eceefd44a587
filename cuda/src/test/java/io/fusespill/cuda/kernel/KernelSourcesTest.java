package io.fusespill.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Whether the compiled kernels are those of the sources, told without a compiler.
final class KernelSourcesTest {

  private static final Path SOURCES = Path.of("src/main/cuda");
  private static final Path RECORD =
      Path.of("src/main/resources/io/fusespill/cuda/kernel/kernels.sources");

  /// A line is the digest, two spaces and the file's name, or of another form: the compiler.
  @Test
  void fatbin_isOfTheSourcesAsTheyAre() throws IOException, NoSuchAlgorithmException {
    assumeTrue(Files.exists(RECORD), "there are no compiled kernels here: " + RECORD);
    Map<String, String> compiled = new TreeMap<>();
    for (String line : Files.readAllLines(RECORD)) {
      if (line.matches("[0-9a-f]{64} [ *]\\S+")) {
        compiled.put(line.substring(66), line.substring(0, 64));
      }
    }
    Map<String, String> sources = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(SOURCES, "*.{cu,cuh}")) {
      for (Path file : files) {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        sources.put(file.getFileName().toString(), HexFormat.of().formatHex(digest));
      }
    }
    assertThat(compiled)
        .as("kernels.fatbin is older than its sources: run cuda/kernels.sh, which needs nvcc")
        .isEqualTo(sources);
    assertThat(RECORD.resolveSibling("kernels.fatbin")).isNotEmptyFile();
  }
}
