package io.fusespill.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusespill.cuda.exec.CudaMachine;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.event.EngineEvent;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.exec.Completions;
import io.fusespill.engine.exec.Executor;
import io.fusespill.engine.plan.Ints;
import io.fusespill.engine.state.EngineState;
import io.fusespill.engine.state.Invariants;
import io.fusespill.host.checkpoint.Checkpoint;
import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.host.checkpoint.LoadFormat;
import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.exec.Accelerator;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.model.KvShape;
import io.fusespill.host.model.ModelWeights;
import io.fusespill.host.sampling.SamplingParams;
import io.fusespill.host.sampling.TokenLogprobs;
import io.fusespill.host.tokenizer.Tokenizer;
import io.fusespill.journal.Durability;
import io.fusespill.journal.EnginePipeline;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.JournalReader;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.replay.Verifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Live runs of a tiny model in pools of a few blocks, each checked from its journal: every
/// invariant after every event, and all decisions decided again.
final class LiveFixture implements AutoCloseable {

  static final long HAND_OFF_NANOS = 1;

  /// Every GPU computes as fast as [#COSTS] say, and all pools are of given sizes.
  private static final LivePlan.Gpus GPUS =
      new LivePlan.Gpus() {
        @Override
        public long kvBytes(
            int gpu, double utilisation, int devices, EngineLimits limits, KvShape kv) {
          throw new IllegalStateException("a device without blocks");
        }

        @Override
        public StepCosts costs(int gpu, EngineLimits limits, KvShape kv) {
          return COSTS.device(1);
        }

        @Override
        public long bytesPerSecond(int gpu) {
          return COSTS.copyBytesPerSecond();
        }

        @Override
        public long handOffNanos(int gpu, EngineLimits limits, KvShape kv) {
          return HAND_OFF_NANOS;
        }
      };

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
  private final CudaMachine gpus;
  private final @Nullable Tokenizer tokenizer;
  private UnaryOperator<Completions> reports = UnaryOperator.identity();
  private UnaryOperator<Executor> orders = UnaryOperator.identity();

  /// Closes the checkpoint with itself.
  LiveFixture(Checkpoint checkpoint, Path folder, Path temp) {
    this.checkpoint = checkpoint;
    this.temp = temp;
    gpus = new CudaMachine(half(checkpoint.config()), checkpoint);
    tokenizer = Files.exists(folder.resolve("tokenizer.json")) ? Tokenizer.open(folder) : null;
  }

  static LiveFixture open(String model, Path temp) {
    return open(GoldenModel.folder(model), temp);
  }

  static LiveFixture open(Path folder, Path temp) {
    return new LiveFixture(Checkpoint.open(folder, LoadFormat.AUTO, 0), folder, temp);
  }

  /// Has what executors of later runs report pass through what that makes.
  LiveFixture withReports(UnaryOperator<Completions> reports) {
    this.reports = reports;
    return this;
  }

  /// Has what executors of later runs are told pass through what that makes.
  LiveFixture withOrders(UnaryOperator<Executor> orders) {
    this.orders = orders;
    return this;
  }

  Checkpoint checkpoint() {
    return checkpoint;
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

  /// Requests whose prompts begin with 34 tokens of one of two kinds.
  List<TextRequest> requestsThatBeginAlike(int count, long seed) {
    List<TextRequest> requests = new ArrayList<>();
    for (TextRequest request : requests(count, 1, seed)) {
      int[] own = request.promptIds().toArray();
      int[] ids = new int[34 + own.length];
      for (int t = 0; t < 34; t++) {
        ids[t] = 3 + (7 * t + requests.size() % 2) % (checkpoint.config().vocabulary() - 3);
      }
      System.arraycopy(own, 0, ids, 34, own.length);
      requests.add(new TextRequest(0, Ints.of(ids), request.params(), request.hintTokens()));
    }
    return requests;
  }

  /// Requests that ask for all that the host samples by itself or ends by itself: penalties,
  /// log-probabilities, a masked end, stop strings; and some that a GPU draws.
  List<TextRequest> demandingRequests(int count, long seed) {
    List<String> parameters =
        List.of(
            "\"temperature\":0,\"repetition_penalty\":1.3",
            "\"temperature\":0,\"presence_penalty\":0.5,\"frequency_penalty\":0.3,\"logprobs\":2",
            "\"temperature\":0.8,\"seed\":5,\"top_k\":20,\"logprobs\":0",
            "\"temperature\":0.8,\"seed\":6,\"top_p\":0.9",
            "\"temperature\":1.2,\"seed\":7,\"min_p\":0.05,\"top_k\":50",
            "\"temperature\":0,\"min_tokens\":12",
            "\"temperature\":0,\"stop\":[\"e\",\"a\"],\"min_tokens\":3");
    List<TextRequest> plain = requests(count, 1, seed);
    List<TextRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      TextRequest request = plain.get(i);
      int output = Math.max(12, request.params().maxTokens());
      String params =
          "{%s,\"max_tokens\":%d}".formatted(parameters.get(i % parameters.size()), output);
      requests.add(new TextRequest(0, request.promptIds(), SamplingParams.parse(params), output));
    }
    return requests;
  }

