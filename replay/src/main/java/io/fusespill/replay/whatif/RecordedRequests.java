package io.fusespill.replay.whatif;

import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.ConfigurationChanged;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RequestCancelled;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.replay.whatif.LengthsCsv.Lengths;
import io.fusespill.sim.Arrival;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The requests of a log, as a fold over its events: when they came, what they asked for, when they
/// were given up, and how long their outputs were as far as the log tells.
///
/// A log tells an output's length only where a step came to its end. Of a request that was cut at a
/// limit, given up or turned away before, it says that no end was seen. [#arrivals] says what is
/// taken instead. Keeps something of each request of the run.
public final class RecordedRequests {

  /// Stands for an output to whose end no run comes: longer than any model allows.
  public static final int ENDLESS = EngineLimits.MAX_TOKENS;

  private static final int UNKNOWN = 0;

  private static final class Recorded {
    final RequestArrived arrived;
    final boolean hintIsTrue;
    long cancelledNanos = Arrival.NEVER;
    int outputTokens = UNKNOWN;
    int seenTokens;
    boolean cut;

    Recorded(RequestArrived arrived, boolean hintIsTrue) {
      this.arrived = arrived;
      this.hintIsTrue = hintIsTrue;
    }
  }

  private final List<Recorded> requests = new ArrayList<>();
  private final List<Recorded> bySequence = new ArrayList<>();
  private final BitSet ended = new BitSet();
  private final Map<Integer, Deque<StepPlan>> flights = new TreeMap<>();
  private boolean oracle;
  private int maxModelTokens;
  private int assumed;
  private int typicalTokens;

  /// Takes the next event of the log.
  public void accept(EngineEvent event) {
    if (event instanceof StepPlanned planned) {
      flights
          .computeIfAbsent(planned.plan().device(), device -> new ArrayDeque<>())
          .add(planned.plan());
    } else if (event instanceof StepCompleted completed) {
      complete(completed);
    } else if (event instanceof StepFailed failed) {
      flight(failed.device());
    } else if (event instanceof RequestArrived arrived) {
      arrive(arrived);
    } else if (event instanceof RequestCancelled cancelled) {
      Recorded request = requests.get(cancelled.request());
      if (request.cancelledNanos == Arrival.NEVER) {
        request.cancelledNanos = cancelled.atNanos();
      }
    } else if (event instanceof SequenceFinished finished) {
      bySequence.get(finished.sequence()).cut |= finished.reason() == FinishReason.LENGTH;
    } else if (event instanceof RunStarted started) {
      oracle = PredictorKind.named(started.config().predictor()).oracle();
      maxModelTokens = started.config().limits().maxModelTokens();
    } else if (event instanceof ConfigurationChanged changed) {
      oracle = PredictorKind.named(changed.config().predictor()).oracle();
    }
  }

  private void arrive(RequestArrived arrived) {
    Recorded request = new Recorded(arrived, oracle);
    requests.add(request);
    for (int i = 0; i < arrived.samples(); i++) {
      bySequence.add(request);
    }
  }

  private StepPlan flight(int device) {
    StepPlan plan = flights.getOrDefault(device, new ArrayDeque<>()).poll();
    if (plan == null) {
      throw new IllegalStateException(
          "a step ends on place %d where none is in flight".formatted(device));
    }
    return plan;
  }

  /// Steps that were queued before a sequence's end was known compute it once more, and an executor
  /// may call that an end too: the first one counts.
  private void complete(StepCompleted completed) {
    StepPlan plan = flight(completed.device());
    for (int i = 0; i < plan.size(); i++) {
      Recorded request = bySequence.get(plan.sequences().get(i));
      int context = plan.computedTokens().get(i) + plan.newTokens().get(i);
      request.seenTokens =
          Math.max(request.seenTokens, context - request.arrived.promptTokens() + 1);
    }
    for (int i = 0; i < completed.ended().size(); i++) {
      int sequence = completed.ended().get(i);
      if (ended.get(sequence)) {
        continue;
      }
      ended.set(sequence);
      Recorded request = bySequence.get(sequence);
      int entry = entryOf(plan, sequence);
      int output =
          entry < 0
              ? 1
              : plan.computedTokens().get(entry)
                  + plan.newTokens().get(entry)
                  - request.arrived.promptTokens()
                  + 1;
      request.outputTokens = Math.max(request.outputTokens, output);
    }
  }

  /// Index of the sequence's entry, or -1: a sample forks, and perhaps ends, in the step of
  /// another.
  private static int entryOf(StepPlan plan, int sequence) {
    for (int i = 0; i < plan.size(); i++) {
      if (plan.sequences().get(i) == sequence) {
        return i;
      }
    }
    return -1;
  }

  /// Requests that arrived.
  public int size() {
    return requests.size();
  }

  /// The requests in order, ready to arrive again.
  ///
  /// Where the log has not seen an output's end, `known` says its length. Where that does not know
  /// either: one that was given up or cut at a limit has no end; any other is taken to be as long
  /// as the median of those known, and longer than what was seen of it.
  ///
  /// @param known true lengths by request that were kept beside the log
  public List<Arrival> arrivals(Map<Integer, Lengths> known) {
    int[] lengths = new int[requests.size()];
    int told = 0;
    for (Recorded request : requests) {
      int tokens = outputTokens(request, known);
      if (tokens != UNKNOWN) {
        lengths[told++] = tokens;
      }
    }
    Arrays.sort(lengths, 0, told);
    typicalTokens = told == 0 ? 1 : lengths[told / 2];
    assumed = 0;
    List<Arrival> arrivals = new ArrayList<>(requests.size());
    for (Recorded request : requests) {
      arrivals.add(arrival(request, known));
    }
    return arrivals;
  }

  private static int outputTokens(Recorded request, Map<Integer, Lengths> known) {
    Lengths beside = known.get(request.arrived.request());
    if (request.outputTokens != UNKNOWN) {
      return request.outputTokens;
    }
    if (beside != null) {
      return beside.outputTokens();
    }
    return request.hintIsTrue ? request.arrived.hintTokens() : UNKNOWN;
  }

  private Arrival arrival(Recorded request, Map<Integer, Lengths> known) {
    RequestArrived arrived = request.arrived;
    int output = outputTokens(request, known);
    if (output == UNKNOWN) {
      boolean goesOn = request.cut || request.cancelledNanos != Arrival.NEVER;
      output = goesOn ? ENDLESS : Math.max(typicalTokens, request.seenTokens + 1);
      assumed++;
    }
    Lengths beside = known.get(arrived.request());
    int declared =
        beside != null
            ? beside.declaredOutputTokens()
            : request.hintIsTrue ? 0 : arrived.hintTokens();
    return new Arrival(
        arrived.atNanos(),
        arrived.promptTokens(),
        arrived.samples(),
        arrived.maxOutputTokens() == maxModelTokens
            ? Arrival.NO_MAXIMUM
            : arrived.maxOutputTokens(),
        declared,
        output,
        request.cancelledNanos == Arrival.NEVER
            ? Arrival.NEVER
            : request.cancelledNanos - arrived.atNanos(),
        new Prompt(arrived.prompt().ids(), arrived.prompt().tokensPerId(), ""));
  }

  /// Requests whose length [#arrivals] had to assume.
  public int assumed() {
    return assumed;
  }

  /// Output tokens assumed for a request of which nothing was seen: the median of those known.
  public int typicalTokens() {
    return typicalTokens;
  }
}
