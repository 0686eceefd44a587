package io.fusespill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {

  private static final String SPEC =
      """
      platforms:
        - {name: one, devices: [a10:blocks=300], link: pcie4-16gbps, swap-space: 16}
      models: [vicuna-7b]
      workloads:
        - {name: trace, trace: trace.csv, limit: 30, max-total: 1512, rate: 2}
        - {name: gone, trace: gone.csv}
      policies:
        - {name: swap, policy: vllm-0.2.7, options: {preemption: swap}, baseline: true}
        - {name: continuous, policy: continuous, max-num-seqs: 64}
      """;

  @TempDir private Path folder;
  private Path spec;

  @BeforeEach
  void writeSpecAndTrace() throws IOException {
    spec = Files.writeString(folder.resolve("spec.yaml"), SPEC);
    Cli.run("trace", "generate", "--lengths", "sharegpt", "-n", 60, "--rate", 1, "-o", trace());
  }

  @Test
  void cell_isWhatSimulateDoes() {
    Cli evaluated = Cli.run("evaluate", spec, "--json", "--seed", 7);
    assertThat(evaluated.exitCode()).as(evaluated.err()).isZero();
    JsonNode cells = evaluated.json().get("cells");
    assertThat(cells).hasSize(2);

    JsonNode swap = simulate("--policy", "vllm-0.2.7", "--policy-option", "preemption=swap");
    JsonNode continuous = simulate("--policy", "continuous", "--max-num-seqs", "64");

    for (String figure : List.of("journal_digest", "config_digest", "state_hash", "duration")) {
      assertThat(cells.get(0).get(figure)).as(figure).isEqualTo(swap.get(figure));
      assertThat(cells.get(1).get(figure)).as(figure).isEqualTo(continuous.get(figure));
    }
  }

  @Test
  void jobs_doNotChangeTheTables() {
    Cli one = Cli.run("evaluate", spec, "--jobs", 1);
    Cli three = Cli.run("evaluate", spec, "--jobs", 3);

    assertThat(withoutTime(one)).isEqualTo(withoutTime(three)).isNotEmpty();
    assertThat(one.out())
        .contains("one, vicuna-7b, trace")
        .contains("swap (baseline)")
        .contains("skipped workload gone: no file ");
  }

  @Test
  void cellThatFails_isListedAndTheRestIsThere() throws IOException {
    Files.writeString(
        spec,
        SPEC.replace("[vicuna-7b]", "[vicuna-7b, llama-2-70b]").replace("a10:blocks=300", "a10"));

    Cli cli = Cli.run("evaluate", spec);

    assertThat(cli.exitCode()).isEqualTo(1);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.out())
        .contains("one, vicuna-7b, trace", "swap (baseline) [1 seed failed]")
        .contains(
            "failed: one / llama-2-70b / trace / swap (seed 0): llama-2-70b does not fit a10");
    assertThat(Cli.run("evaluate", spec, "--json").json().get("failures")).hasSize(2);
  }

  @Test
  void latenciesOfNothing_areNoFigures() throws IOException {
    Files.writeString(spec, SPEC.replace("max-total: 1512, ", ""));
    Files.writeString(folder.resolve("trace.csv"), "prompt_len,output_len\n9000,5\n");

    Cli cli = Cli.run("evaluate", spec, "--only", "policy=continuous");

    assertThat(cli.out().replaceAll(" +", " ")).contains("continuous 0.0 - - - - - 0 0 0 0.0 0/1");
  }

  @Test
  void only_runsWhatIsNamed() {
    Cli cli = Cli.run("evaluate", spec, "--only", "policy=continuous,workload=trace", "--json");

    assertThat(cli.json().get("cells")).hasSize(1);
    assertThat(cli.json().at("/tables/0/rows/0/policy").asText()).isEqualTo("continuous");
    assertThat(Cli.run("evaluate", spec, "--only", "policy=contnuous").errorLines())
        .singleElement()
        .asString()
        .contains("did you mean continuous?");
  }

  @Test
  void csv_hasOneLineACell() throws IOException {
    Path csv = folder.resolve("cells.csv");

    Cli.run("evaluate", spec, "--csv", csv, "--seed", 1, "--seed", 2);

    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(5);
    assertThat(lines.getFirst())
        .startsWith(
            "platform,model,workload,policy,policy_name,policy_options,standing,upper_bound,seed,completed");
    assertThat(lines.get(1))
        .startsWith("one,vicuna-7b,trace,swap,vllm-0.2.7,preemption=swap,baseline,false,1,");
    assertThat(lines.get(4))
        .startsWith("one,vicuna-7b,trace,continuous,continuous,,contender,false,2,");
  }

  @Test
  void csv_replacesNoFileUnlessForcedAndNeverWhatIsRead() throws IOException {
    Path csv = Files.writeString(folder.resolve("cells.csv"), "mine");
    Cli refused = Cli.run("evaluate", spec, "--csv", csv);
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.out()).isEmpty();
    assertThat(refused.err()).contains("cells.csv exists: choose another file", "--force");
    assertThat(csv).hasContent("mine");
    String specified = Files.readString(spec);
    assertThat(Cli.run("evaluate", spec, "--csv", spec, "--force").err())
        .contains("is what is read: choose another file");
    assertThat(spec).hasContent(specified);
    assertThat(Cli.run("evaluate", spec, "--csv", trace(), "--force").err())
        .contains("trace.csv is what is read");

    assertThat(Cli.run("evaluate", spec, "--csv", csv, "--force").exitCode()).isZero();
    assertThat(csv).content().startsWith("platform,model,");
  }

  @Test
  void placesThatCannotBeWritten_areNamedBeforeAnythingRuns() {
    Cli csv = Cli.run("evaluate", spec, "--csv", folder.resolve("none/cells.csv"));
    assertThat(csv.exitCode()).isEqualTo(2);
    assertThat(csv.out()).isEmpty();
    assertThat(csv.err()).contains("cells.csv: there is no folder " + folder.resolve("none"));
    Cli charts = Cli.run("evaluate", spec, "--charts", spec.resolve("figures"));
    assertThat(charts.exitCode()).isEqualTo(2);
    assertThat(charts.out()).isEmpty();
    assertThat(charts.err()).contains("figures cannot be written", "spec.yaml must be a folder");
  }

  /// A pipe may break when all is computed.
  @Test
  void tableIsPrinted_evenIfItsFileCannotBeWritten() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));

    Cli cli = Cli.run("evaluate", spec, "--csv", full);

    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.out()).contains("one, vicuna-7b, trace", "swap (baseline)");
    assertThat(cli.errorLines()).singleElement().asString().contains("/dev/full cannot be written");
  }

  @Test
  void rowOfTheOracle_isMarkedAnUpperBound() throws IOException {
    Files.writeString(spec, SPEC + "  - {policy: fusespill, predictor: oracle}\n");

    assertThat(Cli.run("evaluate", spec, "--only", "workload=trace").out())
        .contains("fusespill (UPPER BOUND) ", "UPPER BOUND: the row is told true output lengths");
    JsonNode rows = Cli.run("evaluate", spec, "--json").json().at("/tables/0/rows");
    assertThat(rows)
        .extracting(row -> row.get("upper_bound").asBoolean())
        .containsExactly(false, false, true);
    Path csv = folder.resolve("oracle.csv");
    Cli.run("evaluate", spec, "--only", "workload=trace", "--csv", csv);
    assertThat(Files.readAllLines(csv).getLast()).contains(",fusespill,fusespill,,contender,true,");
  }

  @Test
  void limitOutOfRange_isNamedWithCode2BeforeAnythingRuns() throws IOException {
    Files.writeString(spec, SPEC + "limits: {block-size: 2000}\n");

    Cli cli = Cli.run("evaluate", spec);

    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains("limits.block-size is 2000, must be 1 to 1,024");
  }

  @Test
  void badInput_isNamedWithCode2() throws IOException {
    assertThat(Cli.run("evaluate", folder.resolve("none.yaml")).exitCode()).isEqualTo(2);
    assertThat(Cli.run("evaluate", spec, "--jobs", 0).err()).contains("--jobs is 0, must be 1 to");
    assertThat(Cli.run("evaluate", spec, "--only", "workload=gone").err())
        .contains("no workload is there");
    Files.writeString(spec, SPEC.replace("baseline", "base-line"));
    Cli cli = Cli.run("evaluate", spec);
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.err())
        .startsWith("fusespill: ")
        .contains("policies[0].base-line is not a key here; did you mean baseline?");
  }

  private JsonNode simulate(String... options) {
    List<Object> arguments =
        new ArrayList<>(
            List.of("simulate", "--trace", trace(), "--limit", 30, "--max-total", 1512));
    arguments.addAll(List.of("--rate", 2, "--seed", 7, "--model", "vicuna-7b"));
    arguments.addAll(List.of("--device", "a10:blocks=300", "--link", "pcie4-16gbps"));
    arguments.addAll(List.of("--swap-space", 16, "--journal", "none", "--json"));
    arguments.addAll(List.of(options));
    return Cli.run(arguments.toArray()).json();
  }

  private Path trace() {
    return folder.resolve("trace.csv");
  }

  private static List<String> withoutTime(Cli cli) {
    return cli.out().lines().filter(line -> !line.matches("[0-9]+ cells? in .*")).toList();
  }
}
