package io.fusespill.traces;

import java.util.Arrays;

/// How often each token count was seen: one number for each count up to the largest seen, so 1 MB
/// for a trace of 131,072-token prompts.
final class TokenHistogram {

  private long[] times = new long[1024];
  private long requests;
  private long total;

  void add(int tokens) {
    if (tokens >= times.length) {
      times = Arrays.copyOf(times, Math.max(tokens + 1, 2 * times.length));
    }
    times[tokens]++;
    requests++;
    total += tokens;
  }

  TokenSummary summary() {
    return new TokenSummary(
        total,
        atRank(Math.min(requests, 1)),
        requests == 0 ? 0 : (double) total / requests,
        percentile(50),
        percentile(90),
        percentile(99),
        atRank(requests));
  }

  private int percentile(int percent) {
    return atRank(Math.ceilDiv(requests * percent, 100));
  }

  /// The count of the request at `rank` from 1 in rising order.
  private int atRank(long rank) {
    int tokens = 0;
    for (long seen = times[0]; seen < rank && tokens < times.length - 1; seen += times[tokens]) {
      tokens++;
    }
    return tokens;
  }
}
