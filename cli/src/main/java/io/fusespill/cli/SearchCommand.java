package io.fusespill.cli;

import io.fusespill.sweep.SearchResult;
import io.fusespill.sweep.SweepSpec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A search over the grid of a sweep: reads it, simulates, and tells one table.
abstract class SearchCommand implements Callable<Integer> {

  private static final int SOME_FAILED = 1;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SPEC", description = "Specification of a sweep, a YAML file.")
  private Path file;

  @Mixin private SearchOptions search;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "AXIS=NAME",
      description = "Search only these: platform, model, workload or policy, as for 'evaluate'.")
  private List<String> only = new ArrayList<>();

  @Mixin private ResultOptions result;

  @Option(names = "--quiet", description = "No progress.")
  private boolean quiet;

  private final String probes;

  /// @param probes what the search tries, as the progress counts it
  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  SearchCommand(String probes) {
    this.probes = probes;
  }

  /// @throws UsageException if an option of this search is not legal
  abstract void check();

  abstract SweepSpec read(Path file);

  /// @param probed called after each simulation, by several threads
  abstract SearchResult search(SweepSpec sweep, List<String> only, int workers, Runnable probed);

  abstract void print(PrintWriter out, SweepSpec sweep, SearchResult found);

  @Override
  public final Integer call() {
    check();
    result.csv().check(SearchOptions.require(file));
    SweepSpec sweep = search.apply(read(file));
    result.csv().checkTraces(sweep.grid().workloads());
    SearchResult found;
    try (ProgressLine progress = new ProgressLine(spec.name(), probes, 0, quiet)) {
      AtomicLong probed = new AtomicLong();
      found = search(sweep, only, search.workers(), () -> progress.at(probed.incrementAndGet()));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (result.json()) {
      out.println(
          ResultOptions.json(found.table(), found.failed(), found.notes())
              .put("slo", sweep.slo().toString()));
    } else {
      print(out, sweep, found);
      printRest(out, sweep, found);
    }
    out.flush();
    result.writeCsv(found.table());
    return found.failed().isEmpty() ? 0 : SOME_FAILED;
  }

  /// What the figures are, where prices are from, what the table does not show, and what failed.
  private static void printRest(PrintWriter out, SweepSpec sweep, SearchResult found) {
    out.println();
    out.println("simulated, with step times of the roofline model; p99 are of the worst seed");
    if (sweep.prices() != null) {
      out.println("prices in %s: %s".formatted(sweep.prices().currency(), sweep.prices().source()));
    }
    found.notes().forEach(out::println);
    found
        .failed()
        .forEach((title, message) -> out.println("failed: %s: %s".formatted(title, message)));
  }
}
