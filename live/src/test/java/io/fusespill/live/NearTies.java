package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.plan.Ints;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.kernel.WorkerPool;
import io.fusespill.host.model.Batch;
import io.fusespill.host.model.HostModel;
import io.fusespill.host.model.KvPool;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenCounts;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// Whether two runs in f16 are the same but for near ties: where two outputs part, the logits of
/// this machine's cores in float32 lead to either token once each is moved by no more than half of
/// 0.1 or, where logits are large, a hundredth of what they are on average. A draw goes through the
/// tokens in the order of their ids: it leads to those between two that it has led to, too, however
/// small their share is.
///
/// Measured on a GPU, outputs with and without spills part where logits are within 0.02 if these
/// are 2 on average (their square mean), and within 0.2 if they are 10. In bf16 it is eight times
/// as much, and says little then.
final class NearTies implements AutoCloseable {

  private static final double ERROR = 0.05;
  private static final double SHARE = 0.01;
  private static final int TRIES = 2_000;
  private static final int SHARES_MAX = 8;

  /// Of all tokens; the rest lies behind a near tie.
  private static final double COMPARED_MIN = 0.25;

  private final ModelConfig config;
  private final ModelWeights weights;
  private final WorkerPool workers = WorkerPool.of(2);
  private final HostModel model;
  private final Sampler sampler;

  private NearTies(Checkpoint checkpoint) {
    config = checkpoint.config();
    weights = ModelWeights.of(config, checkpoint);
    model = new HostModel(weights, workers);
    sampler = new Sampler(config.vocabulary());
  }

  static void requireAlike(
      Checkpoint checkpoint, List<TextRequest> requests, List<Output> some, List<Output> others) {
    assertThat(others).hasSameSizeAs(some);
    long all = 0;
    long compared = 0;
    try (NearTies ties = new NearTies(checkpoint)) {
      for (int i = 0; i < some.size(); i++) {
        Output one = some.get(i);
        Output other = others.get(i);
        assertThat(other.rejection()).isEqualTo(one.rejection());
        assertThat(other.samples()).hasSameSizeAs(one.samples());
        for (int s = 0; s < one.samples().size(); s++) {
          all += one.samples().get(s).tokens().size();
          compared +=
              ties.requireAlike(
                  requests.get(one.request()), one.samples().get(s), other.samples().get(s));
        }
      }
    }
    assertThat(compared)
        .as("tokens compared of %d", all)
        .isGreaterThan((long) (COMPARED_MIN * all));
  }

  /// Returns how many tokens are the same.
  private int requireAlike(TextRequest request, Output.Sample one, Output.Sample other) {
    Ints some = one.tokens();
    Ints others = other.tokens();
    int common = Math.min(some.size(), others.size());
    for (int i = 0; i < common; i++) {
      if (some.get(i) != others.get(i)) {
        assertThat(distance(request, one.sample(), some, i, some.get(i), others.get(i)))
            .as(
                "sample %d of a request parts at token %d, %d or %d: what logits must move by, as a share of what they may",
                one.sample(), i, some.get(i), others.get(i))
            .isLessThanOrEqualTo(1);
        return i;
      }
    }
    assertThat(other).isEqualTo(one);
    return common;
  }

  /// By how much logits must be moved for either token, in whole shares of what they may be; 99 for
  /// more than eight of them.
  private int distance(
      TextRequest request, int sample, Ints output, int position, int one, int other) {
    float[] logits = logits(request.promptIds(), output, position);
    TokenCounts counts = new TokenCounts();
    for (int i = 0; i < request.promptIds().size(); i++) {
      counts.addPrompt(request.promptIds().get(i));
    }
    for (int i = 0; i < position; i++) {
      counts.addOutput(output.get(i));
    }
    double error = error(logits);
    for (int share = 1; share <= SHARES_MAX; share++) {
      if (isTie(logits, share * error, request.params(), counts, sample, position, one, other)) {
        return share;
      }
    }
    return 99;
  }

  private boolean isTie(
      float[] logits,
      double error,
      SamplingParams params,
      TokenCounts counts,
      int sample,
      int position,
      int one,
      int other) {
    Random random = new Random(position);
    boolean oneSeen = false;
    boolean otherSeen = false;
    int lowest = Integer.MAX_VALUE;
    int highest = -1;
    for (int i = 0; i < TRIES; i++) {
      float[] moved = moved(logits, error, random, i, random.nextBoolean() ? one : other);
      int token = next(moved, params, counts, sample, position);
      oneSeen |= token == one;
      otherSeen |= token == other;
      lowest = Math.min(lowest, token);
      highest = Math.max(highest, token);
      if (oneSeen && otherSeen
          || !params.greedy()
              && lowest <= Math.min(one, other)
              && highest >= Math.max(one, other)) {
        return true;
      }
    }
    return false;
  }

  private double error(float[] logits) {
    double squares = 0;
    for (float logit : logits) {
      squares += (double) logit * logit;
    }
    return Math.max(ERROR, SHARE * Math.sqrt(squares / logits.length));
  }

  private int next(
      float[] logits, SamplingParams params, TokenCounts counts, int sample, int position) {
    return sampler.next(logits, 0, params, counts, config.eosIds(), sample, position);
  }

  /// Each by chance or, which moves a draw the farthest, all below some token one way and the rest
  /// the other; that token is often `near`.
  private static float[] moved(float[] logits, double error, Random random, int attempt, int near) {
    float[] moved = logits.clone();
    int turn = random.nextInt(4) > 0 ? near + random.nextInt(2) : random.nextInt(logits.length);
    double most = error * random.nextDouble();
    double first = attempt % 4 == 1 ? most : -most;
    for (int i = 0; i < moved.length; i++) {
      double by =
          attempt % 2 == 0 ? error * (2 * random.nextDouble() - 1) : i < turn ? first : -first;
      moved[i] += (float) by;
    }
    return moved;
  }

  private float[] logits(Ints prompt, Ints output, int outputs) {
    int count = prompt.size() + outputs;
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = i < prompt.size() ? prompt.get(i) : output.get(i - prompt.size());
    }
    KvShape shape = KvShape.of(config, 16, ElementType.F32);
    int[] table = IntStream.range(0, shape.blocks(count)).toArray();
    float[] logits = new float[config.vocabulary()];
    try (KvPool pool = KvPool.of(shape, table.length)) {
      Batch batch = new Batch();
      int entry = batch.add(tokens, 0, count, 0, table, true, false);
      model.forward(batch, pool, null);
      model.copyLogits(entry, logits);
    }
    return logits;
  }

  @Override
  public void close() {
    model.close();
    workers.close();
    weights.close();
  }
}
