package io.fusespill.report;

import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.replay.explain.Wording;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/// Something that a reader has to know before believing a figure.
///
/// @param runs the runs that it is about; empty for all of the page
record Warning(Kind kind, String title, String text, List<String> runs) {

  /// Where it comes from.
  enum Kind {
    /// What these runs did.
    RUN,
    /// What the runs have in common, or have not.
    COMPARISON,
    /// What the cost model does not know.
    MODEL
  }

  private static final long FEW_REQUESTS = 100;

  /// A queue that outlives the last arrival by more of the run than this is no peak.
  private static final double BACKLOG = 0.2;

  /// All of some runs; what several share is one, in the order: runs, comparison, model.
  static List<Warning> of(List<ReportRun> runs) {
    Map<Warning, Set<String>> byText = new LinkedHashMap<>();
    for (ReportRun run : runs) {
      for (Warning warning : ofRun(run)) {
        byText.computeIfAbsent(warning, key -> new LinkedHashSet<>()).add(run.name());
      }
    }
    List<Warning> all = new ArrayList<>();
    byText.forEach((warning, names) ->
        all.add(
            new Warning(
                warning.kind(),
                warning.title(),
                warning.text(),
                names.size() == runs.size() ? List.of() : List.copyOf(names))));
    compare(runs, all);
    return all.stream().sorted(Comparator.comparing(Warning::kind)).toList();
  }

  private static List<Warning> ofRun(ReportRun run) {
    List<Warning> all = new ArrayList<>();
    RunMetrics metrics = run.metrics();
    if (run.unfinished() > 0) {
      add(
          all,
          Kind.RUN,
          "The journal ends before its run",
          "%s had not ended: they are in no throughput, TPOT and E2E."
              .formatted(Wording.count(run.unfinished(), "request")));
    }
    if (metrics.rejected() > 0) {
      add(
          all,
          Kind.RUN,
          "%s rejected".formatted(Wording.count(metrics.rejected(), "request")),
          "They are in no latency and no throughput: %s.".formatted(reasons(metrics)));
    }
    if (metrics.failed() + metrics.cancelled() > 0) {
      add(
          all,
          Kind.RUN,
          both(metrics.failed(), "failed request", metrics.cancelled(), "cancelled request"),
          "Throughput and E2E are of those that were served.");
    }
    if (metrics.failedSteps() + metrics.failedTransfers() > 0) {
      add(
          all,
          Kind.RUN,
          both(metrics.failedSteps(), "failed step", metrics.failedTransfers(), "failed transfer"),
          "What they had computed was computed again.");
    }
    if (metrics.cappedSequences() > 0) {
      add(
          all,
          Kind.RUN,
          "%s capped".formatted(Wording.count(metrics.cappedSequences(), "sequence")),
          "They reached the longest that a sequence may be (--max-model-len) before their own end.");
    }
    if (run.summaryCount("skipped_rows") > 0) {
      add(
          all,
          Kind.RUN,
          "%s skipped".formatted(Wording.count(run.summaryCount("skipped_rows"), "row")),
          "Rows of the trace that could not be read were left out.");
    }
    if (metrics.completed() > 0 && metrics.completed() < FEW_REQUESTS) {
      add(
          all,
          Kind.RUN,
          "Few requests",
          "A 99th percentile of %s is their slowest one."
              .formatted(Wording.count(metrics.completed(), "request")));
    }
    long backlogNanos = run.timeline().lastWaitingNanos() - run.timeline().lastArrivalNanos();
    // Where nothing was served, what waits is no queue: every step was lost.
    if (metrics.completed() > 0 && backlogNanos > BACKLOG * metrics.durationNanos()) {
      add(
          all,
          Kind.RUN,
          "The load is more than the machine can serve",
          "The last request came after %s s, and requests waited until %s s of %s s: TTFT and E2E are mostly time in the queue, and grow with the length of the trace."
              .formatted(
                  Wording.seconds(run.timeline().lastArrivalNanos()),
                  Wording.seconds(run.timeline().lastWaitingNanos()),
                  Wording.seconds(metrics.durationNanos())));
    }
    String predictor = run.engineConfig().predictor();
    run.report()
        .prediction()
        .filter(figures -> figures.kind().oracle())
        .ifPresent(figures ->
            add(
                all,
                Kind.RUN,
                "The predictor knows the truth",
                "%s is told true output lengths: these figures are an upper bound, nothing that can be deployed."
                    .formatted(predictor)));
    addModel(run, all);
    return all;
  }

