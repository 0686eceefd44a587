package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /// Its output's name with an ending: as what is unfinished was once called.
  @Test
  void convert_leavesItsNeighboursAlone() throws IOException {
    Path trace = Files.writeString(folder.resolve("out.csv.tmp"), LENGTHS);

    Cli cli = Cli.run("trace", "convert", trace, "-o", folder.resolve("out.csv"));

    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(trace).hasContent(LENGTHS);
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
  void convert_toAFileNamedAsJson_asksForTheFormat() throws IOException {
    Path trace = trace(LENGTHS);
    Path out = folder.resolve("out.jsonl");

    assertOneLine(
        Cli.run("trace", "convert", trace, "-o", out), "out.jsonl", "--to vllm or --to mooncake");
    assertThat(out).doesNotExist();

    Cli cli = Cli.run("trace", "convert", trace, "-o", out, "--to", "vllm");
    assertThat(cli.exitCode()).as(cli.err()).isZero();
    assertThat(out).content().startsWith("{");

    assertOneLine(Cli.run("trace", "convert", trace, "-o", "/"), "/ is a folder");
  }

  @Test
  void nothingLeftOfATrace_isRefused() throws IOException {
    Path trace = trace("arrived_at,num_prefill_tokens,num_decode_tokens\n0,ten,5\n1,20,0\n");
    Path out = folder.resolve("out.csv");
    String message = trace + " holds no request: skipped 2 rows, the first: " + trace + ":2: ";

    assertOneLine(Cli.run("trace", "describe", trace, "--skip-invalid"), message);
    assertOneLine(Cli.run("trace", "convert", trace, "--skip-invalid", "-o", out), message);
    assertThat(out).doesNotExist();
  }

  @Test
  void convert_toAFolderThatIsNotThere_saysSo() throws IOException {
    Path out = folder.resolve("none/out.csv");

    assertOneLine(
        Cli.run("trace", "convert", trace(LENGTHS), "-o", out),
        "cannot write %s: there is no folder %s".formatted(out, out.getParent()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--arrivals burst --rate 3 | rate is 3.0 but arrivals are burst",
        "--arrivals burst --burstiness 3 | burstiness is 3.0 but arrivals are burst",
        "--rate 3 --on 5 | on is 5.0 but arrivals are gamma",
        "--rate 3 --off 5 | off is 5.0 but arrivals are gamma",
        "--rate 3 --amplitude 0.5 | amplitude is 0.5 but arrivals are gamma",
        "--arrivals diurnal --rate 3 --burstiness 2 | burstiness is 2.0 but arrivals are diurnal"
      })
  void generate_withAnOptionOfOtherArrivals_namesBoth(String options, String message) {
    List<Object> arguments = new ArrayList<>(List.of("trace", "generate", "-n", 5));
    arguments.addAll(List.of("--lengths", "sharegpt", "-o", folder.resolve("t.csv")));
    arguments.addAll(List.of(options.split(" ")));

    assertOneLine(Cli.run(arguments.toArray()), message, "or take arrivals ");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void describe_hasTheMeanRateOfTheGaps() throws IOException {
    Path trace = trace(LENGTHS);

    Cli slow = Cli.run("trace", "describe", trace, "--rate-scale", 0.0005);
    assertThat(slow.out()).startsWith("3 requests in 6,000.0 s, 0.000333 a second");
    JsonNode json = Cli.run("trace", "describe", trace, "--json").json();
    assertThat(json.get("requests_per_second").asDouble()).isEqualTo(2 / 3.0);

    Cli atOnce = Cli.run("trace", "describe", trace, "--rate", "inf");
    assertThat(atOnce.out()).startsWith("3 requests in 0.0 s, all at once, no rate\n");
    json = Cli.run("trace", "describe", trace, "--rate", "inf", "--json").json();
    assertThat(json.get("requests_per_second").isNull()).isTrue();
  }

  @Test
  void describe_withTheBurstinessOfAllAtOnce_isRefused() throws IOException {
    assertOneLine(
        Cli.run("trace", "describe", trace(LENGTHS), "--rate", "inf", "--burstiness", 2),
        "burstiness is 2.0 but the rate is inf");
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
