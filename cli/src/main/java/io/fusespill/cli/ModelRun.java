package io.fusespill.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.EngineVersion;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.event.FinishReason;
import io.fusespill.engine.event.InputEvent.RunStarted;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.SchedulingPolicy;
import io.fusespill.host.exec.HostExecutor;
import io.fusespill.host.model.KvShape;
import io.fusespill.journal.Durability;
import io.fusespill.journal.Journal;
import io.fusespill.journal.JournalHeader;
import io.fusespill.journal.live.LiveEngine;
import io.fusespill.live.LiveBatch;
import io.fusespill.live.LivePlan;
import io.fusespill.live.LiveRun;
import io.fusespill.live.LiveSpec;
import io.fusespill.live.Output;
import io.fusespill.live.OutputFile;
import io.fusespill.live.RequestFile;
import io.fusespill.live.RunJournal;
import io.fusespill.live.TextRequest;
import io.fusespill.replay.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One live run, wired from its requests to its report:
///
/// ```
///  LiveBatch ─► LiveRun ─► LiveEngine ─► ring ─┬─► journal handler ─► HostExecutor
///      ▲                                       ├─► metrics handler ─► report, requests.csv
///      │                                       └─► prediction handler ─► report
///      └──────────── tokens, behind the journal
/// ```
///
/// Its folder has what a simulation's has, and beside it what it takes to go on after a crash.
final class ModelRun {

  private static final ObjectMapper CANONICAL =
      new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

  private final LoadedModel model;
  private final EngineConfig config;
  private final KvShape kv;
  private final Map<Integer, Integer> threads;
  private final Map<Integer, Integer> gpus;
  private final long seed;
  private final Durability durability;
  private final @Nullable RunDirectory directory;
  private boolean measured;
  private String lastFailure = "";

  private ModelRun(
      LoadedModel model,
      EngineConfig config,
      KvShape kv,
      Map<Integer, Integer> threads,
      Map<Integer, Integer> gpus,
      long seed,
      Durability durability,
      @Nullable RunDirectory directory) {
    this.model = model;
    this.config = config;
    this.kv = kv;
    this.threads = threads;
    this.gpus = gpus;
    this.seed = seed;
    this.durability = durability;
    this.directory = directory;
  }

  /// A new run.
  ///
  /// @param directory where it leaves all that it was; null for nowhere, and then no journal
  static ModelRun of(
      LoadedModel model, LivePlan plan, LiveOptions options, @Nullable RunDirectory directory) {
    return new ModelRun(
        model,
        plan.config(),
        plan.kv(),
        plan.threads(),
        plan.gpus(),
        options.seed(),
        options.journal(),
        directory);
  }

  /// Makes it a benchmark, whose pools are there from the beginning.
  ModelRun measured() {
    measured = true;
    return this;
  }

  /// The folder that the options name, made anew; null where they name none.
  static @Nullable RunDirectory directory(LiveOptions options, LiveSpec spec) {
    return options.out() == null ? null : directory(options.out(), options, spec);
  }

  /// A folder made anew that knows what was asked for.
  static RunDirectory directory(Path path, LiveOptions options, LiveSpec spec) {
    RunDirectory directory = RunDirectory.create(path, options.force());
    directory.writeOptions(options.simulated(spec));
    return directory;
  }

  /// Serves requests from first to last.
  ///
  /// @param workload what they are, for people
  /// @param batch of these requests
  /// @param client sends them; null for all as they are due
  /// @param figures takes all figures by their names in `--json`
  RunReport run(
      ObjectNode workload,
      List<TextRequest> requests,
      LiveBatch batch,
      @Nullable Consumer<LiveEngine> client,
      ObjectNode figures) {
    try {
      return started(workload, requests, batch, client, figures);
    } catch (RuntimeException e) {
      if (directory != null) {
        directory.giveUp(e, false);
      }
      throw e;
    }
  }

  private RunReport started(
      ObjectNode workload,
      List<TextRequest> requests,
      LiveBatch batch,
      @Nullable Consumer<LiveEngine> client,
      ObjectNode figures) {
    ObjectNode described = describe(workload);
    JournalHeader header = JournalHeader.of(EngineVersion.VERSION, canonical(described));
    if (directory != null) {
      directory.writeConfig(described);
      directory.writeLive(live(batch).toJson());
      RequestFile.write(directory.liveRequests(), requests);
      if (durability == Durability.SYNC) {
        directory.force();
      }
    }
    RunStarted started =
        new RunStarted(0, EngineVersion.VERSION, header.configDigest(), seed, config);
    return serve(
        requests,
        batch,
        figures,
        run -> {
          Journal journal =
              directory == null
                  ? Journal.none()
                  : Journal.create(directory.journal(), header, durability);
          return client == null
              ? run.run(started, journal, batch)
              : run.run(started, journal, batch, client);
        });
  }

