package io.fusespill.host.exec;

import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.InputEvent.TransferCompleted;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.plan.TransferMode;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.engine.state.EngineState;
import io.fusespill.host.sampling.SamplingParams;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Has the first device of a configuration run steps and copies that somebody made up, with no
/// engine and no requests, and tells what they took by the events that a run's log would have:
/// `RunStarted`, then steps and transfers planned and completed.
///
/// Tokens are random, and so are the blocks that a sequence has; each sequence has blocks of its
/// own, so that nothing is read from a cache that would not be in a run. For one thread.
public final class DeviceBench implements AutoCloseable {

  /// A sequence's part of a step.
  ///
  /// @param before tokens of the sequence that have KV
  /// @param tokens that the step computes, at least 1; a single one behind others is a decode
  public record Part(int before, int tokens) {

    /// Tokens of the sequence once the step is done.
    public int after() {
      return before + tokens;
    }

    /// Whether it goes on by one token behind others.
    public boolean isDecode() {
      return before > 0 && tokens == 1;
    }
  }

  /// Blocks copied between two places.
  ///
  /// @param from place
  /// @param to place
  public record Copy(int from, int to, int blocks) {}

  private static final SamplingParams GREEDY =
      SamplingParams.parse("{\"temperature\":0,\"ignore_eos\":true}");

  /// What steps and the copies beside them took, in nanoseconds.
  ///
  /// @param steps how long the device was at work on each
  public record Beside(List<Long> steps, List<Long> copies) {}

  /// What a device or a link reports.
  private record Report(
      boolean step, long number, long atNanos, long busyNanos, @Nullable String failure) {}

  private final EngineConfig config;
  private final KvLayout kv;
  private final int vocabulary;
  private final Consumer<EngineEvent> log;
  private final SplittableRandom random;
  private final BlockingQueue<Report> reports = new LinkedBlockingQueue<>();
  private final HostExecutor executor;
  private final long originNanos = System.nanoTime();
  private final int[] shuffled;
  private long step;
  private int transfer;

  /// Takes the memory and starts the device.
  ///
  /// @param setup for the configuration; its first place is the device
  /// @param seed of tokens and of where blocks lie
  /// @param log takes the events
  public DeviceBench(
      HostExecutor.Setup setup, EngineConfig config, long seed, Consumer<EngineEvent> log) {
    this.config = config;
    this.log = log;
    kv = config.kv();
    vocabulary = setup.weights().config().vocabulary();
    random = new SplittableRandom(seed);
    shuffled = shuffled(config.topology().place(0).blocks());
    log.accept(new RunStarted(0, EngineVersion.VERSION, "", seed, config));
    executor = new HostExecutor(setup, config, new Reports(), new EngineState());
  }

  private int[] shuffled(int blocks) {
    int[] order = IntStream.range(0, blocks).toArray();
    for (int i = blocks - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int block = order[i];
      order[i] = order[other];
      order[other] = block;
    }
    return order;
  }

  private final class Reports implements Completions {
    @Override
    public void stepCompleted(int device, long step, Ints ended, Ints sampled, long busyNanos) {
      reports.add(new Report(true, step, now(), busyNanos, null));
    }

    /// Logits of no use take as long as others.
    @Override
    public void sequenceFailed(int device, long step, int sequence, String cause) {}

    @Override
    public void stepFailed(int device, long step, String cause) {
      reports.add(new Report(true, step, now(), 0, cause));
    }

    @Override
    public void transferCompleted(int transfer) {
      reports.add(new Report(false, transfer, now(), 0, null));
    }

    @Override
    public void transferFailed(int transfer, String cause) {
      reports.add(new Report(false, transfer, now(), 0, cause));
    }

    @Override
    public void placeFailed(int place, String cause) {
      reports.add(new Report(false, -1, now(), 0, cause));
    }
  }

  private long now() {
    return System.nanoTime() - originNanos;
  }

  /// Tokens that have room on the device.
  public long capacity() {
    return (long) shuffled.length * kv.blockTokens();
  }

  /// Blocks of the device that the parts' sequences take over a chain of steps.
  public int blocks(List<Part> parts, int steps) {
    return parts.stream().mapToInt(part -> kv.blocks(part.after() + steps)).sum();
  }

