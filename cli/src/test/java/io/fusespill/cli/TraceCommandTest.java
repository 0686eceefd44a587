package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Traces described, converted and generated through the command line.
class TraceCommandTest {

  private static final String LENGTHS =
      """
      arrived_at,num_prefill_tokens,num_decode_tokens
      0,10,5
      1,20,6
      3,30,7
      """;

  @TempDir private Path folder;

  @Test
  void convert_ontoItsInput_keepsEveryRequest() throws IOException {
    Path trace = trace(LENGTHS);

    Cli cli = Cli.run("trace", "convert", trace, "-o", trace, "--rate-scale", 2, "--force");

    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(cli.out()).startsWith("wrote 3 requests");
    assertThat(trace).hasContent(LENGTHS.replace("1,20", "0.5,20").replace("3,30", "1.5,30"));
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(trace));
  }

  @Test
  void convert_ofATraceThatBreaks_keepsTheFileThatWasThere() throws IOException {
    Path trace = trace(LENGTHS + "4,ten,8\n");
    Path out = folder.resolve("out.csv");

    assertOneLine(Cli.run("trace", "convert", trace, "-o", out), "trace.csv", "ten");
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(trace));

    Files.writeString(out, "before");
    assertOneLine(Cli.run("trace", "convert", trace, "-o", out, "--force"), "trace.csv", "ten");
    assertThat(out).hasContent("before");
  }

  @Test
  void convert_toAFolderThatIsNotThere_saysSo() throws IOException {
    Path out = folder.resolve("none/out.csv");

    assertOneLine(
        Cli.run("trace", "convert", trace(LENGTHS), "-o", out),
        "cannot write %s: there is no folder %s".formatted(out, out.getParent()));
  }

  private Path trace(String content) throws IOException {
    return Files.writeString(folder.resolve("trace.csv"), content);
  }

  private static void assertOneLine(Cli cli, String... parts) {
    assertThat(cli.exitCode()).as(cli.out() + cli.err()).isEqualTo(2);
    assertThat(cli.errorLines()).hasSize(1);
    assertThat(cli.errorLines().getFirst()).contains(parts);
  }
}