  /// Two counts; one that is 0 is left out.
  private static String both(long one, String noun, long other, String otherNoun) {
    StringJoiner text = new StringJoiner(" and ");
    if (one > 0) {
      text.add(Wording.count(one, noun));
    }
    if (other > 0) {
      text.add(Wording.count(other, otherNoun));
    }
    return text.toString();
  }

  private static String reasons(RunMetrics metrics) {
    StringJoiner text = new StringJoiner(", ");
    for (RejectionReason reason : RejectionReason.values()) {
      if (metrics.rejected(reason) > 0) {
        text.add("%,d × %s".formatted(metrics.rejected(reason), Wording.words(reason)));
      }
    }
    return text.toString();
  }

  /// What its cost model does not know.
  private static void addModel(ReportRun run, List<Warning> all) {
    String timeModel = run.config().path("time_model").asText();
    if (timeModel.isEmpty()) {
      return;
    }
    RunMetrics metrics = run.metrics();
    if (timeModel.equals("roofline")) {
      add(
          all,
          Kind.MODEL,
          "Simulated: step times are computed from data sheets",
          "Each step takes the longer of its arithmetic and its reading. Where the two are alike real kernels take up to 1.7 times as long, and prefill chunks are sized to sit there. Nothing was measured on the device.");
    } else {
      add(
          all,
          Kind.MODEL,
          "Simulated: step times come from %s".formatted(timeModel),
          "They are as good as the steps that the profile was fitted to.");
    }
    if (run.summaryCount("extrapolated_steps") > 0) {
      add(
          all,
          Kind.MODEL,
          "%s beyond what was measured"
              .formatted(Wording.count(run.summaryCount("extrapolated_steps"), "step")),
          "They lie outside of what the fitted profile was measured on: their times are extrapolated.");
    }
    if (metrics.swappedOutBlocks() + metrics.offloadedBlocks() > 0) {
      add(
          all,
          Kind.MODEL,
          "Copies cost the device nothing",
          run.config().path("kv").path("copies_per_block").asInt() == 1
              ? "They run beside the steps at the link's bandwidth, a block contiguous over all layers in one copy; vLLM 0.2.7 needs two a layer."
              : "They run at the link's bandwidth and take no arithmetic from the steps.");
    }
    if (metrics.remoteDecodes() > 0) {
      add(
          all,
          Kind.MODEL,
          "Host attention has the host to itself",
          "All of the host's memory bandwidth is taken to be there, and the hand-off of attention takes no link time from copies.");
    }
    add(
        all,
        Kind.MODEL,
        "Every prompt is computed",
        "There is no prefix cache: where prompts repeat, an engine that has one does better than this.");
  }

  private static void compare(List<ReportRun> runs, List<Warning> all) {
    ReportRun first = runs.getFirst();
    if (runs.stream()
        .anyMatch(run ->
            !run.config().path("workload").equals(first.config().path("workload"))
                || run.metrics().arrived() != first.metrics().arrived())) {
      add(
          all,
          Kind.COMPARISON,
          "The runs did not serve the same requests",
          "Their workloads differ, so gains compare more than what is in the table's head. The differences are under Configuration.");
    }
    if (runs.stream()
        .anyMatch(run -> !run.config().path("places").equals(first.config().path("places")))) {
      add(
          all,
          Kind.COMPARISON,
          "The runs did not have the same machine",
          "Places or their blocks differ, so a gain may be the machine's and not the policy's. The differences are under Configuration.");
    }
    if (runs.stream()
        .anyMatch(run -> !run.header().engineVersion().equals(first.header().engineVersion()))) {
      add(
          all,
          Kind.COMPARISON,
          "The runs come from different versions of the engine",
          "The same policy may decide otherwise in each.");
    }
  }

  private static void add(List<Warning> all, Kind kind, String title, String text) {
    all.add(new Warning(kind, title, text, List.of()));
  }
}
