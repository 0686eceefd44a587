package io.fusespill.cli;

import io.fusespill.sweep.Prices;
import io.fusespill.sweep.Slo;
import io.fusespill.sweep.SweepSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What sweeps and the searches that simulate have in common.
final class SearchOptions {

  private static final int WORKERS_MAX = 1_024;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Scenarios at once (default: as many as there are processors).")
  private @Nullable Integer workers;

  @Option(
      names = "--slo",
      split = ",",
      paramLabel = "M.pN=T",
      description =
          "Latencies to keep, in the place of the specification's: ttft, tpot, itl or e2e, a percentile, a time, for example ttft.p99=2s,tpot.p90=100ms.")
  private List<String> slo = new ArrayList<>();

  @Option(
      names = "--prices",
      paramLabel = "FILE",
      description =
          "What cards cost, in the place of the specification's: currency, source, per-hour (specs/prices.yaml). None comes with the program.")
  private @Nullable Path prices;

  SearchOptions() {}

  /// The specification with what the options put in the place of its own.
  SweepSpec apply(SweepSpec spec) {
    SweepSpec applied = spec;
    if (!slo.isEmpty()) {
      try {
        applied = applied.withSlo(Slo.parse(slo));
      } catch (IllegalArgumentException e) {
        throw new UsageException("--slo: " + e.getMessage(), e);
      }
    }
    return prices == null ? applied : applied.withPrices(Prices.read(require(prices)));
  }

  int workers() {
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    if (threads < 1 || threads > WORKERS_MAX) {
      throw new UsageException("--workers is %d, must be 1 to %,d".formatted(threads, WORKERS_MAX));
    }
    return threads;
  }

  /// The file, if it can be read.
  static Path require(Path file) {
    WorkloadOptions.requireFile(file);
    return file;
  }
}