  /// Fills the first blocks with KV of prompts, so that nothing is measured over zeros.
  ///
  /// @param blocks at most those of the device
  /// @param done hears how many are
  public void fill(int blocks, Consumer<Integer> done) {
    int most =
        Math.min(config.limits().maxNumBatchedTokens(), config.limits().maxModelTokens() - 1);
    int each = Math.max(1, most / kv.blockTokens());
    for (int first = 0; first < blocks; first += each) {
      int count = Math.min(each, blocks - first);
      Part whole = new Part(0, Math.min(most, count * kv.blockTokens()));
      drive(
          List.of(job(List.of(whole), List.of(generation(whole.after())), 0, 0, first)),
          1,
          false,
          null,
          false);
      done.accept(first + count);
    }
  }

  /// Runs a chain of steps, in each of which decodes go on by a token and prompts are computed
  /// anew.
  ///
  /// @param parts at least one; their sequences' blocks must fit the device
  /// @param depth steps that are queued or run at once, at least 1
  /// @param logged whether the log hears of them
  /// @return how long the device was at work on each
  public List<Long> chain(List<Part> parts, int steps, int depth, boolean logged) {
    return drive(jobs(parts, steps), depth, logged, null, false).steps();
  }

  /// The same with copies meanwhile, one after the other. The log hears of neither.
  public Beside chainBeside(List<Part> parts, int steps, int depth, Copy copy) {
    return drive(jobs(parts, steps), depth, false, copy, true);
  }

  /// One copy as a run has them, of which the log hears: planned as a step ends, while others are
  /// queued, and after the link has had nothing to do.
  ///
  /// @param steps of the chain, the first of which ends before the copy begins
  public void copyBeside(List<Part> parts, int steps, int depth, Copy copy) {
    drive(jobs(parts, steps), depth, false, copy, false);
  }

  /// Copies blocks some times, one after the other, and returns how long each took.
  ///
  /// @param logged whether the log hears of them
  public List<Long> copies(Copy copy, int times, boolean logged) {
    List<Long> nanos = new ArrayList<>(times);
    for (int i = 0; i < times; i++) {
      Flying flying = begin(copy);
      Report report = await();
      nanos.add(end(flying, report, logged));
    }
    return nanos;
  }

  // ------------------------------------------------------------------- jobs

