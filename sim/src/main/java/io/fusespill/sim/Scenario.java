package io.fusespill.sim;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.sim.calibrate.BelievedCosts;
import io.fusespill.sim.cost.FittedLink;
import io.fusespill.sim.cost.FittedModel;
import io.fusespill.sim.cost.FittedPlace;
import io.fusespill.sim.cost.FittedProfile;
import io.fusespill.sim.cost.HostAttentionModel;
import io.fusespill.sim.cost.RooflineModel;
import io.fusespill.sim.cost.StepTimeModel;
import io.fusespill.sim.cost.SubmitLatency;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.ProfileException;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What somebody asks to be simulated, before anything is derived from it.
///
/// A limit of 0 stands for "as vLLM would choose".
///
/// @param workload what identifies the requests in the configuration's digest: a trace's file name
///   and what was done to it
/// @param serving how steps are queued and lengths foretold
/// @param timeModel `roofline`, or the path of a fitted profile, which says how long transfers take
///   and steps are submitted, too
public record Scenario(
    String model,
    TopologySpec topology,
    PolicySpec policy,
    Limits limits,
    Serving serving,
    String timeModel,
    Faults faults,
    int samples,
    long seed,
    ObjectNode workload) {

  /// Limits as given; 0 where they were not.
  public record Limits(
      int blockTokens,
      int maxNumSeqs,
      int maxNumBatchedTokens,
      int maxModelTokens,
      int checkpointEvents) {}

  /// How steps are queued and lengths foretold.
  ///
  /// @param predictor name of a length predictor; empty for the policy's own default
  /// @param maxStepsInFlight steps that a device may have queued or running, 1 to 8; 0 for the
  ///   policy's own default
  /// @param submitNanos time from the end of a step to the earliest start of one planned in answer;
  ///   0 for that of a fitted profile, or none
  public record Serving(String predictor, int maxStepsInFlight, long submitNanos) {

    /// As the policy likes it, and decisions take no time.
    public static final Serving DEFAULT = new Serving("", 0, 0);
  }

  private static final int SAMPLES_MAX = 1_024;
  private static final int MAX_NUM_SEQS = 256;
  private static final int BLOCK_TOKENS = 16;
  private static final int BATCHED_TOKENS = 2048;
  private static final int MAX_ATTEMPTS = 10;

  private static final String ROOFLINE = "roofline";

  /// A scenario whose host only keeps swapped KV.
  public Scenario(
      String model,
      List<DeviceSpec> devices,
      String link,
      double swapSpaceGib,
      PolicySpec policy,
      Limits limits,
      String timeModel,
      Faults faults,
      int samples,
      long seed,
      ObjectNode workload) {
    this(
        model,
        new Machine(devices, link, swapSpaceGib).topology(),
        policy,
        limits,
        Serving.DEFAULT,
        timeModel,
        faults,
        samples,
        seed,
        workload);
  }

  /// A scenario on devices and a host, which attends where `host` names a profile.
  public Scenario(
      String model,
      List<DeviceSpec> devices,
      String link,
      double swapSpaceGib,
      @Nullable String host,
      PolicySpec policy,
      Limits limits,
      Serving serving,
      String timeModel,
      Faults faults,
      int samples,
      long seed,
      ObjectNode workload) {
    this(
        model,
        new Machine(devices, List.of(), link, swapSpaceGib, host, null, null).topology(),
        policy,
        limits,
        serving,
        timeModel,
        faults,
        samples,
        seed,
        workload);
  }

  public Scenario {
    if (samples < 1 || samples > SAMPLES_MAX) {
      throw new ProfileException("samples is %d, must be 1 to %,d".formatted(samples, SAMPLES_MAX));
    }
  }

  /// Derives everything that a run needs.
  ///
  /// @throws ProfileException if a profile is unknown or the model does not fit
  /// @throws IllegalArgumentException if a limit or the policy is not valid
  public ResolvedScenario resolve() {
    ModelProfile modelProfile = ModelProfiles.named(model);
    EngineLimits engineLimits = engineLimits(modelProfile);
    FittedProfile fitted =
        timeModel.equals(ROOFLINE) ? null : FittedProfile.read(Path.of(timeModel));
    int blockTokens = limits.blockTokens() == 0 ? BLOCK_TOKENS : limits.blockTokens();
    KvLayout kv =
        new KvLayout(
            blockTokens,
            fitted == null || fitted.blockBytes() == 0
                ? modelProfile.kvBytesPerBlock(blockTokens)
                : fitted.blockBytes(),
            policyKind().estimates() ? 1 : 2 * modelProfile.layers());
    List<FittedPlace> calibrated =
        fitted == null ? List.of() : calibrated(fitted, modelProfile.name(), blockTokens);
    ResolvedTopology resolved =
        ResolvedTopology.of(topology, modelProfile, kv, engineLimits, fitted != null);
    List<StepTimeModel> models = new ArrayList<>();
    List<StepCosts> costs = new ArrayList<>();
    for (Place place : resolved.topology().places()) {
      HostAttentionModel attention = resolved.attention().get(place.id());
      if (place.computes()) {
        TensorParallelGroup group = resolved.hardware().get(place.id());
        models.add(
            fitted == null && group != null
                ? new RooflineModel(
                    group, resolved.cardLinks().get(place.id()), modelProfile, blockTokens)
                : new FittedModel(calibrated.get(place.id())));
        costs.add(BelievedCosts.of(models.getLast(), engineLimits));
      } else {
        models.add(models.getFirst());
        costs.add(attention == null ? StepCosts.NONE : BelievedCosts.of(attention));
      }
    }
    EngineConfig config =
        new EngineConfig(
            kv,
            engineLimits,
            resolved.topology(),
            policy,
            policyKind().estimates() ? costs : List.of(),
            predictor());
    PolicyKind.create(config);
    SubmitLatency submitLatency =
        serving.submitNanos() > 0 || fitted == null
            ? SubmitLatency.ofNanos(serving.submitNanos())
            : fitted.submitLatency();
    return new ResolvedScenario(
        config,
        new World(
            models,
            resolved.attention(),
            fitted == null ? List.of() : links(fitted, resolved.topology(), calibrated),
            submitLatency,
            faults,
            PolicyKind::create),
        samples,
        seed,
        describe(config, resolved, calibrated, modelProfile, submitLatency),
        resolved.notes());
  }

  /// Sees that the limits go with each other, with the model's context and with the policy.
  ///
  /// @throws IllegalArgumentException naming the one that does not
  public void requireLimits() {
    engineLimits(ModelProfiles.named(model));
  }

  /// A policy that estimates costs runs on our own executor, whose blocks are contiguous over all
  /// layers and move in one copy; every other copies block by block and layer by layer.
  private PolicyKind policyKind() {
    return PolicyKind.named(policy.name());
  }

  private String predictor() {
    return serving.predictor().isEmpty()
        ? policyKind().predictor().label()
        : PredictorKind.named(serving.predictor()).label();
  }

  /// Whether its predictor is told true output lengths, so that its figures are an upper bound.
  public boolean oracle() {
    return PredictorKind.named(predictor()).oracle();
  }

  private EngineLimits engineLimits(ModelProfile modelProfile) {
    int modelTokens =
        limits.maxModelTokens() == 0
            ? Math.min(modelProfile.maxPositions(), EngineLimits.MAX_TOKENS)
            : limits.maxModelTokens();
    boolean wholePrompts = policyKind().wholePrompts();
    int batchedTokens = limits.maxNumBatchedTokens();
    if (batchedTokens == 0) {
      batchedTokens = wholePrompts ? Math.max(modelTokens, BATCHED_TOKENS) : BATCHED_TOKENS;
    }
    int sequences = limits.maxNumSeqs() == 0 ? MAX_NUM_SEQS : limits.maxNumSeqs();
    if (wholePrompts && batchedTokens < modelTokens) {
      throw new ProfileException(
          "max-num-batched-tokens is %d, must be at least max-model-len (%d) under %s, which never splits a prompt"
              .formatted(batchedTokens, modelTokens, policy.name()));
    }
    if (batchedTokens < sequences) {
      throw new ProfileException(
          "max-num-batched-tokens is %d, must be at least max-num-seqs (%d)"
              .formatted(batchedTokens, sequences));
    }
    return new EngineLimits(
        sequences,
        batchedTokens,
        modelTokens,
        MAX_ATTEMPTS,
        limits.checkpointEvents(),
        serving.maxStepsInFlight() > 0 ? serving.maxStepsInFlight() : policyKind().stepsInFlight());
  }

  /// The measured times of each device.
  private List<FittedPlace> calibrated(FittedProfile fitted, String modelName, int blockTokens) {
    return topology.devices().stream()
        .map(each -> fitted.place(each.name(), each.spec().hardware(), modelName, blockTokens))
        .toList();
  }

  /// The measured times of transfers by the names that places have here. A device may have been
  /// called as the place that its times are from, and host memory as in live runs.
  private static List<FittedLink> links(
      FittedProfile fitted, Topology topology, List<FittedPlace> calibrated) {
    List<List<String>> names = new ArrayList<>();
    for (Place place : topology.places()) {
      names.add(
          switch (place.kind()) {
            case DEVICE -> List.of(place.name(), calibrated.get(place.id()).place());
            case HOST -> List.of(place.name(), Machine.MEMORY);
            case DISK -> List.of(place.name());
          });
    }
    List<FittedLink> links = new ArrayList<>();
    for (Link link : topology.links()) {
      fitted.links().stream()
          .filter(each ->
              names.get(link.from()).contains(each.from())
                  && names.get(link.to()).contains(each.to()))
          .min(
              Comparator.comparingInt(each ->
                  names.get(link.from()).indexOf(each.from())
                      + names.get(link.to()).indexOf(each.to())))
          .ifPresent(each ->
              links.add(
                  each.between(
                      topology.places().get(link.from()).name(),
                      topology.places().get(link.to()).name())));
    }
    return links;
  }

  private ObjectNode describe(
      EngineConfig config,
      ResolvedTopology resolved,
      List<FittedPlace> calibrated,
      ModelProfile modelProfile,
      SubmitLatency submitLatency) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
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
    ObjectNode chosen = json.putObject("policy");
    chosen.put("name", policy.name());
    ObjectNode options = chosen.putObject("options");
    policy.options().forEach(options::put);
    json.put("predictor", config.predictor());
    max.put("max_steps_in_flight", config.limits().maxStepsInFlight());
    json.put("submit_nanos", submitLatency.nanos());
    json.put("submit_nanos_per_sequence", submitLatency.nanosPerSequence());
    json.put("model", modelProfile.name());
    json.put("weight_bytes", modelProfile.weightBytes());
    for (Place place : config.topology().places()) {
      ObjectNode node = json.withArray("places").addObject();
      node.put("name", place.name());
      node.put("kind", place.kind().name());
      node.put("blocks", place.blocks());
      node.put("attends", place.attends());
      if (place.computes()) {
        TensorParallelGroup group = resolved.hardware().get(place.id());
        if (group == null) {
          node.put("hardware", calibrated.get(place.id()).hardware());
          continue;
        }
        node.put("hardware", group.name());
        node.put("peak_flops_per_second", group.peakFlopsPerSecond());
        node.put("bandwidth_bytes_per_second", group.bandwidthBytesPerSecond());
        if (group.size() > 1) {
          node.put("cards", group.size());
          node.put("all_reduce_nanos", resolved.cardLinks().get(place.id()).allReduceNanos());
        }
      }
    }
    json.putArray("links");
    for (Link between : config.topology().links()) {
      ObjectNode node = json.withArray("links").addObject();
      node.put("from", between.from());
      node.put("to", between.to());
      node.put("bytes_per_second", between.bytesPerSecond());
      node.put("copy_nanos", between.copyNanos());
      if (!between.hasOwnChannel()) {
        node.put("channel", between.channel());
      }
    }
    json.put(
        "time_model",
        timeModel.equals(ROOFLINE) ? ROOFLINE : String.valueOf(Path.of(timeModel).getFileName()));
    ObjectNode wrong = json.putObject("faults");
    wrong.put("steps_per_million", faults.steps());
    wrong.put("transfers_per_million", faults.transfers());
    wrong.put("cancellations_per_million", faults.cancellations());
    json.put("samples", samples);
    json.put("seed", seed);
    json.set("workload", workload);
    return json;
  }
}
