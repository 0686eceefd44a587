package io.fusespill.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.event.DecisionEvent.RequestRejected;
import io.fusespill.engine.event.DecisionEvent.SequenceFinished;
import io.fusespill.engine.event.DecisionEvent.SequencePreempted;
import io.fusespill.engine.event.DecisionEvent.StepPlanned;
import io.fusespill.engine.event.DecisionEvent.TransferPlanned;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RequestArrived;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.event.InputEvent.StepCompleted;
import io.fusespill.engine.event.PreemptionKind;
import io.fusespill.engine.event.RejectionReason;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.plan.StepPlan;
import io.fusespill.engine.plan.TransferKind;
import io.fusespill.engine.state.Invariants;
import io.fusespill.engine.state.Sequence;
import io.fusespill.engine.state.SequenceQueue;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Replays schedules that the real vLLM 0.2.7 scheduler produced, one `schedule()` a step, and
/// compares everything that is reproducible in vLLM: ids, order, queues and counts, but not
/// physical block numbers.
///
/// Another folder: `./mvnw -pl engine test -Dtest=VllmGoldenScheduleTest -Dgolden.schedules=DIR`.
class VllmGoldenScheduleTest {

  private static final int DEVICE = 0;
  private static final int HOST = 1;
  private static final long STEP_NANOS = 1_000_000_000L;

  static Stream<Path> schedules() throws Exception {
    String folder = System.getProperty("golden.schedules", "");
    Path path = folder.isEmpty() ? Path.of(resource().getPath()) : Path.of(folder);
    try (Stream<Path> files = Files.list(path)) {
      List<Path> sorted = files.filter(file -> file.toString().contains(".json")).sorted().toList();
      assertThat(sorted).as("schedules in %s", path).isNotEmpty();
      return sorted.stream();
    }
  }

