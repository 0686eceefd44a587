package io.fusespill.engine.policy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.state.EngineView;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;

/// Who starts on a device under `fusespill`, and who never can.
final class Admission {

  private static final long UNKNOWN = -1;

  /// How much sooner another device has to be through with a prompt for this one to leave it alone.
  private static final int SOONER = 2;

  private final SpillOptions options;
  private final KvLayout kv;
  private final EngineLimits limits;
  private final Topology topology;
  private final Hosts hosts;
  private final Scenes scenes;
  private final MemoryDemand demand;
  private final ReturnPath way;
  private final MemoryForecast forecast;
  private final MemoryForecast forecastElsewhere;
  private final int blocksMax;
  private final int lookAhead;

  /// @param lookAhead tokens of each decode for which there is to be room
  Admission(
      SpillOptions options,
      EngineConfig config,
      Hosts hosts,
      Scenes scenes,
      MemoryDemand demand,
      ReturnPath way,
      int lookAhead) {
    this.options = options;
    this.hosts = hosts;
    this.scenes = scenes;
    this.demand = demand;
    this.way = way;
    this.lookAhead = lookAhead;
    kv = config.kv();
    limits = config.limits();
    topology = config.topology();
    forecast = new MemoryForecast(kv);
    forecastElsewhere = new MemoryForecast(kv);
    blocksMax =
        topology.places().stream()
            .filter(Place::computes)
            .mapToInt(Place::blocks)
            .max()
            .orElseThrow();
  }

  /// Admits from the front of the queue as long as there is room, and begins the prompts.
  ///
  /// @param remoteRows rows of a host that the step takes, too
  /// @param budget prefill tokens that it has left
  /// @return whether somebody was turned away
  boolean admit(
      Scene scene,
      Decisions decisions,
      StepDraft draft,
      PromptDraft prompts,
      int remoteRows,
      int budget) {
    EngineView view = scene.view();
    int device = scene.device();
    SequenceQueue waiting = view.waiting();
    if (waiting.isEmpty() || budget <= 0) {
      return false;
    }
    boolean changed = false;
    int left = budget;
    int seats = view.seats(device);
    int arrival = way.stepsUntilAllArrived(scene);
    int tokensAhead = lookAhead + arrival;
    int reserve = demand.growth(view, device, tokensAhead);
    boolean predicted = options.admission() == SpillOptions.Admission.PREDICTED;
    if (predicted) {
      forecast.fill(view, device);
    }
    int watermark = watermark(view, device);
    while (!waiting.isEmpty() && left > 0 && draft.size() + remoteRows < limits.maxNumSeqs()) {
      Sequence head = waiting.get(0);
      if (impossible(head)) {
        if (!turnAwayHeads(view, decisions, draft)) {
          break;
        }
        changed = true;
        continue;
      }
      int reserved = draft.reserved(device);
      int kept = view.keptBlocks(head, device, reserved);
      int need =
          kv.blocks(head.totalTokens() + (arrival == 0 ? 0 : tokensAhead))
              - view.heldBlocks(head, device, kept, reserved);
      boolean empty = arrival == 0 && view.residents(device).isEmpty() && draft.size() == 0;
      if (seats + head.seats() > limits.maxNumSeqs()
          || need > draft.free()
          || (!empty && need + reserve + watermark > draft.free())
          || (predicted && !empty && !fits(forecast, view, device, head))) {
        break;
      }
      if (soonerElsewhere(view, device, head)) {
        break;
      }
      if (predicted && empty) {
        forecast.add(head, view.lengths());
      }
      decisions.admit(head, device, kept);
      int tokens = prompts.add(head, draft, left);
      left -= tokens;
      seats += head.seats();
      int computed = kept * kv.blockTokens() + tokens;
      int grown = Math.max(head.totalTokens(), computed + tokensAhead);
      reserve += kv.blocks(grown) - kv.blocks(computed);
    }
    return changed;
  }