  private List<StepJob> jobs(List<Part> parts, int steps) {
    if (blocks(parts, steps) > shuffled.length) {
      throw new IllegalArgumentException(
          "the sequences take %d blocks, the device has %d"
              .formatted(blocks(parts, steps), shuffled.length));
    }
    List<Generation> chained = new ArrayList<>();
    for (Part part : parts) {
      chained.add(generation(part.after()));
    }
    List<StepJob> jobs = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      List<Generation> each = new ArrayList<>();
      for (int p = 0; p < parts.size(); p++) {
        boolean fresh = i > 0 && !parts.get(p).isDecode();
        each.add(fresh ? generation(parts.get(p).after()) : chained.get(p));
      }
      jobs.add(job(parts, each, i, steps, 0));
    }
    return jobs;
  }

  private Generation generation(int tokens) {
    int[] prompt = random.ints(tokens, 0, vocabulary).toArray();
    return new Generation(
        prompt, () -> new Continuation(GREEDY, List.of(), null, 0, false, new int[0]));
  }

  /// @param index of the step in its chain
  /// @param steps of the chain
  /// @param first where in the shuffled blocks the sequences' begin
  private StepJob job(
      List<Part> parts, List<Generation> generations, int index, int steps, int first) {
    int size = parts.size();
    int[] sequences = new int[size];
    int[] tokens = new int[size];
    int[] computed = new int[size];
    int batched = 0;
    int block = first;
    List<StepJob.Entry> entries = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      Part part = parts.get(i);
      Generation generation = generations.get(i);
      int ahead = part.isDecode() ? index : 0;
      sequences[i] = i;
      tokens[i] = part.tokens();
      computed[i] = part.before() + ahead;
      batched += part.tokens();
      int[] table = new int[kv.blocks(part.after() + ahead)];
      for (int b = 0; b < table.length; b++) {
        table[b] = shuffled[block + b];
      }
      block += kv.blocks(part.after() + steps);
      int life = generation.life();
      entries.add(
          new StepJob.Entry(
              generation,
              life,
              computed[i],
              computed[i] + tokens[i],
              table,
              false,
              List.of(new StepJob.Sample(i, generation, life))));
    }
    StepPlan plan =
        new StepPlan(
            0,
            step++,
            Ints.of(sequences),
            Ints.of(tokens),
            Ints.of(computed),
            Ints.EMPTY,
            List.of(),
            Ints.EMPTY,
            batched);
    return new StepJob(plan, List.of(), entries);
  }

  // ------------------------------------------------------------------ driving

  /// What has been given away and not come back.
  private record Flying(@Nullable StepPlan step, @Nullable TransferPlan transfer, long atNanos) {}

  /// @param logged whether the log hears of the steps
  /// @param again whether the copy is made again and again, from the first step's beginning on;
  ///   else it is made once and the log hears of it
  private Beside drive(
      List<StepJob> jobs, int depth, boolean logged, @Nullable Copy copy, boolean again) {
    List<Long> busy = new ArrayList<>(jobs.size());
    List<Long> copied = new ArrayList<>();
    Deque<Flying> steps = new ArrayDeque<>();
    Flying copying = copy != null && again ? begin(copy) : null;
    int next = 0;
    while (busy.size() < jobs.size() || copying != null) {
      while (next < jobs.size() && steps.size() < depth) {
        StepJob job = jobs.get(next++);
        Flying flying = new Flying(job.plan(), null, now());
        steps.add(flying);
        if (logged) {
          log.accept(new StepPlanned(flying.atNanos(), job.plan(), 0, 0));
        }
        executor.submit(job);
      }
      Report report = await();
      if (report.step()) {
        steps.remove();
        busy.add(report.busyNanos());
        if (logged) {
          log.accept(
              new StepCompleted(
                  report.atNanos(),
                  0,
                  report.number(),
                  Ints.EMPTY,
                  Ints.EMPTY,
                  report.busyNanos()));
        }
        if (copy != null && !again && busy.size() == 1) {
          copying = begin(copy);
        }
      } else if (copy != null && copying != null) {
        copied.add(end(copying, report, !again));
        copying = again && busy.size() < jobs.size() ? begin(copy) : null;
      }
    }
    return new Beside(busy, copied);
  }

  private Flying begin(Copy copy) {
    int computes = config.topology().place(copy.from()).computes() ? copy.from() : copy.to();
    int[] device = Arrays.copyOf(shuffled, copy.blocks());
    int[] other = IntStream.range(0, copy.blocks()).toArray();
    boolean out = copy.from() == computes;
    TransferPlan plan =
        new TransferPlan(
            transfer++,
            config.topology().place(out ? copy.to() : copy.from()).kind() == PlaceKind.HOST
                ? out ? TransferKind.SWAP_OUT : TransferKind.SWAP_IN
                : TransferKind.OFFLOAD,
            TransferMode.ASYNC,
            copy.from(),
            copy.to(),
            Ints.of(0),
            Ints.of(out ? device : other),
            Ints.of(out ? other : device));
    Flying flying = new Flying(null, plan, now());
    executor.transfer(plan);
    return flying;
  }

  private long end(Flying flying, Report report, boolean logged) {
    TransferPlan plan = Objects.requireNonNull(flying.transfer());
    if (logged) {
      log.accept(new TransferPlanned(flying.atNanos(), plan));
      log.accept(new TransferCompleted(report.atNanos(), plan.transfer()));
    }
    return report.atNanos() - flying.atNanos();
  }

  private Report await() {
    try {
      Report report = reports.take();
      if (report.failure() != null) {
        throw new IllegalStateException(
            "%s: %s"
                .formatted(
                    report.step() ? "step " + report.number() : "copy " + report.number(),
                    report.failure()));
      }
      return report;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    }
  }

  /// Ends the device and gives the memory back.
  @Override
  public void close() {
    executor.close();
  }
}
