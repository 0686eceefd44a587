package io.fusespill.live;

import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.journal.live.InboxFullException;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.journal.live.RequestListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Requests sent to an engine when they are due, and what comes back of them.
///
/// Requests are numbered in the order of the list, by the engine too: it must have no other
/// clients.
public final class LiveBatch {

  /// Hears each token behind the journal, on the thread that dispatches.
  @FunctionalInterface
  public interface TokenListener {

    /// @param token id, or -1 when the sample has ended, be it that it never began
    /// @param logprobs what the request asked to know of the token; null where it asked nothing or
    ///   an earlier process sampled it
    void token(int request, int sample, int token, @Nullable TokenLogprobs logprobs);
  }

  private static final long PARK_NANOS = 200_000;

  /// How long the sender sleeps before it looks whether the engine still works.
  private static final long LOOK_NANOS = 10_000_000;

  private final List<TextRequest> requests;
  private final TokenListener tokens;
  private final Map<Integer, Collector> collectors = new TreeMap<>();
  private final AtomicInteger endedRequests = new AtomicInteger();
  private volatile Supplier<@Nullable HostExecutor> executor = () -> null;
  private long timeoutNanos;

  public LiveBatch(List<TextRequest> requests, TokenListener tokens) {
    this.requests = List.copyOf(requests);
    this.tokens = tokens;
  }

  /// @throws LiveException if a model of that kind cannot serve one of the requests
  void check(int vocabulary, boolean text) {
    for (int i = 0; i < requests.size(); i++) {
      requests.get(i).check(i, vocabulary, text);
    }
  }

  /// Says who knows more of tokens than the engine. Before the first request is sent.
  void ask(Supplier<@Nullable HostExecutor> executor) {
    this.executor = executor;
  }

  /// The listener of a request that a journal has already: it hears everything again.
  ///
  /// @throws LiveException if the batch has no such request
  public RequestListener recorded(RequestArrived arrived) {
    int request = arrived.request();
    if (request >= requests.size()
        || !requests.get(request).promptIds().equals(arrived.prompt().ids())) {
      throw new LiveException(
          "request %d of the journal is not the one of the list of requests".formatted(request));
    }
    Collector collector = collector(request);
    collector.sentNanos = arrived.atNanos();
    return collector;
  }

  private synchronized Collector collector(int request) {
    Collector collector = new Collector(request);
    collectors.put(request, collector);
    return collector;
  }

  private synchronized List<Collector> recorded() {
    return new ArrayList<>(collectors.values());
  }

  /// Has [#send(LiveEngine, int, long)] give up each request that has not ended so long after it
  /// was sent.
  ///
  /// @param timeoutNanos 0 for never
  public LiveBatch givingUpAfter(long timeoutNanos) {
    this.timeoutNanos = timeoutNanos;
    return this;
  }

  /// After what time a request is given up; 0 for never.
  public long timeoutNanos() {
    return timeoutNanos;
  }

  /// Sends the requests from number `first` on when they are due.
  ///
  /// @param startNanos when the run began, by [System#nanoTime]
  public void send(LiveEngine engine, int first, long startNanos) {
    if (timeoutNanos > 0) {
      sendImpatiently(engine, startNanos);
    } else {
      send(engine, first, requests.size(), startNanos);
    }
  }

  /// Sends the requests from number `first` to before `end` when they are due.
  ///
  /// @param startNanos when the run began, by [System#nanoTime]
  /// @throws io.fusespill.journal.EngineStoppedException as soon as the engine has failed, be it
  ///   long before the next request is due
  public void send(LiveEngine engine, int first, int end, long startNanos) {
    CompletableFuture<Void> termination = engine.termination();
    for (int i = first; i < end; i++) {
      TextRequest request = requests.get(i);
      long due = startNanos + request.arrivalNanos();
      for (long rest = due - System.nanoTime();
          rest > 0 && !termination.isDone();
          rest = due - System.nanoTime()) {
        LockSupport.parkNanos(Math.min(rest, LOOK_NANOS));
      }
      submit(engine, request, collector(i));
    }
  }

