package io.fusespill.host.exec;

import io.fusespill.host.sampling.Sampler;
import io.fusespill.host.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The tokens of one sequence as the executor knows them.
///
/// A sequence that is recomputed begins a new *life*: steps of an earlier life that are still
/// queued somewhere, be it on a device that has failed, leave it alone. Within a life, one that a
/// step has broken takes nothing more.
public final class Generation {

  /// What became of an offered token.
  public enum Offer {
    /// The life is over, and the token is nobody's.
    REFUSED,
    TAKEN,
    /// It ends the sequence.
    LAST
  }

  private final Supplier<Continuation> begin;
  private final int promptTokens;
  private Continuation continuation;
  private int[] tokens;
  private int size;
  private int life;
  private boolean broken;

  /// One an output token up to the last that has some; of tokens sampled by an earlier process
  /// null.
  private final List<@Nullable TokenLogprobs> logprobs = new ArrayList<>();

  /// @param begin makes a continuation of the bare prompt
  Generation(int[] prompt, Supplier<Continuation> begin) {
    this.begin = begin;
    this.promptTokens = prompt.length;
    this.continuation = begin.get();
    this.tokens = Arrays.copyOf(prompt, prompt.length + 64);
    this.size = prompt.length;
  }

  /// Begins a new life and returns its number.
  ///
  /// @param known tokens that the sequence has; any later ones came from steps that do not count
  synchronized int restart(int known) {
    if (size < known) {
      throw new IllegalStateException(
          "a sequence has %d tokens, of which %d are there".formatted(known, size));
    }
    if (size > known) {
      size = known;
      while (logprobs.size() > known - promptTokens) {
        logprobs.removeLast();
      }
      continuation = begin.get();
      for (int i = promptTokens; i < known; i++) {
        continuation.accept(tokens[i]);
      }
    }
    broken = false;
    return ++life;
  }

  public synchronized int life() {
    return life;
  }

  /// An array that begins with the tokens before `end`; null where they are not there or the life
  /// is over.
  public synchronized int @Nullable [] tokens(int life, int end) {
    return life != this.life || broken || end > size ? null : tokens;
  }

  /// Tokens that are there; 0 where the life is over. A step that goes one beyond them feeds on a
  /// token that a step before it samples.
  public synchronized int known(int life) {
    return life != this.life || broken ? 0 : size;
  }

  /// How the token after `total` tokens is drawn where nothing but the logits decides; null where
  /// the tokens before it do as well, or the request wants to know more of it. Then [#choose].
  public synchronized @Nullable Draw draw(int total) {
    return continuation.draw(total - promptTokens);
  }

  /// Nothing more comes of this life.
  public synchronized void breakOff(int life) {
    broken |= life == this.life;
  }

  /// Chooses the token that comes next; -1 where the logits are of no use.
  public synchronized int choose(Sampler sampler, float[] logits) {
    return continuation.choose(sampler, logits);
  }

  /// What the request wants to know of a token picked from these logits; null where it asks
  /// nothing.
  public synchronized @Nullable TokenLogprobs describe(Sampler sampler, float[] logits, int token) {
    return continuation.logprobs(sampler, logits, token);
  }

  /// What the request wanted to know of an output token, counted from 0; null where it asked
  /// nothing or an earlier process sampled the token.
  synchronized @Nullable TokenLogprobs logprobs(int position) {
    return position < logprobs.size() ? logprobs.get(position) : null;
  }

  /// Whether it ended with a token or text that ends it, and not only by its length.
  synchronized boolean stopped() {
    return continuation.stopped();
  }

  /// Offers the next output token.
  ///
  /// @param details what the request wants to know of it, null where nothing or it is not known
  public synchronized Offer offer(int life, int token, @Nullable TokenLogprobs details) {
    if (life != this.life || broken) {
      return Offer.REFUSED;
    }
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    if (details != null) {
      while (logprobs.size() < size - promptTokens) {
        logprobs.add(null);
      }
      logprobs.add(details);
    }
    tokens[size++] = token;
    return continuation.accept(token) ? Offer.LAST : Offer.TAKEN;
  }
}
