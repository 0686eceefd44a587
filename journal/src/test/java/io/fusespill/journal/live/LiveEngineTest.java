package io.fusespill.journal.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.Engine;
import io.fusespill.engine.EventLog;
import io.fusespill.engine.InputException;
import io.fusespill.engine.codec.EventEncoder;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.Checkpointed;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.Prompt;
import io.fusespill.engine.exec.ExecutorFactory;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.EngineStoppedException;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class LiveEngineTest {

  @TempDir private Path temp;

  static RunStarted run(String policy) {
    EngineConfig config =
        new EngineConfig(
            new KvLayout(4, 1024, 1),
            new EngineLimits(8, 64, 64, 100, 50),
            new Topology(
                List.of(Place.device(0, "gpu", 40), Place.host(1, "host", 60)),
                List.of(new Link(0, 1, 1_000_000, 0), new Link(1, 0, 1_000_000, 0))),
            PolicySpec.of(policy));
    return new RunStarted(0, "test", JournalHeader.of("test", "{}").configDigest(), 1, config);
  }

  private Journal journal() {
    return Journal.create(
        temp.resolve("journal"), JournalHeader.of("test", "{}"), Durability.ASYNC);
  }

  /// Keeps the executor that an engine made, so that the test can close it.
  private static ExecutorFactory delaying(
      AtomicReference<DelayingExecutor> made, int stepFailuresPercent) {
    return (completions, behind) -> {
      made.set(new DelayingExecutor(completions, 7, stepFailuresPercent));
      return made.get();
    };
  }

  @ParameterizedTest
  @CsvSource({"continuous, 0", "continuous, 5", "vllm-0.2.7, 0", "vllm-0.2.7, 5"})
  void racingClients_everyRequestEndsAndTheJournalDecidesAgain(String policy, int failuresPercent)
      throws Exception {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(
            run(policy),
            EnginePipeline.builder().journal(journal()),
            delaying(executor, failuresPercent));
    Collection<Told> all = new ConcurrentLinkedQueue<>();
    List<Thread> clients = new ArrayList<>();
    for (int client = 0; client < 4; client++) {
      long seed = 100 + client;
      clients.add(Thread.startVirtualThread(() -> beClient(engine, new Random(seed), all)));
    }
    for (Thread client : clients) {
      client.join();
    }
    engine.stop();
    executor.get().close();

    assertThat(all).hasSize(4 * 60).allMatch(Told::hasEnded);
    List<byte[]> records = new ArrayList<>();
    List<EngineEvent> events = new ArrayList<>();
    try (JournalReader reader = JournalReader.open(temp.resolve("journal"))) {
      while (reader.next()) {
        records.add(Arrays.copyOf(reader.bytes(), reader.length()));
        events.add(reader.event());
      }
      assertThat(reader.tornTail()).isFalse();
    }
    assertThat(events).hasSize((int) engine.events());
    assertThat(events.getFirst()).isInstanceOf(RunStarted.class);
    assertThat(events.getLast()).isInstanceOf(Checkpointed.class);
    assertSame(decideAgain(events), records);
  }

  private static void beClient(LiveEngine engine, Random random, Collection<Told> all) {
    Told last = null;
    for (int i = 0; i < 60; i++) {
      Told told = new Told();
      engine.submit(
          LiveRequest.of(1 + random.nextInt(3), 1 + random.nextInt(40), 1 + random.nextInt(20)),
          told);
      all.add(told);
      if (last != null && last.request >= 0 && random.nextInt(4) == 0) {
        engine.cancel(last.request);
      }
      last = told;
      pause(random.nextInt(1500));
    }
  }

  private static void pause(int micros) {
    try {
      TimeUnit.MICROSECONDS.sleep(micros);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The records that a new engine comes to with the recorded inputs alone. Policies are asked when
  /// time moves on; the checkpoint that ends a run is asked for from outside.
  static List<byte[]> decideAgain(List<EngineEvent> recorded) {
    List<byte[]> again = new ArrayList<>();
    EventEncoder encoder = new EventEncoder();
    EventLog log =
        event -> {
          int length = encoder.encode(again.size(), event);
          again.add(Arrays.copyOf(encoder.bytes(), length));
          return again.size() - 1;
        };
    Engine engine = new Engine(((RunStarted) recorded.getFirst()).config(), log);
    long batchNanos = 0;
    for (EngineEvent event : recorded) {
      if (event instanceof InputEvent input) {
        if (input.atNanos() > batchNanos) {
          engine.schedule();
          batchNanos = input.atNanos();
        }
        engine.accept(input);
      }
    }
    engine.schedule();
    engine.checkpoint();
    return again;
  }

  static void assertSame(List<byte[]> again, List<byte[]> recorded) {
    for (int i = 0; i < Math.min(again.size(), recorded.size()); i++) {
      assertThat(again.get(i)).as("record %d", i).isEqualTo(recorded.get(i));
    }
    assertThat(again).hasSameSizeAs(recorded);
  }

  @Test
  void stop_letsLiveRequestsRunToTheirEnd() {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(run("continuous"), EnginePipeline.builder(), delaying(executor, 0));
    List<Told> all = submit(engine, 20);
    engine.stop();
    assertThat(all).allMatch(Told::hasEnded);
    assertThat(all)
        .allSatisfy(told -> assertThat(told.reasons).doesNotContain(FinishReason.CANCELLED));
    assertThat(engine.termination()).isCompleted();
    assertThatThrownBy(() -> engine.submit(LiveRequest.of(1, 1, 1), new Told()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the engine is stopping and takes no more requests");
    engine.cancel(0);
    engine.close();
    executor.get().close();
  }

  @Test
  void promptLongerThanARecord_isRefusedAndTheOthersGoOn() {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder().journal(journal()), delaying(executor, 0));
    List<Told> all = submit(engine, 5);
    Random random = new Random(1);
    int[] ids = random.ints(1_500_000, 0, 1 << 20).toArray();
    LiveRequest longest = new LiveRequest(1, ids.length, 1, 0, new Prompt(Ints.of(ids), "{}"));
    assertThatThrownBy(() -> engine.submit(longest, new Told()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("a prompt of 1,500,000 token ids takes 4,4")
        .hasMessageEndingWith(" bytes in a journal, whose records have at most 4,194,304");
    engine.stop();
    executor.get().close();
    assertThat(all).allMatch(Told::hasEnded);
  }

  @Test
  void stopNow_cancelsLiveRequests() throws Exception {
    SilentExecutor executor = new SilentExecutor();
    LiveEngine engine =
        LiveEngine.start(run("continuous"), EnginePipeline.builder(), executor::reportTo);
    List<Told> all = submit(engine, 20);
    StepPlan plan = executor.plans.take();
    Thread stopping = Thread.startVirtualThread(engine::stopNow);
    // Those that no step uses end at once, the others with the step.
    all.getLast().ended.await();
    assertThat(engine.termination()).isNotDone();
    executor.completions.stepCompleted(0, plan.step(), Ints.EMPTY, Ints.EMPTY, 0);
    stopping.join();
    assertThat(all).allMatch(Told::hasEnded);
    assertThat(all.getLast().reasons).containsExactly(FinishReason.CANCELLED);
  }

  @Test
  void close_isStopNow() {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    List<Told> all;
    try (LiveEngine engine =
        LiveEngine.start(run("vllm-0.2.7"), EnginePipeline.builder(), delaying(executor, 0))) {
      all = submit(engine, 100);
    }
    assertThat(all).allMatch(Told::hasEnded);
    executor.get().close();
  }

  @Test
  void stop_idleFromTheStart_leavesStartAndCheckpoint() {
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder(), new SilentExecutor()::reportTo);
    engine.stop();
    assertThat(engine.events()).isEqualTo(2);
    assertThat(engine.bytes()).isPositive();
    assertThat(engine.digest()).hasSize(64);
  }

  @Test
  void inputsOfOneBatch_haveOneTimeAndBatchesNeverTheSame() throws Exception {
    List<EngineEvent> events = new ArrayList<>();
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    // A clock that stands still, and holds the engine while the second batch gathers.
    int[] looks = {0};
    LongSupplier clock =
        () -> {
          if (++looks[0] == 2) {
            blocked.countDown();
            awaitUninterrupted(open);
          }
          return 1000;
        };
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"),
            EnginePipeline.builder().beside("list", (position, event) -> events.add(event)),
            delaying(executor, 0),
            100,
            clock);
    submit(engine, 1);
    blocked.await();
    submit(engine, 3);
    open.countDown();
    engine.stop();
    executor.get().close();
    List<Long> arrivals =
        events.stream()
            .filter(InputEvent.RequestArrived.class::isInstance)
            .map(EngineEvent::atNanos)
            .toList();
    assertThat(arrivals).containsExactly(1L, 2L, 2L, 2L);
  }

  @Test
  void submit_fullInbox_isRefusedNamingTheLimit() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    int[] looks = {0};
    LongSupplier clock =
        () -> {
          if (++looks[0] == 2) {
            blocked.countDown();
            awaitUninterrupted(open);
          }
          return looks[0];
        };
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder(), delaying(executor, 0), 4, clock);
    submit(engine, 1);
    blocked.await();
    List<Told> all = submit(engine, 4);
    assertThatThrownBy(() -> engine.submit(LiveRequest.of(1, 1, 1), new Told()))
        .isInstanceOf(InboxFullException.class)
        .hasMessage(
            "4 client inputs wait for the engine, which is the limit; send this one again later");
    open.countDown();
    engine.stop();
    assertThat(all).allMatch(Told::hasEnded);
    executor.get().close();
  }

  @Test
  void submit_illegal_isRefusedToTheClient() {
    try (LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder(), new SilentExecutor()::reportTo)) {
      assertThatThrownBy(() -> engine.submit(LiveRequest.of(1, 0, 5), new Told()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "1 samples, 0 prompt tokens and a maximum of 5 output tokens: each must be at least 1");
      assertThatThrownBy(() -> engine.cancel(0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("request is 0, must be one of the 0 that have arrived, counted from 0");
    }
  }

  @Test
  void requestThatNeverFits_isRejectedToItsListener() throws Exception {
    try (LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder(), new SilentExecutor()::reportTo)) {
      Told told = new Told();
      engine.submit(LiveRequest.of(1, 10_000, 5), told);
      told.ended.await();
      assertThat(told.reasons).isEmpty();
    }
  }

  @Test
  void executorThatThrows_stopsTheEngineWithTheCause() {
    IllegalStateException cause = new IllegalStateException("no device");
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"),
            EnginePipeline.builder(),
            (completions, behind) ->
                new SilentExecutor() {
                  @Override
                  public void execute(StepPlan plan, List<TransferPlan> before) {
                    throw cause;
                  }
                });
    engine.submit(LiveRequest.of(1, 5, 5), new Told());
    assertThat(engine.termination())
        .failsWithin(100, TimeUnit.SECONDS)
        .withThrowableThat()
        .withRootCauseInstanceOf(IllegalStateException.class)
        .withMessageContaining("no device");
    assertThatThrownBy(() -> engine.submit(LiveRequest.of(1, 5, 5), new Told()))
        .isInstanceOf(EngineStoppedException.class)
        .cause()
        .isSameAs(cause);
    assertThatThrownBy(engine::stop)
        .isInstanceOf(EngineStoppedException.class)
        .hasMessageContaining("dispatch failed at position ")
        .cause()
        .isSameAs(cause);
    engine.close();
  }

  /// Nothing is appended any more, so only the pipeline itself can tell the engine.
  @Test
  void metricsThatThrowWhileIdle_stopTheEngine() {
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"),
            EnginePipeline.builder()
                .beside(
                    "metrics",
                    (position, event) -> {
                      throw new IllegalStateException("no metrics");
                    }),
            new SilentExecutor()::reportTo);
    assertThat(engine.termination())
        .failsWithin(100, TimeUnit.SECONDS)
        .withThrowableThat()
        .withMessageContaining("metrics failed at position 0");
  }

  @Test
  void reportOfAStepNotInFlight_stopsTheEngine() {
    SilentExecutor executor = new SilentExecutor();
    LiveEngine engine =
        LiveEngine.start(run("continuous"), EnginePipeline.builder(), executor::reportTo);
    executor.completions.stepCompleted(0, 17, Ints.EMPTY, Ints.EMPTY, 0);
    assertThat(engine.termination())
        .failsWithin(100, TimeUnit.SECONDS)
        .withThrowableThat()
        .withRootCauseInstanceOf(InputException.class)
        .withMessageContaining("step 17 is not in flight");
  }

  @Test
  void listenerThatThrows_stopsTheEngine() {
    LiveEngine engine =
        LiveEngine.start(
            run("continuous"), EnginePipeline.builder(), new SilentExecutor()::reportTo);
    Told told = new Told();
    told.request = 3;
    engine.submit(LiveRequest.of(1, 5, 5), told);
    assertThat(engine.termination())
        .failsWithin(100, TimeUnit.SECONDS)
        .withThrowableThat()
        .withRootCauseInstanceOf(AssertionError.class);
  }

  @Test
  void start_lateRunStarted_isRefused() {
    RunStarted run = run("continuous");
    RunStarted late =
        new RunStarted(5, run.engineVersion(), run.configDigest(), run.seed(), run.config());
    assertThatThrownBy(
            () -> LiveEngine.start(late, EnginePipeline.builder(), new SilentExecutor()::reportTo))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("RunStarted is at 5 ns, must be at 0: that is when a live run starts");
  }

  private static List<Told> submit(LiveEngine engine, int requests) {
    List<Told> all = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      all.add(new Told());
      engine.submit(LiveRequest.of(2, 10, 10), all.getLast());
    }
    return all;
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
