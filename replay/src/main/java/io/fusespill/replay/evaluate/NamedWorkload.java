package io.fusespill.replay.evaluate;

import io.fusespill.sim.spec.SpecReader;
import io.fusespill.sim.workload.GeneratedWorkload;
import io.fusespill.sim.workload.TraceWorkload;
import io.fusespill.sim.workload.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A workload of an evaluation.
public record NamedWorkload(String name, Workload workload) {

  /// @param folder what a trace's path is relative to
  /// @param rateOtherwise requests a second of a generator that says nothing of them; null where it
  ///   must
  static @Nullable NamedWorkload from(
      SpecReader spec, Path folder, @Nullable Double rateOtherwise) {
    String name = spec.name("name");
    Workload workload =
        spec.check(
            "",
            spec.has("trace") ? () -> trace(spec, folder) : () -> generated(spec, rateOtherwise));
    return workload == null ? null : new NamedWorkload(name, workload);
  }

  /// The trace's file, if it is one and is not there.
  public @Nullable Path missingFile() {
    return workload instanceof TraceWorkload trace && !Files.isRegularFile(trace.file())
        ? trace.file()
        : null;
  }

  private static Workload trace(SpecReader spec, Path folder) {
    return new TraceWorkload(
        folder.resolve(spec.text("trace")).normalize(),
        spec.textOrNull("format"),
        spec.wholeOrNull("limit"),
        spec.countOrNull("max-prompt"),
        spec.countOrNull("max-total"),
        spec.flag("skip-invalid"),
        spec.textOrNull("rate"),
        spec.numberOrNull("burstiness"),
        spec.numberOrNull("rate-scale"));
  }

  private static Workload generated(SpecReader spec, @Nullable Double rateOtherwise) {
    Long requests = spec.wholeOrNull("requests");
    String arrivals = spec.text("arrivals", GeneratedWorkload.DEFAULT_ARRIVALS);
    Double rate = spec.numberOrNull("rate");
    return new GeneratedWorkload(
        spec.textOrNull("lengths"),
        spec.textOrNull("prompt"),
        spec.textOrNull("output"),
        requests == null ? 0 : requests,
        arrivals,
        rate == null && !arrivals.equals(GeneratedWorkload.BURST) ? rateOtherwise : rate,
        spec.numberOrNull("burstiness"),
        spec.numberOrNull("on"),
        spec.numberOrNull("off"),
        spec.numberOrNull("amplitude"),
        spec.countOrNull("max-prompt"),
        spec.countOrNull("max-total"));
  }
}