  /// An interrupted run that came to its end.
  record Ended(LiveRun.Resumed way, RunReport report, EngineConfig config) {}

  /// Serves what an interrupted run has not served.
  ///
  /// @param live what its folder says of how to go on
  /// @param requests those of the interrupted run
  /// @param figures takes all figures of the whole run by their names in `--json`
  static Ended resume(
      LoadedModel model,
      RunDirectory directory,
      LiveFile live,
      List<TextRequest> requests,
      LiveBatch batch,
      ObjectNode figures) {
    try (RunJournal recorded = RunJournal.open(directory.journal(), live.journal())) {
      EngineConfig config = recorded.started().config();
      KvShape kv = KvShape.of(model.config(), config.kv().blockTokens(), live.kvType());
      if (kv.blockBytes() != config.kv().blockBytes()) {
        throw new UsageException(
            "%s: a KV block of the model takes %,d bytes, and took %,d when the run began: the model's folder holds another model now"
                .formatted(model.source().folder(), kv.blockBytes(), config.kv().blockBytes()));
      }
      for (Place place : config.topology().places()) {
        boolean works = place.computes() || place.attends();
        if (works
            && !live.threads().containsKey(place.id())
            && !live.gpus().containsKey(place.id())) {
          throw new UsageException(
              "%s names neither threads nor a GPU for place %d, %s, which computes: put it back from a copy, or start the run again"
                  .formatted(directory.live(), place.id(), place.name()));
        }
      }
      ModelRun run =
          new ModelRun(
              model,
              config,
              kv,
              live.threads(),
              live.gpus(),
              recorded.started().seed(),
              live.journal(),
              directory);
      if (live.measured()) {
        model.warmUp(kv, run.threads);
        run.measured();
      }
      AtomicReference<LiveRun.@Nullable Resumed> way = new AtomicReference<>();
      RunReport report =
          run.serve(
              requests,
              batch,
              figures,
              serving -> {
                LiveRun.Resumed resumed = serving.resume(recorded, batch);
                way.set(resumed);
                return resumed.engine();
              });
      return new Ended(Objects.requireNonNull(way.get()), report, config);
    }
  }

  /// Serves as `how` says, and leaves the figures and the outputs.
  private RunReport serve(
      List<TextRequest> requests,
      LiveBatch batch,
      ObjectNode figures,
      Function<LiveRun, LiveEngine> how) {
    RunReport report;
    Path disks = disks();
    try (RunFolds folds = new RunFolds(directory, config)) {
      requireRoom(disks);
      HostExecutor.Setup setup =
          model.setup(config, kv, threads, gpus, disks, used(requests), measured);
      LiveEngine engine = how.apply(new LiveRun(setup, folds.byName()));
      report = folds.report();
      lastFailure = folds.lastFailure();
      folds.putFigures(figures);
      figures.put("journal_events", engine.events());
      figures.put("journal_digest", engine.digest());
    } finally {
      if (directory == null) {
        delete(disks);
      }
    }
    if (directory != null) {
      directory.writeSummary(figures);
      OutputFile.write(directory.outputs(), requests, batch.outputs(), model.tokenizer());
    }
    return report;
  }

  /// @throws UsageException naming the first request that was given up because its logits were of
  ///   no use, or its steps or copies failed again and again
  void requireNoneGivenUp(List<Output> outputs) {
    for (Output output : outputs) {
      for (Output.Sample sample : output.samples()) {
        if (sample.reason() == FinishReason.FAILED) {
          throw new UsageException(
              "prompt %d, sample %d, was given up%s"
                  .formatted(output.request() + 1, sample.sample() + 1, lastFailure));
        }
      }
    }
  }

  /// Says on one line how many requests were given up, if any, and why the last was.
  void noteGivenUp(List<Output> outputs, PrintWriter err) {
    long givenUp =
        outputs.stream()
            .filter(output ->
                output.samples().stream()
                    .anyMatch(sample -> sample.reason() == FinishReason.FAILED))
            .count();
    if (givenUp > 0) {
      err.println(
          "fusespill: %,d of %,d requests were given up, the last one%s"
              .formatted(givenUp, outputs.size(), lastFailure));
    }
  }

