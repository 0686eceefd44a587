package io.fusespill.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.tables.Column;
import io.fusespill.tables.Schema;
import io.fusespill.tables.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParetoFrontTest {

  private static final Schema SCHEMA =
      Schema.of(
          Column.text("platform", ""),
          Column.text("model", ""),
          Column.text("workload", ""),
          Column.number("rate_requests_per_second", "", ""),
          Column.number("rate_scale_ratio", "", ""),
          Column.text("policy", ""),
          Column.whole("seed", "", ""),
          Column.number("output_tokens_per_second", "tokens_per_second", ""),
          Column.number("e2e_p99_seconds", "seconds", ""));

  private final List<List<Object>> rows = new ArrayList<>();

  private void row(String workload, String policy, long seed, Double tokens, Double seconds) {
    rows.add(Arrays.asList("p", "m", workload, null, null, policy, seed, tokens, seconds));
  }

  private Table front(boolean all) {
    return new ParetoFront(Table.of(SCHEMA, rows), "output_tokens_per_second", "e2e_p99_seconds")
        .table(all);
  }

  private static List<String> column(Table table, String name) {
    List<String> values = new ArrayList<>();
    for (int row = 0; row < table.rows().size(); row++) {
      values.add(String.valueOf(table.value(row, name)));
    }
    return values;
  }

  @Test
  void configurationWithoutAFigure_isLeftOutAndTold() {
    row("w", "whole", 1, 10.0, 1.0);
    row("w", "without", 1, 20.0, null);
    row("w", "half", 1, 30.0, 2.0);
    row("w", "half", 2, 30.0, null);
    ParetoFront pareto =
        new ParetoFront(Table.of(SCHEMA, rows), "output_tokens_per_second", "e2e_p99_seconds");

    assertThat(column(pareto.table(true), "policy")).containsExactly("whole");
    assertThat(pareto.notes())
        .containsExactly("2 configurations without e2e_p99_seconds left out, of p");
  }

  @Test
  void front_holdsWhatNothingBeatsInBoth() {
    row("w", "slow and quick to answer", 1, 10.0, 1.0);
    row("w", "beaten", 1, 20.0, 4.0);
    row("w", "between", 1, 20.0, 3.0);
    row("w", "beaten in latency alone", 1, 10.0, 2.0);
    row("w", "fast", 1, 40.0, 9.0);
    row("w", "the same as fast", 1, 40.0, 9.0);
    row("other", "worse, but nothing else is there", 1, 1.0, 99.0);

    assertThat(column(front(false), "policy"))
        .containsExactly(
            "slow and quick to answer",
            "between",
            "fast",
            "the same as fast",
            "worse, but nothing else is there");
    assertThat(column(front(true), "front"))
        .containsExactly("true", "false", "true", "false", "true", "true", "true");
  }

  @Test
  void seeds_areAveraged_andOneWithoutAFigureLeavesItsConfigurationOut() {
    row("w", "two seeds", 1, 10.0, 1.0);
    row("w", "two seeds", 2, 20.0, 2.0);
    row("w", "lacks one", 1, 90.0, 0.5);
    row("w", "lacks one", 2, 90.0, null);

    Table front = front(true);

    assertThat(column(front, "policy")).containsExactly("two seeds");
    assertThat(front.value(0, "output_tokens_per_second")).isEqualTo(15.0);
    assertThat(front.value(0, "e2e_p99_seconds")).isEqualTo(1.5);
    assertThat(front.value(0, "seeds")).isEqualTo(2L);
  }

  @Test
  void whatIsNotThere_isNamed() {
    assertThatThrownBy(() -> front(false)).hasMessageContaining("the results are empty");
    row("w", "p", 1, 1.0, 1.0);
    assertThatThrownBy(
            () -> new ParetoFront(Table.of(SCHEMA, rows), "output_tokens", "e2e_p99_seconds"))
        .isInstanceOf(SweepException.class)
        .hasMessageContaining(
            "no column \"output_tokens\"; did you mean output_tokens_per_second?");
    assertThatThrownBy(() -> new ParetoFront(Table.of(SCHEMA, rows), "policy", "e2e_p99_seconds"))
        .hasMessageContaining("column \"policy\" holds no numbers");
  }
}