  static LiveSpec spec(PolicySpec policy, int depth, Hardware hardware, int... tokens) {
    return spec(policy, depth, hardware, false, 0, 0, tokens);
  }

  /// A specification of a device and auxiliary ones with room for that many tokens each, one thread
  /// each where they are cores.
  static LiveSpec spec(
      PolicySpec policy,
      int depth,
      Hardware hardware,
      boolean attends,
      double swapGib,
      double diskGib,
      int... tokens) {
    List<Share> devices = new ArrayList<>();
    for (int i = 0; i < tokens.length; i++) {
      devices.add(hardware.device(i, tokens[i]));
    }
    return new LiveSpec(
        devices.subList(0, 1),
        devices.subList(1, devices.size()),
        attends ? Share.host(0, 1) : null,
        swapGib,
        diskGib,
        0.5,
        hardware.kvType(),
        policy,
        new LiveSpec.Limits(hardware.blockTokens(), 64, 512, 512, 200, depth, ""));
  }

  /// The same model in f16, which is what all runs on GPUs are in: bf16 rounds so much that tokens
  /// tell little of what happened to KV.
  private static ModelConfig half(ModelConfig config) {
    return config.withWeightType(ElementType.F16);
  }

  LivePlan plan(LiveSpec spec) {
    boolean gpu =
        Stream.concat(spec.devices().stream(), spec.auxiliary().stream()).anyMatch(Share::isGpu);
    ModelConfig config = gpu ? half(checkpoint.config()) : checkpoint.config();
    return LivePlan.of(spec, config, 0, new LivePlan.MachineFacts(2, 1L << 30, GPUS), COSTS);
  }

  /// Runs all requests at once.
  Run run(String name, LiveSpec spec, List<TextRequest> requests) {
    LivePlan plan = plan(spec);
    Path journal = temp.resolve(name);
    JournalHeader header = JournalHeader.of("test", "{}");
    LiveBatch batch =
        new LiveBatch(
            requests,
            (request, sample, token, logprobs) -> {
              boolean asked = requests.get(request).params().logprobs().isPresent();
              if (token >= 0 && asked) {
                assertThat(logprobs).isNotNull().extracting(TokenLogprobs::token).isEqualTo(token);
              }
            });
    try (ModelWeights weights = ModelWeights.of(checkpoint.config(), checkpoint)) {
      HostExecutor[] made = new HostExecutor[1];
      batch.ask(() -> made[0]);
      try {
        LiveEngine engine =
            LiveEngine.start(
                new RunStarted(0, "test", header.configDigest(), 0, plan.config()),
                EnginePipeline.builder().journal(Journal.create(journal, header, Durability.ASYNC)),
                (completions, behind) -> {
                  made[0] =
                      new HostExecutor(
                          setup(plan, weights), plan.config(), reports.apply(completions), behind);
                  return orders.apply(made[0]);
                });
        batch.send(engine, 0, System.nanoTime());
        engine.stop();
        requireReleased(made[0], requests);
      } finally {
        if (made[0] != null) {
          made[0].close();
        }
      }
    }
    return new Run(batch.outputs(), check(journal));
  }

  /// All sequences have ended, so the executor must know none of them any more.
  private static void requireReleased(HostExecutor executor, List<TextRequest> requests) {
    int sequences = requests.stream().mapToInt(request -> request.params().n()).sum();
    for (int i = 0; i < sequences; i++) {
      int sequence = i;
      assertThatThrownBy(() -> executor.logprobs(sequence, 0)).hasMessage("sequence " + sequence);
    }
  }

  HostExecutor.Setup setup(LivePlan plan, ModelWeights weights) {
    Map<Integer, Accelerator> accelerators = new TreeMap<>();
    plan.gpus()
        .forEach((place, gpu) ->
            accelerators.put(place, gpus.accelerator(gpu, plan.kv(), plan.config().limits())));
    return new HostExecutor.Setup(
        weights,
        checkpoint.config().eosIds(),
        tokenizer,
        plan.kv(),
        plan.threads(),
        temp,
        plan.config().topology().places().stream().map(Place::id).collect(Collectors.toSet()),
        false,
        accelerators);
  }

  @Override
  public void close() {
    try (Tokenizer _ = tokenizer;
        Checkpoint _ = checkpoint) {
      gpus.close();
    }
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