  /// Sends the requests that no journal has when they are due, and gives up each that has not ended
  /// in time. Returns when all have ended or were given up, or the engine has failed.
  private void sendImpatiently(LiveEngine engine, long startNanos) {
    CompletableFuture<Void> termination = engine.termination();
    List<Collector> sent = recorded();
    int watched = 0;
    while (watched < requests.size() && !termination.isDone()) {
      long now = System.nanoTime() - startNanos;
      int next = sent.size();
      if (next < requests.size() && now >= requests.get(next).arrivalNanos()) {
        Collector collector = collector(next);
        collector.sentNanos = now;
        submit(engine, requests.get(next), collector);
        sent.add(collector);
      } else if (watched < next
          && (sent.get(watched).ended
              || (now - sent.get(watched).sentNanos >= timeoutNanos
                  && giveUp(engine, sent.get(watched))))) {
        watched++;
      } else {
        LockSupport.parkNanos(PARK_NANOS);
      }
    }
  }

  /// False where it must be tried again.
  private static boolean giveUp(LiveEngine engine, Collector collector) {
    if (!collector.arrived) {
      return false;
    }
    try {
      engine.cancel(collector.request);
      return true;
    } catch (InboxFullException e) {
      return false;
    }
  }

  private static void submit(LiveEngine engine, TextRequest request, RequestListener listener) {
    while (true) {
      try {
        engine.submit(request.live(), listener);
        return;
      } catch (InboxFullException e) {
        LockSupport.parkNanos(PARK_NANOS);
      }
    }
  }

  /// Requests in the list.
  public int size() {
    return requests.size();
  }

  /// Requests that have ended or were turned away so far.
  public int ended() {
    return endedRequests.get();
  }

  /// What became of each request that was sent, in order. For after the engine has stopped.
  public synchronized List<Output> outputs() {
    return collectors.values().stream().map(Collector::output).toList();
  }

  private final class Collector implements RequestListener {

    private final int request;
    private final Map<Integer, Sample> samples = new TreeMap<>();
    private final BitSet open = new BitSet();
    private int firstSequence;

    /// Since the run began.
    private volatile long sentNanos;

    private volatile boolean arrived;
    private volatile boolean ended;
    private @Nullable RejectionReason rejection;

    Collector(int request) {
      this.request = request;
      open.set(0, requests.get(request).params().n());
    }

    @Override
    public void arrived(int number, int firstSequence) {
      if (number != request) {
        throw new IllegalStateException(
            "request %d has number %d: somebody else sends requests, too"
                .formatted(request, number));
      }
      this.firstSequence = firstSequence;
      arrived = true;
    }

    @Override
    public void sampled(int sequence, int token) {
      Sample sample = sample(sequence);
      HostExecutor asked = executor.get();
      TokenLogprobs known = asked == null ? null : asked.logprobs(sequence, sample.size);
      sample.add(token);
      tokens.token(request, sequence - firstSequence, token, known);
    }

    @Override
    public void finished(int sequence, FinishReason reason, boolean last) {
      Sample sample = sample(sequence);
      sample.reason =
          reason == FinishReason.STOP || reason == FinishReason.LENGTH
              ? asClientsSeeIt(reason, sequence, sample.size)
              : reason;
      end(sequence - firstSequence);
      if (last) {
        endAll();
      }
    }

    private FinishReason asClientsSeeIt(FinishReason reason, int sequence, int tokens) {
      HostExecutor asked = executor.get();
      if (asked != null && asked.stopped(sequence)) {
        return FinishReason.STOP;
      }
      boolean full = tokens >= requests.get(request).params().maxTokens();
      return full ? FinishReason.LENGTH : reason;
    }

    @Override
    public void rejected(RejectionReason reason, long needed, long available) {
      rejection = reason;
      endAll();
    }

    private void end(int sample) {
      open.clear(sample);
      tokens.token(request, sample, -1, null);
    }

    private void endAll() {
      open.stream().forEach(sample -> tokens.token(request, sample, -1, null));
      open.clear();
      ended = true;
      endedRequests.incrementAndGet();
    }

    private Sample sample(int sequence) {
      return samples.computeIfAbsent(sequence - firstSequence, number -> new Sample());
    }

    Output output() {
      return new Output(
          request,
          rejection,
          samples.entrySet().stream()
              .map(each ->
                  new Output.Sample(
                      each.getKey(),
                      Ints.copyOf(each.getValue().tokens, each.getValue().size),
                      each.getValue().reason))
              .toList());
    }
  }

  private static final class Sample {
    private int[] tokens = new int[16];
    private int size;
    private FinishReason reason = FinishReason.FAILED;

    void add(int token) {
      if (size == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * size);
      }
      tokens[size++] = token;
    }
  }
}
