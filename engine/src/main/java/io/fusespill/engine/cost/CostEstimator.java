package io.fusespill.engine.cost;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.state.EngineView;
import java.util.List;

/// What a policy believes that steps and copies take, in nanoseconds, from the configuration's
/// coefficients alone. It never sees what they really take.
///
/// An estimate is at most [#NANOS_MAX], whatever the coefficients. Immutable, so any thread may
/// ask.
public final class CostEstimator {

  /// Over an hour: more than any step or copy is worth, and little enough for a policy to multiply
  /// by the tokens of a sequence.
  public static final long NANOS_MAX = 1L << 42;

  private static final long PICOS = 1_000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final List<StepCosts> costs;
  private final Topology topology;
  private final long[][] blockNanos;
  private final List<List<Link>> channels;

  /// @throws IllegalArgumentException if the configuration has no step costs
  public CostEstimator(EngineConfig config) {
    costs = config.costs();
    if (costs.isEmpty()) {
      throw new IllegalArgumentException(
          "the configuration has no step costs, and policy %s estimates from them"
              .formatted(config.policy().name()));
    }
    topology = config.topology();
    channels = topology.links().stream().map(topology::sharing).toList();
    int places = topology.places().size();
    blockNanos = new long[places][places];
    for (Link link : topology.links()) {
      double bytes = config.kv().blockBytes() * NANOS_PER_SECOND / link.bytesPerSecond();
      blockNanos[link.from()][link.to()] =
          Math.max(
              1, cap(plus((long) bytes, times(config.kv().copiesPerBlock(), link.copyNanos()))));
    }
  }

  /// Time of a step of `device`: `overhead + max(weights, tokens · linear) + max(head, rows · head)
  /// + max(local, remote attention) + pairs · pair + tokens · token`.
  ///
  /// @param host the place that attends for the load's remote rows; anything where there are none
  /// @param sharing devices for which that host attends at the same time
  public long stepNanos(int device, StepLoad load, int host, int sharing) {
    if (load.tokens == 0) {
      return 0;
    }
    StepCosts c = costs.get(device);
    long linear = Math.max(c.weightNanos(), nanos(times(load.tokens, c.linearPicos())));
    long head = Math.max(c.headNanos(), nanos(times(load.rows, c.headPicos())));
    long attention =
        nanos(plus(times(load.context, c.contextPicos()), times(load.decodes, c.decodePicos())));
    if (load.remoteRows > 0) {
      attention =
          Math.max(attention, attendNanos(host, load.remoteRows, load.remoteContext, sharing));
    }
    return cap(
        c.overheadNanos()
            + linear
            + head
            + attention
            + nanos(plus(times(load.pairs, c.pairPicos()), times(load.tokens, c.tokenPicos()))));
  }

  /// Time that `host` takes to attend for `rows` sequences with `context` tokens of KV together.
  public long attendNanos(int host, int rows, long context, int sharing) {
    StepCosts c = costs.get(host);
    long reading = times(times(context, c.contextPicos()), sharing);
    return cap(c.overheadNanos() + nanos(plus(times(rows, c.decodePicos()), reading)));
  }

  /// Tokens of a step beyond which arithmetic takes longer than reading the weights. In this model
  /// a token of prefill costs next to nothing up to here; on a GPU it costs about half of what it
  /// costs alone.
  public int ridgeTokens(int device) {
    StepCosts c = costs.get(device);
    return c.linearPicos() == 0
        ? Integer.MAX_VALUE
        : (int) Math.min(Integer.MAX_VALUE, c.weightNanos() * PICOS / c.linearPicos());
  }

  /// Arithmetic of prefilling `tokens` tokens, of which `free` ride along with weights that are
  /// read anyway.
  public long prefillNanos(int device, int tokens, int free) {
    StepCosts c = costs.get(device);
    long pairs = (long) tokens * (tokens + 1L) / 2;
    long linear = times(Math.max(0, tokens - free), c.linearPicos());
    return nanos(plus(linear, plus(times(pairs, c.pairPicos()), times(tokens, c.tokenPicos()))));
  }

  /// What one more decoding sequence with `context` tokens adds to a step.
  public long decodeNanos(int device, long context) {
    StepCosts c = costs.get(device);
    return nanos(
        plus(times(context, c.contextPicos()), c.decodePicos() + c.tokenPicos() + c.headPicos()));
  }

  /// Time to copy `blocks` blocks over an idle link, 0 where there is none.
  public long copyNanos(int from, int to, long blocks) {
    return cap(times(blocks, blockNanos[from][to]));
  }

  private static long nanos(long picos) {
    return cap(picos / PICOS);
  }

  private static long cap(long nanos) {
    return Math.min(NANOS_MAX, nanos);
  }

  /// The product of two numbers that are not negative, or the largest number there is.
  private static long times(long a, long b) {
    return Math.multiplyHigh(a, b) == 0 && a * b >= 0 ? a * b : Long.MAX_VALUE;
  }

  /// The sum of two numbers that are not negative, or the largest number there is.
  private static long plus(long a, long b) {
    return a + b < 0 ? Long.MAX_VALUE : a + b;
  }

  /// Time until a copy of `blocks` blocks is through, behind what is under way on the link and on
  /// those that share its channel; 0 where there is no link.
  public long queuedNanos(EngineView view, int from, int to, int blocks) {
    int link = topology.linkIndex(from, to);
    if (link < 0) {
      return 0;
    }
    long nanos = copyNanos(from, to, blocks);
    for (Link busy : channels.get(link)) {
      nanos += copyNanos(busy.from(), busy.to(), view.blocksInTransit(busy.from(), busy.to()));
    }
    return nanos;
  }
}