  /// The places whose KV pools can come to be of use.
  private Set<Integer> used(List<TextRequest> requests) {
    SchedulingPolicy policy = PolicyKind.create(config);
    int samples = TextRequest.samplesMax(requests);
    return config.topology().places().stream()
        .filter(place -> policy.uses(place, samples))
        .map(Place::id)
        .collect(Collectors.toSet());
  }

  /// The files of disks grow as they are used: what they may need must be there.
  private void requireRoom(Path disks) {
    long bytes =
        config.topology().places().stream()
            .filter(place -> place.kind() == PlaceKind.DISK)
            .mapToLong(place -> place.blocks() * kv.blockBytes())
            .sum();
    try {
      long free = Files.getFileStore(disks).getUsableSpace();
      if (bytes > free) {
        throw new UsageException(
            "the KV on disk may need %,d bytes, and the file system of %s has %,d free: make --disk smaller, or choose a folder elsewhere with --out"
                .formatted(bytes, disks, free));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot tell how much room %s has: %s".formatted(disks, e), e);
    }
  }

  private Path disks() {
    if (directory != null) {
      return directory.path();
    }
    try {
      return Files.createTempDirectory("fusespill-disks");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder for disks: " + e.getMessage(), e);
    }
  }

  private static void delete(Path folder) {
    try {
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete %s: %s".formatted(folder, e), e);
    }
  }

  // ----------------------------------------------------------- descriptions

  /// What tells a run of this configuration from others.
  String digest(ObjectNode workload) {
    return JournalHeader.of(EngineVersion.VERSION, canonical(describe(workload))).configDigest();
  }

  private LiveFile live(LiveBatch batch) {
    return new LiveFile(
        model.source(), kv.type(), durability, measured, threads, gpus, batch.timeoutNanos());
  }

  /// The whole configuration as JSON, with the names that a simulation's has. No `time_model`: its
  /// times are real.
  private ObjectNode describe(ObjectNode workload) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", model.name());
    json.put("architecture", model.config().architecture());
    json.put("load_format", model.source().format().name().toLowerCase(Locale.ROOT));
    json.put("weight_type", model.weightType().label());
    if (!gpus.isEmpty()) {
      json.put("dtype", this.kv.type().label());
    }
    json.put("weight_bytes", model.weightBytes());
    ObjectNode kv = json.putObject("kv");
    kv.put("block_tokens", config.kv().blockTokens());
    kv.put("block_bytes", config.kv().blockBytes());
    kv.put("copies_per_block", config.kv().copiesPerBlock());
    ObjectNode max = json.putObject("limits");
    max.put("max_num_seqs", config.limits().maxNumSeqs());
    max.put("max_num_batched_tokens", config.limits().maxNumBatchedTokens());
    max.put("max_model_len", config.limits().maxModelTokens());
    max.put("max_attempts", config.limits().maxAttempts());
    max.put("checkpoint_events", config.limits().checkpointEvents());
    max.put("max_steps_in_flight", config.limits().maxStepsInFlight());
    ObjectNode policy = json.putObject("policy");
    policy.put("name", config.policy().name());
    ObjectNode options = policy.putObject("options");
    config.policy().options().forEach(options::put);
    json.put("predictor", config.predictor());
    for (Place place : config.topology().places()) {
      ObjectNode node = json.withArray("places").addObject();
      node.put("name", place.name());
      node.put("kind", place.kind().name());
      node.put("blocks", place.blocks());
      node.put("attends", place.attends());
      String hardware = model.hardware(threads, gpus, place.id());
      if (hardware != null) {
        node.put("hardware", hardware);
      }
    }
    json.putArray("links");
    for (Link between : config.topology().links()) {
      ObjectNode node = json.withArray("links").addObject();
      node.put("from", between.from());
      node.put("to", between.to());
      node.put("bytes_per_second", between.bytesPerSecond());
      node.put("copy_nanos", between.copyNanos());
    }
    json.put("seed", seed);
    json.set("workload", workload);
    return json;
  }

  private static String canonical(ObjectNode described) {
    try {
      return CANONICAL.writeValueAsString(CANONICAL.treeToValue(described, Object.class));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration cannot be written as JSON", e);
    }
  }

  /// Whether the folder's run is of `bench latency`.
  static boolean batches(RunDirectory directory) {
    return directory.config().path("workload").has("batch_size");
  }
}
