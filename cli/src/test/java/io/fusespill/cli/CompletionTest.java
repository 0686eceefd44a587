package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// What the completion script offers, and what is no command.
class CompletionTest {

  private static List<String> candidates(OptionSpec option) {
    return Stream.of(option.completionCandidates())
        .flatMap(values -> Stream.iterate(values.iterator(), each -> each.hasNext(), each -> each))
        .map(each -> each.next())
        .toList();
  }

  private static Stream<OptionSpec> options(CommandLine command) {
    return Stream.concat(
        command.getCommandSpec().options().stream(),
        command.getSubcommands().values().stream().flatMap(CompletionTest::options));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          export   | --to     | perfetto jsonl csv parquet
          charts   | --theme  | light dark
          charts   | --format | png svg
          simulate | --policy | vllm-0.2.7 continuous fusespill fusespill-artifact
          generate | --policy | vllm-0.2.7 continuous fusespill fusespill-artifact
          sweep    | --engine | local spark
          """)
  void fewValues_areOffered(String command, String option, String values) {
    assertThat(
            candidates(
                FuseSpill.commandLine()
                    .getSubcommands()
                    .get(command)
                    .getCommandSpec()
                    .findOption(option)))
        .containsExactlyInAnyOrder(values.split(" "));
  }

  @Test
  void figures_areOfferedInTheScript() {
    assertThat(Cli.run("generate-completion").out())
        .contains("\"utilisation\"", "\"pareto\"", "\"decision-map\"");
  }

  @Test
  void noValue_isOfferedOtherThanItIsDocumented() {
    assertThat(options(FuseSpill.commandLine()).filter(option -> option.type().isEnum()))
        .isNotEmpty()
        .allSatisfy(option ->
            assertThat(candidates(option))
                .isNotEmpty()
                .allMatch(value -> value.equals(value.toLowerCase(java.util.Locale.ROOT))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"run --help", "run", "trace nope --help", "reprot -h"})
  void noSuchCommand_isAnErrorWithHelp_too(String line) {
    Cli refused = Cli.run((Object[]) line.split(" "));

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.out()).isEmpty();
    assertThat(refused.errorLines()).singleElement().asString().contains("Unmatched argument");
  }

  @Test
  void help_ofACommandThereIs_isPrinted() {
    assertThat(Cli.run("--help").exitCode()).isZero();
    assertThat(Cli.run("trace", "--help").exitCode()).isZero();
    assertThat(Cli.run("simulate", "--help").out()).contains("--policy");
    assertThat(Cli.run("help").out()).isEqualTo(Cli.run("--help").out());
    assertThat(Cli.run("help", "simulate").out()).isEqualTo(Cli.run("simulate", "--help").out());
    assertThat(Cli.run("help", "nope").errorLines())
        .containsExactly("fusespill: Unknown subcommand 'nope'; see 'fusespill --help'");
  }
}
