package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Invariants;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.replay.Verifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;

/// Live runs of a tiny model in pools of a few blocks, each checked from its journal: every
/// invariant after every event, and all decisions decided again.
final class LiveFixture {

  /// A machine where copies are cheap and steps are not, so that policies find reasons to spill.
  static final LivePlan.Costs COSTS =
      new LivePlan.Costs() {
        @Override
        public StepCosts device(int threads) {
          return new StepCosts(
              10_000, 200_000, 20_000_000, 10_000, 1_000_000, 100_000, 0, 10_000, 0);
        }

        @Override
        public StepCosts attention(int threads) {
          return new StepCosts(40_000, 0, 0, 0, 0, 50_000, 100_000, 0, 0);
        }

        @Override
        public long copyBytesPerSecond() {
          return 5_000_000_000L;
        }

        @Override
        public long diskBytesPerSecond() {
          return 1_000_000_000L;
        }
      };

  private final Checkpoint checkpoint;
  private final Path temp;

  LiveFixture(Checkpoint checkpoint, Path temp) {
    this.checkpoint = checkpoint;
    this.temp = temp;
  }

  /// What a run came to.
  record Run(List<Output> outputs, List<EngineEvent> events) {

    long count(Class<? extends EngineEvent> type) {
      return events.stream().filter(type::isInstance).count();
    }
  }

  /// Prompts of 4 to 40 tokens with outputs of 10 to 40, whatever they say.
  List<TextRequest> requests(int count, int samples, long seed) {
    Random random = new Random(seed);
    List<TextRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] ids = new int[4 + random.nextInt(37)];
      for (int t = 0; t < ids.length; t++) {
        ids[t] = 3 + random.nextInt(checkpoint.config().vocabulary() - 3);
      }
      int output = 10 + random.nextInt(31);
      String params =
          samples == 1
              ? "{\"temperature\":0,\"ignore_eos\":true,\"max_tokens\":%d}".formatted(output)
              : "{\"n\":%d,\"temperature\":0.9,\"seed\":%d,\"ignore_eos\":true,\"max_tokens\":%d}"
                  .formatted(samples, i, output);
      requests.add(new TextRequest(0, Ints.of(ids), SamplingParams.parse(params), output));
    }
    return requests;
  }

  /// A specification of devices with that many blocks of four tokens each, one thread a device.
  static LiveSpec spec(String policy, int depth, int... blocks) {
    return spec(PolicySpec.of(policy), depth, false, 0, 0, blocks);
  }

  static LiveSpec spec(
      PolicySpec policy,
      int depth,
      boolean attends,
      double swapGib,
      double diskGib,
      int... blocks) {
    List<Share> devices = new ArrayList<>();
    for (int each : blocks) {
      devices.add(Share.host(each, 1));
    }
    return new LiveSpec(
        devices.subList(0, 1),
        devices.subList(1, devices.size()),
        attends ? Share.host(0, 1) : null,
        swapGib,
        diskGib,
        0.5,
        ElementType.F32,
        policy,
        new LiveSpec.Limits(4, 64, 512, 512, 200, depth, ""));
  }

  LivePlan plan(LiveSpec spec) {
    return LivePlan.of(spec, checkpoint.config(), 0, new LivePlan.MachineFacts(2, 1L << 30), COSTS);
  }

  /// Runs all requests at once.
  Run run(String name, LiveSpec spec, List<TextRequest> requests) {
    return run(name, spec, requests, UnaryOperator.identity());
  }

  /// Runs all requests at once on an executor whose reports pass through what `disturbance` makes.
  Run run(
      String name,
      LiveSpec spec,
      List<TextRequest> requests,
      UnaryOperator<Completions> disturbance) {
    LivePlan plan = plan(spec);
    Path journal = temp.resolve(name);
    JournalHeader header = JournalHeader.of("test", "{}");
    LiveBatch batch = new LiveBatch(requests, (request, sample, token, logprobs) -> {});
    try (ModelWeights weights = ModelWeights.of(checkpoint.config(), checkpoint)) {
      HostExecutor[] made = new HostExecutor[1];
      LiveEngine engine =
          LiveEngine.start(
              new RunStarted(0, "test", header.configDigest(), 0, plan.config()),
              EnginePipeline.builder().journal(Journal.create(journal, header, Durability.ASYNC)),
              (completions, behind) ->
                  made[0] =
                      new HostExecutor(
                          setup(plan, weights),
                          plan.config(),
                          disturbance.apply(completions),
                          behind));
      batch.send(engine, 0, System.nanoTime());
      engine.stop();
      made[0].close();
    }
    return new Run(batch.outputs(), check(journal));
  }

  HostExecutor.Setup setup(LivePlan plan, ModelWeights weights) {
    return new HostExecutor.Setup(
        weights,
        checkpoint.config().eosIds(),
        null,
        plan.kv(),
        plan.threads(),
        temp,
        false,
        Map.of());
  }

  /// The events of a journal that holds together.
  static List<EngineEvent> check(Path journal) {
    List<EngineEvent> events = new ArrayList<>();
    Verifier verifier = new Verifier();
    EngineState state = new EngineState();
    try (JournalReader reader = JournalReader.open(journal)) {
      while (reader.next()) {
        events.add(reader.event());
        state.apply(reader.event());
        Invariants.check(state);
        verifier.accept(reader.position(), reader.event(), reader.bytes(), reader.length());
      }
    }
    assertThat(verifier.divergence()).isEmpty();
    assertThat(state.liveRequests()).isZero();
    return events;
  }
}
