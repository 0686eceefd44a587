package io.fusespill.traces;

/// Token counts of a trace. Percentiles are by nearest rank: the smallest count that at least that
/// share of requests does not exceed. All are 0 for no requests.
public record TokenSummary(long total, int min, double mean, int p50, int p90, int p99, int max) {}
