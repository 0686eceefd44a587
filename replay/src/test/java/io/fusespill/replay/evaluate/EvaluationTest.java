package io.fusespill.replay.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.replay.evaluate.CellResult.Failed;
import io.fusespill.replay.evaluate.CellResult.Ran;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {

  private static final String GRID =
      """
      platforms:
        - {name: small, devices: [a10:blocks=300], swap-space: 16}
        - {name: pair, devices: [a10:blocks=300, a10:blocks=300], swap-space: 16}
      models: [vicuna-7b]
      workloads:
        - {name: burst, lengths: sharegpt, requests: 40, arrivals: burst, max-total: 1512}
        - {name: calm, lengths: sharegpt, requests: 20, rate: 0.1, max-total: 1512}
      policies:
        - {name: recompute, policy: vllm-0.2.7, options: {preemption: recompute}, baseline: true}
        - {name: swap, policy: vllm-0.2.7, options: {preemption: swap}, baseline: true}
        - name: infinite
          policy: continuous
          platforms: [small]
          devices: ["a10:blocks=100000"]
          bound: true
      """;

  @TempDir private Path folder;

  @Test
  void run_grid_keepsOrderAndServesEverybody() throws IOException {
    List<Cell> cells = cells(GRID);
    Evaluation evaluation = new Evaluation(cells);
    AtomicLong ended = new AtomicLong();

    List<CellResult> results =
        evaluation.run(2, amount -> ended.accumulateAndGet(amount, Math::max));

    assertThat(results).extracting(CellResult::cell).isEqualTo(cells);
    assertThat(evaluation.requests()).isEqualTo(5 * 40 + 5 * 20);
    assertThat(ended).hasValue(evaluation.requests());
    for (CellResult result : results) {
      Ran ran = (Ran) result;
      boolean burst = ran.cell().workload().name().equals("burst");
      assertThat(ran.figure("completed")).as(ran.cell().title()).isEqualTo(burst ? 40 : 20);
      assertThat(ran.figure("rejected")).isZero();
      if (!ran.cell().row().name().equals("swap")) {
        assertThat(ran.figure("swapped_out_blocks")).isZero();
      }
      if (!ran.cell().row().name().equals("recompute")) {
        assertThat(ran.figure("recomputed_tokens")).isZero();
      }
    }
    assertThat(
            results.stream()
                .map(Ran.class::cast)
                .filter(ran -> ran.cell().row().standing() == Standing.BOUND)
                .map(ran -> ran.figure("preemptions")))
        .containsExactly(0.0, 0.0);
  }

  @Test
  void run_oneOrManyJobs_isTheSame() throws IOException {
    List<Cell> cells = cells(GRID);

    assertThat(digests(new Evaluation(cells).run(4, amount -> {})))
        .isEqualTo(digests(new Evaluation(cells).run(1, amount -> {})));
  }

  @Test
  void run_cellAlone_isTheSameAsAmongOthers() throws IOException {
    List<Cell> cells = cells(GRID);
    List<String> together = digests(new Evaluation(cells).run(2, amount -> {}));

    assertThat(digests(new Evaluation(cells.subList(3, 4)).run(1, amount -> {})))
        .isEqualTo(together.subList(3, 4));
  }

  @Test
  void run_modelThatDoesNotFit_failsAlone() throws IOException {
    List<CellResult> results =
        new Evaluation(
                cells(
                    """
                    platforms: [{name: a10, devices: [a10]}]
                    models: [vicuna-13b, vicuna-7b]
                    workloads: [{name: w, lengths: sharegpt, requests: 5, arrivals: burst}]
                    policies: [{policy: continuous, baseline: true}]
                    """))
            .run(2, amount -> {});

    assertThat(results.getFirst())
        .isInstanceOfSatisfying(
            Failed.class,
            failed -> assertThat(failed.message()).startsWith("vicuna-13b does not fit a10"));
    assertThat(results.getLast()).isInstanceOf(Ran.class);
    assertThat(Comparison.of(results)).hasSize(2);
    assertThat(Comparison.of(results).getFirst().rows().getFirst().failures()).isEqualTo(1);
  }

  @Test
  void filter_keepsWhatIsNamed() throws IOException {
    List<Cell> cells = cells(GRID);

    assertThat(new CellFilter(List.of("platform=pair", "policy=swap")).of(cells))
        .extracting(Cell::title)
        .containsExactly("pair / vicuna-7b / burst / swap", "pair / vicuna-7b / calm / swap");
    assertThat(new CellFilter(List.of("policy=swap", "policy=infinite")).of(cells)).hasSize(6);
    assertThatThrownBy(() -> new CellFilter(List.of("policy=swpa")).of(cells))
        .hasMessageContaining("unknown policy \"swpa\"; did you mean swap?");
    assertThatThrownBy(() -> new CellFilter(List.of("polcy=swap")))
        .hasMessageContaining("'polcy=swap' must be platform=NAME");
    assertThatThrownBy(() -> new CellFilter(List.of("platform=pair", "policy=infinite")).of(cells))
        .hasMessageContaining("no cell has all of");
  }

  private static List<String> digests(List<CellResult> results) {
    return results.stream()
        .map(Ran.class::cast)
        .map(ran -> ran.cell().title() + " " + ran.figures().get("journal_digest"))
        .toList();
  }

  private List<Cell> cells(String text) throws IOException {
    return EvaluationSpec.read(Files.writeString(folder.resolve("grid.yaml"), text)).cells();
  }
}
