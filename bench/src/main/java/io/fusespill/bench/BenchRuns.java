package io.fusespill.bench;

import com.sun.management.OperatingSystemMXBean;
import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;

/// What the benchmarks of the pipeline have in common: where they run, journals, medians.
final class BenchRuns {

  private BenchRuns() {}

  static void printMachine() {
    System.out.printf(
        Locale.ROOT,
        "%s %s, %d cores, load average %.1f%n",
        System.getProperty("java.vm.name"),
        Runtime.version(),
        Runtime.getRuntime().availableProcessors(),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  /// Processor time of all threads of this process so far.
  static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  static Journal journal(Path directory, Durability durability) {
    return Journal.create(directory, JournalHeader.of("bench", "{}"), durability);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