  private static URI resource() throws Exception {
    return VllmGoldenScheduleTest.class.getResource("/golden/vllm-0.2.7-schedules").toURI();
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void everyStepOfTheSchedule_isReproduced(Path file) throws IOException {
    JsonNode golden = read(file);
    Replay replay = new Replay(golden);
    for (JsonNode step : golden.get("steps")) {
      if (step.has("error")) {
        assertThat(replay.step(step).rejections).contains(RejectionReason.SWAP_SPACE_EXHAUSTED);
        return;
      }
      replay.step(step).compare(step);
    }
    assertThat(replay.engine.idle()).isTrue();
  }

  private static JsonNode read(Path file) throws IOException {
    try (InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
      return new ObjectMapper().readTree(in);
    }
  }

  /// The engine under the schedule's configuration, driven one scheduling round a step.
  private static final class Replay {

    private final JsonNode golden;
    private final List<EngineEvent> events = new ArrayList<>();
    private final Engine engine;
    private final List<Integer> owners = new ArrayList<>();
    private int arrived;

    Replay(JsonNode golden) {
      this.golden = golden;
      JsonNode config = golden.get("config");
      EngineConfig engineConfig =
          new EngineConfig(
              new KvLayout(config.get("block_size").asInt(), 1, 1),
              new EngineLimits(
                  config.get("max_num_seqs").asInt(),
                  config.get("max_num_batched_tokens").asInt(),
                  config.get("max_model_len").asInt(),
                  3,
                  0),
              new Topology(
                  List.of(
                      Place.device(DEVICE, "gpu", config.get("num_gpu_blocks").asInt()),
                      Place.host(HOST, "cpu", config.get("num_cpu_blocks").asInt())),
                  List.of(new Link(DEVICE, HOST, 1, 0), new Link(HOST, DEVICE, 1, 0))),
              PolicySpec.of("vllm-0.2.7")
                  .with("max-paddings", config.get("max_paddings").asText())
                  .with("preemption", golden.get("force_swap").asBoolean() ? "swap" : "auto"));
      engine =
          new Engine(
              engineConfig,
              event -> {
                events.add(event);
                return events.size() - 1;
              });
      engine.accept(new RunStarted(0, "test", "none", 0, engineConfig));
    }

    Observed step(JsonNode expected) {
      int number = expected.get("step").asInt();
      events.clear();
      arrive(number);
      engine.round(DEVICE);
      Observed observed = new Observed(engine, owners);
      observed.read(events);
      StepPlan plan = engine.view().stepInFlight(DEVICE);
      if (plan != null) {
        engine.accept(
            new StepCompleted(
                (number + 1) * STEP_NANOS, DEVICE, plan.step(), Ints.EMPTY, Ints.EMPTY));
        observed.readFinished(events);
      }
      Invariants.check(engine.state());
      return observed;
    }

    private void arrive(int step) {
      JsonNode requests = golden.get("requests");
      for (;
          arrived < requests.size() && requests.get(arrived).get("arrival_step").asInt() <= step;
          arrived++) {
        JsonNode request = requests.get(arrived);
        engine.accept(
            new RequestArrived(
                step * STEP_NANOS,
                request.get("id").asInt(),
                engine.state().nextSequence(),
                request.get("n").asInt(),
                request.get("prompt_len").asInt(),
                request.get("output_len").asInt()));
        owners.addAll(Collections.nCopies(request.get("n").asInt(), arrived));
      }
    }
  }

  /// What a step came to, in the golden schedule's terms: sequences of one request count as one
  /// group.
  private static final class Observed {

    private final Engine engine;
    private final List<Integer> owners;
    private final List<Integer> scheduled = new ArrayList<>();
    private final List<String> preemptions = new ArrayList<>();
    private final List<Integer> ignored = new ArrayList<>();
    private final List<Integer> finished = new ArrayList<>();
    private final List<List<Integer>> tableSizes = new ArrayList<>();
    private final List<RejectionReason> rejections = new ArrayList<>();
    private int batchedTokens;
    private int blocksIn;
    private int blocksOut;
    private int copies;
    private int read;

    Observed(Engine engine, List<Integer> owners) {
      this.engine = engine;
      this.owners = owners;
    }

    void read(List<EngineEvent> events) {
      for (EngineEvent event : events) {
        switch (event) {
          case StepPlanned planned -> readPlan(planned.plan());
          case SequencePreempted preempted when preempted.kind() == PreemptionKind.RECOMPUTE ->
              preemptions.add("recompute " + owners.get(preempted.sequence()));
          case TransferPlanned planned -> {
            boolean in = planned.plan().kind() == TransferKind.SWAP_IN;
            blocksIn += in ? planned.plan().blocks() : 0;
            blocksOut += in ? 0 : planned.plan().blocks();
            preemptions.add(
                (in ? "swap_in " : "swap_out ") + owners.get(planned.plan().sequences().get(0)));
          }
          case RequestRejected rejected -> {
            ignored.add(rejected.request());
            rejections.add(rejected.reason());
          }
          default -> {}
        }
      }
      read = events.size();
    }

    private void readPlan(StepPlan plan) {
      batchedTokens = plan.batchedTokens();
      copies = plan.copies().size();
      for (int i = 0; i < plan.size(); i++) {
        Sequence sequence = engine.view().sequence(plan.sequences().get(i));
        int request = sequence.request().id();
        if (scheduled.isEmpty() || scheduled.getLast() != request) {
          scheduled.add(request);
          tableSizes.add(new ArrayList<>());
        }
        tableSizes.getLast().add(sequence.table().size());
      }
    }

    void readFinished(List<EngineEvent> events) {
      for (EngineEvent event : events.subList(read, events.size())) {
        if (event instanceof SequenceFinished done) {
          int request = owners.get(done.sequence());
          if (!finished.contains(request)) {
            finished.add(request);
          }
        }
      }
    }

    void compare(JsonNode step) {
      String where = "step " + step.get("step").asInt();
      assertThat(scheduled).as(where + " scheduled").isEqualTo(ints(step.get("scheduled")));
      assertThat(batchedTokens)
          .as(where + " batched tokens")
          .isEqualTo(step.get("num_batched_tokens").asInt());
      List<String> expected = new ArrayList<>();
      step.get("preempt_events")
          .forEach(e -> expected.add(e.get(0).asText() + " " + e.get(1).asInt()));
      assertThat(preemptions).as(where + " preemptions").isEqualTo(expected);
      assertThat(blocksIn).as(where + " blocks in").isEqualTo(step.get("blocks_in").asInt());
      assertThat(blocksOut).as(where + " blocks out").isEqualTo(step.get("blocks_out").asInt());
      assertThat(copies).as(where + " copies").isEqualTo(step.get("cow").asInt());
      assertThat(ignored).as(where + " ignored").isEqualTo(ints(step.get("ignored")));
      assertThat(finished).as(where + " finished").isEqualTo(ints(step.get("finished")));
      assertThat(engine.view().pool(DEVICE).free())
          .as(where + " free blocks")
          .isEqualTo(step.get("free_gpu").asInt());
      assertThat(engine.view().pool(HOST).free())
          .as(where + " free host blocks")
          .isEqualTo(step.get("free_cpu").asInt());
      assertThat(groups(engine.view().waiting()))
          .as(where + " waiting")
          .isEqualTo(ints(step.get("waiting")));
      assertThat(groups(engine.view().residents(DEVICE)))
          .as(where + " running")
          .isEqualTo(ints(step.get("running")));
      assertThat(groups(engine.view().residents(HOST)))
          .as(where + " swapped")
          .isEqualTo(ints(step.get("swapped")));
      if (step.has("table_lens")) {
        compareTables(where, step.get("table_lens"));
      }
    }

    private void compareTables(String where, JsonNode tables) {
      List<List<Integer>> expected = new ArrayList<>();
      for (int request : scheduled) {
        List<Integer> sizes = new ArrayList<>();
        tables.get(String.valueOf(request)).forEach(size -> sizes.add(size.asInt()));
        expected.add(sizes);
      }
      assertThat(tableSizes).as(where + " table sizes").isEqualTo(expected);
    }

    private static List<Integer> groups(SequenceQueue queue) {
      List<Integer> groups = new ArrayList<>();
      for (int i = 0; i < queue.size(); i++) {
        int request = queue.get(i).request().id();
        if (groups.isEmpty() || groups.getLast() != request) {
          groups.add(request);
        }
      }
      return groups;
    }

    private static List<Integer> ints(JsonNode array) {
      List<Integer> values = new ArrayList<>();
      array.forEach(value -> values.add(value.asInt()));
      return values;
    }
  }
}
