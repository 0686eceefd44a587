package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.metrics.RunMetrics;
import io.fusespill.live.LiveRun;
import io.fusespill.replay.RunReport;

/// What vLLM's benchmark_throughput.py prints.
///
/// @param requests completed
/// @param tokens of their prompts and outputs
record Throughput(double seconds, long requests, long tokens) {

  private static final double NANOS_PER_SECOND = 1e9;

  static Throughput of(RunReport report) {
    return since(new LiveRun.Served(0, 0, 0), report);
  }

  /// Of the part of a run that came after `before`.
  static Throughput since(LiveRun.Served before, RunReport report) {
    RunMetrics metrics = report.metrics();
    return new Throughput(
        (metrics.durationNanos() - before.nanos()) / NANOS_PER_SECOND,
        metrics.completed() - before.requests(),
        metrics.promptTokens() + metrics.outputTokens() - before.tokens());
  }

  private double perSecond(long amount) {
    return seconds == 0 ? 0 : amount / seconds;
  }

  String line() {
    return "Throughput: %.2f requests/s, %.2f tokens/s"
        .formatted(perSecond(requests), perSecond(tokens));
  }

  void putInto(ObjectNode json) {
    json.put("elapsed_time", seconds);
    json.put("num_requests", requests);
    json.put("total_num_tokens", tokens);
    json.put("requests_per_second", perSecond(requests));
    json.put("tokens_per_second", perSecond(tokens));
  }
}
