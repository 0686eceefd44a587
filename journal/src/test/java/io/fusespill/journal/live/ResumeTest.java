package io.fusespill.journal.live;

import static io.fusespill.journal.live.LiveEngineTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.PlaceFailed;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepFailed;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferPlan;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A run goes on from any prefix of its journal, and places that fail take nothing along but their
/// KV.
@Timeout(120)
class ResumeTest {

  private static final int REQUESTS = 40;

  @TempDir private Path temp;

  private record Recorded(List<EngineEvent> events, List<byte[]> records) {}

  private EnginePipeline.Builder pipeline(String name) {
    return EnginePipeline.builder()
        .journal(
            Journal.create(temp.resolve(name), JournalHeader.of("test", "{}"), Durability.ASYNC));
  }

  private Recorded read(String name) {
    Recorded recorded = new Recorded(new ArrayList<>(), new ArrayList<>());
    try (JournalReader reader = JournalReader.open(temp.resolve(name))) {
      while (reader.next()) {
        recorded.events.add(reader.event());
        recorded.records.add(Arrays.copyOf(reader.bytes(), reader.length()));
      }
    }
    return recorded;
  }

  private static LiveRequest request(Random random) {
    return LiveRequest.of(1 + random.nextInt(3), 1 + random.nextInt(40), 1 + random.nextInt(20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"continuous", "vllm-0.2.7"})
  void anyPrefix_goesOnUntilEveryRequestHasEnded(String policy) {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    Random random = new Random(5);
    LiveEngine first =
        LiveEngine.start(
            run(policy),
            pipeline("first"),
            (completions, behind) -> delaying(executor, completions));
    for (int i = 0; i < REQUESTS; i++) {
      first.submit(request(random), new Told());
    }
    first.stop();
    executor.get().close();
    Recorded whole = read("first");
    for (int attempt = 0; attempt < 12; attempt++) {
      int cut = attempt == 0 ? 1 : 1 + random.nextInt(whole.events.size());
      goOn("cut" + attempt, whole, cut, executor);
    }
    goOn("whole", whole, whole.events.size(), executor);
  }

  /// The process that goes on may be killed, too, also while places and their steps are said to
  /// have failed.
  @ParameterizedTest
  @ValueSource(strings = {"continuous", "vllm-0.2.7"})
  void anyPrefixOfHowItWentOn_goesOnUntilEveryRequestHasEnded(String policy) {
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    Random random = new Random(5);
    LiveEngine first =
        LiveEngine.start(
            run(policy),
            pipeline("first"),
            (completions, behind) -> delaying(executor, completions));
    for (int i = 0; i < REQUESTS; i++) {
      first.submit(request(random), new Told());
    }
    first.stop();
    executor.get().close();
    Recorded whole = read("first");
    int cut = whole.events.size() / 2;
    while (!(whole.events.get(cut - 1) instanceof StepPlanned)) {
      cut++;
    }
    goOn("again", whole, cut, executor);
    Recorded again = read("again");
    int failed = indexOfFailure(again.events);
    assertThat(again.events.get(failed + 1)).isInstanceOf(StepFailed.class);
    int planned = failed;
    while (!(again.events.get(planned) instanceof StepPlanned)) {
      planned++;
    }
    for (int second = failed; second <= planned + 1; second++) {
      goOn("twice" + second, again, second, executor);
    }
  }

  private void goOn(
      String name, Recorded whole, int cut, AtomicReference<DelayingExecutor> executor) {
    List<Told> all = new ArrayList<>();
    List<EngineEvent> kept = whole.events.subList(0, cut);
    LiveEngine engine =
        LiveEngine.resume(
            (RunStarted) kept.getFirst(),
            kept.subList(1, cut).iterator(),
            pipeline(name),
            (completions, behind) -> delaying(executor, completions),
            arrived -> told(all));
    long arrived = kept.stream().filter(RequestArrived.class::isInstance).count();
    for (long i = arrived; i < REQUESTS; i++) {
      engine.submit(LiveRequest.of(1, 5, 5), told(all));
    }
    assertThat(CompletableFuture.runAsync(engine::stop))
        .as("cut at %d", cut)
        .succeedsWithin(60, TimeUnit.SECONDS);
    executor.get().close();
    assertThat(all).as("cut at %d", cut).hasSize(REQUESTS).allMatch(Told::hasEnded);
    Recorded again = read(name);
    for (int i = 0; i < cut; i++) {
      assertThat(again.records.get(i)).as("record %d", i).isEqualTo(whole.records.get(i));
    }
    if (cut < whole.events.size()) {
      LiveEngineTest.assertSame(LiveEngineTest.decideAgain(again.events), again.records);
    }
  }

  private static Told told(List<Told> all) {
    Told told = new Told();
    all.add(told);
    return told;
  }

  private static Executor delaying(
      AtomicReference<DelayingExecutor> made, Completions completions) {
    made.set(new DelayingExecutor(completions, 7, 0));
    return made.get();
  }

  /// The device says nothing of its steps any more, and too late of one.
  @Test
  void deviceThatDies_leavesItsSequencesToTheOther() {
    EngineConfig one = run("continuous").config();
    EngineConfig config =
        new EngineConfig(
            one.kv(),
            one.limits(),
            new Topology(List.of(Place.device(0, "a", 40), Place.device(1, "b", 40)), List.of()),
            one.policy());
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    List<Told> all = new ArrayList<>();
    LiveEngine engine =
        LiveEngine.start(
            new RunStarted(0, "test", run("continuous").configDigest(), 1, config),
            pipeline("dies"),
            (completions, behind) -> new Dying(completions, executor));
    for (int i = 0; i < REQUESTS; i++) {
      engine.submit(LiveRequest.of(1, 8, 10), told(all));
    }
    engine.stop();
    executor.get().close();
    assertThat(all).allMatch(Told::hasEnded);
    List<EngineEvent> events = read("dies").events;
    int failed = indexOfFailure(events);
    assertThat(failed).isPositive();
    assertThat(events.subList(failed, events.size()))
        .noneMatch(event -> event instanceof StepPlanned planned && planned.plan().device() == 0);
    LiveEngineTest.assertSame(LiveEngineTest.decideAgain(events), read("dies").records);
  }

  @ParameterizedTest
  @ValueSource(strings = {"continuous", "vllm-0.2.7"})
  void requestThatFitsNoDeviceThatIsLeft_endsTheRun(String policy) throws Exception {
    EngineConfig one = run(policy).config();
    EngineConfig config =
        new EngineConfig(
            one.kv(),
            one.limits(),
            new Topology(List.of(Place.device(0, "a", 40), Place.device(1, "b", 5)), List.of()),
            one.policy());
    AtomicReference<DelayingExecutor> executor = new AtomicReference<>();
    LiveEngine engine =
        LiveEngine.start(
            new RunStarted(0, "test", run(policy).configDigest(), 1, config),
            pipeline("stuck"),
            (completions, behind) -> new Dying(completions, executor));
    engine.submit(LiveRequest.of(1, 30, 20), new Told());
    assertThatThrownBy(() -> engine.termination().get(60, TimeUnit.SECONDS))
        .rootCause()
        .isInstanceOf(NoDeviceException.class)
        .hasMessage(
            "no device is left that can hold the next request, and 1 requests have not ended; they go on when the run is resumed (a: gone)");
    executor.get().close();
  }

  private static int indexOfFailure(List<EngineEvent> events) {
    for (int i = 0; i < events.size(); i++) {
      if (events.get(i) instanceof PlaceFailed) {
        return i;
      }
    }
    return -1;
  }

  /// Device 0 dies at its sixth step.
  private static final class Dying implements Executor {

    private final Completions completions;
    private final DelayingExecutor works;

    Dying(Completions completions, AtomicReference<DelayingExecutor> made) {
      this.completions = completions;
      this.works = new DelayingExecutor(completions, 7, 0);
      made.set(works);
    }

    @Override
    public void execute(StepPlan plan, List<TransferPlan> before) {
      if (plan.device() == 0 && plan.step() == 5) {
        completions.placeFailed(0, "gone");
        completions.placeFailed(0, "gone twice");
      }
      works.execute(plan, before);
    }

    @Override
    public void transfer(TransferPlan plan) {
      works.transfer(plan);
    }

    @Override
    public void release(int sequence) {}
  }
}
