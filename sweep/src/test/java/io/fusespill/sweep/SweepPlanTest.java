package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.sweep.ScenarioResult.Failed;
import io.fusespill.sweep.ScenarioResult.Finished;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepPlanTest {

  private static final String SPEC =
      """
      platforms:
        - {name: one, devices: [a10:blocks=300], link: pcie4-16gbps, swap-space: 16}
        - {name: two, devices: ["a10:blocks=300"], link: pcie4-16gbps, swap-space: 16, host: xeon-8358p}
        - {name: topology, topology: topology.yaml}
      models: [vicuna-7b]
      workloads:
        - {name: trace, trace: trace.csv, max-total: 1512}
        - {name: drawn, lengths: sharegpt, max-prompt: 1024, max-total: 1512, requests: 30}
      rates: [1, 2.5, inf]
      policies:
        - {policy: vllm-0.2.7, options: {preemption: [swap, recompute]}}
        - {policy: fusespill, predictor: oracle}
      seeds: [1, 2]
      slo:
        ttft: {p99: 2s}
        tpot: {p90: 100ms}
      """;

  @TempDir private Path folder;

  private SweepPlan plan(String text) throws IOException {
    StringBuilder trace = new StringBuilder("prompt_len,output_len,arrived_at\n");
    for (int i = 0; i < 40; i++) {
      trace.append("%d,%d,%d\n".formatted(100 + 13 * i, 50 + 7 * i, i));
    }
    Files.writeString(folder.resolve("trace.csv"), trace);
    Files.writeString(
        folder.resolve("topology.yaml"),
        """
        devices: [{name: gpu, profile: a10, tp: 2}]
        hosts: [{name: host, memory: 16, profile: xeon-8358p}]
        links: [{from: gpu, to: host, profile: pcie4}]
        """);
    return SweepPlan.of(
        SweepSpec.read(Files.writeString(folder.resolve("spec.yaml"), text)), new TraceCache());
  }

  @Test
  void scenarios_areTheProductOfTheAxes() throws IOException {
    SweepPlan plan = plan(SPEC);

    assertThat(plan.tasks()).hasSize(3 * 2 * 3 * 3 * 2);
    assertThat(plan.distinct()).hasSameSizeAs(plan.tasks());
    assertThat(plan.tasks().get(0).scenario().title())
        .isEqualTo("one / vicuna-7b / trace at 1.0 a second / vllm-0.2.7 preemption=swap (seed 1)");
    assertThat(plan.tasks().stream().map(SweepTask::requests).distinct()).containsExactly(40L, 30L);
  }

  @Test
  void rowsOfTheOracle_areUpperBounds() throws IOException {
    SweepPlan plan = plan(SPEC);
    SweepRows rows = SweepRows.of(plan.spec());
    int policy = rows.schema().names().indexOf("policy_name");
    int bound = rows.schema().names().indexOf("upper_bound");
    for (SweepTask task : plan.tasks()) {
      List<@Nullable Object> row = rows.row(task, new Finished(task.key(), Map.of(), 0));
      assertThat(row.get(bound)).isEqualTo(row.get(policy).equals("fusespill"));
    }
  }

  @Test
  void tasksAndResults_areTheSameAfterAWayThroughText() throws IOException {
    List<SweepTask> tasks = plan(SPEC).tasks();
    SweepRows rows = SweepRows.of(plan(SPEC).spec());
    assertThat(SweepRows.fromJson(rows.toJson())).isEqualTo(rows);
    for (SweepTask task : tasks) {
      assertThat(SweepTask.fromJson(task.toJson()).toJson()).isEqualTo(task.toJson());
    }
    for (SweepTask task : List.of(tasks.get(0), tasks.get(40), tasks.getLast())) {
      ScenarioResult here = ScenarioRun.run(task, new TraceCache(), ended -> {});
      ScenarioResult there =
          ScenarioRun.run(SweepTask.fromJson(task.toJson()), new TraceCache(), ended -> {});
      assertThat(here).as(here.toString()).isInstanceOf(Finished.class);
      Finished back = (Finished) ScenarioResult.fromJson(there.toJson());
      assertThat(back.figures()).isEqualTo(((Finished) here).figures());
      assertThat(rows.row(task, back)).isEqualTo(rows.row(task, (Finished) here));
      assertThat(rows.row(task, back)).hasSameSizeAs(rows.schema().columns());
    }
    Failed failed = new Failed("k", "no room");
    assertThat(ScenarioResult.fromJson(failed.toJson())).isEqualTo(failed);
  }
}