  /// Whether another device has room for the sequence and would be done with its prompt in less
  /// than half the time: a slow one would keep it from there.
  private boolean soonerElsewhere(EngineView view, int device, Sequence head) {
    long here = UNKNOWN;
    for (Place place : topology.places()) {
      int other = place.id();
      if (!place.computes() || other == device || !wouldAdmit(view, other, head, other > device)) {
        continue;
      }
      if (here == UNKNOWN) {
        here = promptNanos(view, device, head);
      }
      if (promptNanos(view, other, head) < here / SOONER) {
        return true;
      }
    }
    return false;
  }

  /// Whether `device` will take the sequence when it is asked next, by the tests that it has to
  /// pass there.
  ///
  /// @param later whether it is asked after this one if it is idle
  private boolean wouldAdmit(EngineView view, int device, Sequence head, boolean later) {
    int steps = view.stepsInFlight(device);
    int remoteRows = steps == 0 ? 0 : view.stepInFlight(device, steps - 1).remoteEntries();
    if ((steps == 0 && !later)
        || view.seats(device) + remoteRows + head.seats() > limits.maxNumSeqs()
        || kv.blocks(head.totalTokens())
                + demand.growth(view, device, lookAhead)
                + watermark(view, device)
            > view.pool(device).free()
        || somebodyRests(view, hosts.swapping(device))) {
      return false;
    }
    if (options.admission() != SpillOptions.Admission.PREDICTED) {
      return true;
    }
    forecastElsewhere.fill(view, device);
    return fits(forecastElsewhere, view, device, head);
  }

  private boolean somebodyRests(EngineView view, int host) {
    if (host < 0) {
      return false;
    }
    SequenceQueue residents = view.residents(host);
    for (int i = 0; i < residents.size(); i++) {
      if (!residents.get(i).pinned()) {
        return true;
      }
    }
    int disk = hosts.disk(host);
    return disk >= 0 && !view.residents(disk).isEmpty();
  }

  private int watermark(EngineView view, int device) {
    return options.admission() == SpillOptions.Admission.WATERMARK
        ? MemoryDemand.watermark(view, device)
        : 0;
  }

  /// How long `device` takes until it is through with the prompt, behind what it has begun.
  private long promptNanos(EngineView view, int device, Sequence head) {
    Scene scene = scenes.of(view, device);
    long queued = view.stepsInFlight(device) * scene.stepNanos();
    SequenceQueue running = view.residents(device);
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (!Scenes.isDecode(sequence) && sequence.pendingTokens() > 0) {
        scene.load().addPrefill(sequence.plannedComputedTokens(), sequence.pendingTokens());
      }
    }
    scene.load().addPrefill(0, head.totalTokens());
    return queued + scenes.nanos(scene);
  }

  private static boolean fits(MemoryForecast forecast, EngineView view, int device, Sequence head) {
    forecast.add(head, view.lengths());
    if (forecast.peakBlocks() <= view.pool(device).total()) {
      return true;
    }
    forecast.removeLast();
    return false;
  }

  private boolean impossible(Sequence sequence) {
    return sequence.totalTokens() > limits.maxModelTokens()
        || kv.blocks(sequence.totalTokens()) > blocksMax;
  }

  /// Turns away what waits in front and can never run.
  boolean turnAwayHeads(EngineView view, Decisions decisions, StepDraft draft) {
    boolean rejected = false;
    while (!view.waiting().isEmpty()
        && impossible(view.waiting().get(0))
        && draft.canReject(view, view.waiting().get(0).request())) {
      Sequence sequence = view.waiting().get(0);
      int tokens = sequence.totalTokens();
      if (tokens > limits.maxModelTokens()) {
        decisions.reject(
            sequence.request(), RejectionReason.PROMPT_TOO_LONG, tokens, limits.maxModelTokens());
      } else {
        decisions.reject(
            sequence.request(), RejectionReason.NEVER_FITS, kv.blocks(tokens), blocksMax);
      }
      rejected = true;
    }
    return rejected;
  }
}
