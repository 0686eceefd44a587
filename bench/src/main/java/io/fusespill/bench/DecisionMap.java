package io.fusespill.bench;

import io.fusespill.engine.event.Handling;
import io.fusespill.replay.evaluate.HandlingGrid;
import io.fusespill.replay.evaluate.HandlingGrid.Cell;
import java.util.Iterator;
import java.util.Locale;

/// Which handling policy fusespill chooses where, as Markdown tables: each cell shows the handling
/// chosen most often with its share of the choices, and output tokens a second. `fusespill charts
/// --figure decision-map` draws the same.
///
/// Run: `./mvnw -q -DskipTests package && java @config/jvm.flags -cp 'bench/target/lib/*'
/// io.fusespill.bench.DecisionMap`
public final class DecisionMap {

  private DecisionMap() {}

  public static void main(String[] arguments) {
    HandlingGrid grid = HandlingGrid.DEFAULT;
    Iterator<Cell> cells =
        grid.run(Runtime.getRuntime().availableProcessors(), done -> {}).iterator();
    for (int blocks : grid.blocks()) {
      System.out.printf(Locale.ROOT, "%n%,d KV blocks%n%n| link, GB/s |", blocks);
      for (double host : grid.hostBytesPerSecond()) {
        System.out.print(
            host == 0 ? " no attending host |" : " host reads %.0f GB/s |".formatted(host / 1e9));
      }
      System.out.println("\n|---|---|---|---|---|");
      for (double link : grid.linkBytesPerSecond()) {
        System.out.printf(Locale.ROOT, "| %s |", link / 1e9);
        for (int host = 0; host < grid.hostBytesPerSecond().size(); host++) {
          System.out.printf(" %s |", text(cells.next()));
        }
        System.out.println();
      }
    }
  }

  private static String text(Cell cell) {
    Handling most = cell.most();
    long all = cell.choices();
    String choice =
        all == 0
            ? "none"
            : "%s %d %%"
                .formatted(
                    most.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    100 * cell.chosen(most) / all);
    return "%s of %,d; %,.0f".formatted(choice, all, cell.outputTokensPerSecond());
  }
}
