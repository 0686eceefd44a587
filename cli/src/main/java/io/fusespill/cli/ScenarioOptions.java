package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.length.PredictorKind;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.DiskSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.ResolvedScenario;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.TopologyFile;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.profile.NearMatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What runs the workload: model, devices, policy and limits.
final class ScenarioOptions {

  /// The policy where none is named.
  static final String DEFAULT_POLICY = "continuous";

  /// Step times that are computed.
  static final String ROOFLINE = "roofline";

  private static final double MILLION = 1e6;
  private static final int STEPS_MAX = 8;
  private static final int SUBMIT_MICROS_MAX = 60_000_000;
  private static final double SWAP_GIB = 4;
  private static final double HOST_SWAP_GIB = 64;
  private static final long CANCEL_WITHIN_NANOS = 10_000_000_000L;

  @Option(
      names = "--model",
      defaultValue = "",
      paramLabel = "M",
      description =
          "Model profile ('fusespill profile' lists them) or a Hugging Face config.json; required, but for a run that has its own.")
  private String model;

  @Option(
      names = "--device",
      paramLabel = "D[:tp=N,blocks=N|util=U]",
      description = {
        "Device profile or a .json file of one; give it again for more devices behind one queue.",
        "With --time-model also what that was measured on: a card by its driver's name, or host:threads=N, with blocks=N.",
        "tp=N makes N such cards one tensor-parallel device, D+E two of different kinds.",
        "blocks=N sets the number of KV blocks; util=U derives it from that share of memory (default 0.9)."
      })
  private List<String> devices = new ArrayList<>();

  @Option(
      names = "--aux",
      paramLabel = "D",
      description =
          "An auxiliary device, spelt as for --device; it stands behind the same queue, and its name tells policies what it is for. May be given again.")
  private List<String> auxiliary = new ArrayList<>();

  @Option(
      names = "--topology",
      paramLabel = "FILE",
      description =
          "Devices, hosts, disks and links from a YAML or JSON file (docs/configuration.md), in the place of --device, --aux, --host, --swap-space, --link, --peer-link and --disk.")
  private @Nullable Path topology;

  @Option(
      names = "--policy",
      defaultValue = DEFAULT_POLICY,
      paramLabel = "P",
      completionCandidates = Candidates.Policies.class,
      description = "vllm-0.2.7, continuous (default), fusespill or fusespill-artifact.")
  private String policy;

  @Option(
      names = "--policy-option",
      paramLabel = "K=V",
      description =
          "An option of the policy, for example preemption=swap of vllm-0.2.7; 'fusespill profile --policies' lists them.")
  private Map<String, String> policyOptions = new LinkedHashMap<>();

  @Option(
      names = "--host",
      paramLabel = "H",
      description =
          "Host profile or a .json file of one, for a host that runs decode attention over the KV that lies there (default: it only keeps swapped KV).")
  private @Nullable String host;

  @Option(
      names = "--swap-space",
      paramLabel = "GIB",
      description =
          "Host memory for KV in GiB (default 4, as in vLLM, and 64 with --host); 0 for none.")
  private @Nullable Double swapSpace;

  @Option(
      names = "--predictor",
      defaultValue = "",
      paramLabel = "P",
      description =
          "Length predictor: kaplan-meier (default under fusespill), declared, last-value, maximum, none, or oracle (default under fusespill-artifact), which knows the truth and so gives an upper bound.")
  private String predictor;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description =
          "Steps that a device may have queued or running, 1 to 8 (default 1, under fusespill 2, under fusespill-artifact 6).")
  private @Nullable Integer depth;

  @Option(
      names = "--submit-latency",
      defaultValue = "0",
      paramLabel = "MICROS",
      description =
          "Microseconds from a step's end to the start of one planned in answer, 0 to 60,000,000 (default: a fitted profile's, else 0): what --depth hides.")
  private long submitLatency;

  @Option(
      names = "--link",
      paramLabel = "L",
      description = "Link between device and host (default pcie4) or a .json file of one.")
  private @Nullable String link;

  @Option(
      names = "--peer-link",
      paramLabel = "L",
      description =
          "Direct links between the devices (default none: KV goes over the host), a link or a .json file of one.")
  private @Nullable String peerLink;

  @Option(
      names = "--disk",
      paramLabel = "GIB[:read=N,write=N]",
      description =
          "A disk behind the host with room for so much KV; read and write in bytes a second (default: those of nvme-pcie4).")
  private @Nullable String disk;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Sequences running on a device at most (default 256).")
  private @Nullable Integer maxNumSeqs;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description =
          "Tokens in a step at most (default 2048; under vllm-0.2.7 and fusespill-artifact at least the longest sequence).")
  private @Nullable Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      paramLabel = "N",
      description = "Prompt plus output of a sequence at most (default: the model's).")
  private @Nullable Integer maxModelLen;

  @Option(
      names = "--block-size",
      paramLabel = "N",
      description = "Tokens a KV block holds (default 16).")
  private @Nullable Integer blockSize;

  @Option(
      names = "--samples",
      defaultValue = "1",
      paramLabel = "N",
      description = "Parallel samples of each request, sharing its prompt's blocks (default 1).")
  private int samples;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "N",
      description = "Seed of every random choice (default 0).")
  private long seed;

  @Option(
      names = "--time-model",
      defaultValue = ROOFLINE,
      paramLabel = "T",
      description =
          "Step times: roofline (default), or the path of a fitted profile (docs/cost-profile-format.md).")
  private String timeModel;

  @Option(
      names = "--faults",
      split = ",",
      paramLabel = "KIND=SHARE",
      description =
          "Inject faults: step, transfer and cancel with the share of cases, for example step=0.001,cancel=0.01.")
  private Map<String, Double> faults = new LinkedHashMap<>();

  @Option(
      names = "--checkpoint-every",
      defaultValue = "65536",
      paramLabel = "EVENTS",
      description =
          "Events between two state hashes in the log (default 65536); 0 for one at the end.")
  private int checkpointEvents;

  @SuppressWarnings("NullAway.Init") // picocli sets what is required or has a default
  ScenarioOptions() {}

  long seed() {
    return seed;
  }

  String policy() {
    return policy;
  }

  int samples() {
    return samples;
  }

  /// Resolves the scenario around a workload.
  ///
  /// @throws UsageException if a value is not legal
  ResolvedScenario resolve(ObjectNode workload) {
    return resolve(this::topology, workload);
  }

  /// Resolves the scenario around a workload, on a machine that these options do not describe.
  ///
  /// @throws UsageException if a value is not legal
  ResolvedScenario resolve(Supplier<TopologySpec> machine, ObjectNode workload) {
    PolicyKind kind = policyKind();
    if (model.isEmpty()) {
      throw new UsageException(
          "no model: name one with --model, for example --model vicuna-7b; 'fusespill profile' lists them");
    }
    try {
      return new Scenario(
              model,
              machine.get(),
              new PolicySpec(kind.label(), new TreeMap<>(policyOptions)),
              new Scenario.Limits(
                  given("--block-size", blockSize),
                  given("--max-num-seqs", maxNumSeqs),
                  given("--max-num-batched-tokens", maxNumBatchedTokens),
                  given("--max-model-len", maxModelLen),
                  checkpointEvents),
              new Scenario.Serving(
                  knownPredictor(),
                  within("--depth", depth == null ? 0 : depth, depth == null ? 0 : 1, STEPS_MAX),
                  1_000L * within("--submit-latency", submitLatency, 0, SUBMIT_MICROS_MAX)),
              timeModel,
              faults(),
              samples,
              seed,
              workload)
          .resolve();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private TopologySpec topology() {
    if (topology != null) {
      refuseBesideTopology();
      return TopologyFile.read(topology);
    }
    if (devices.isEmpty()) {
      throw new UsageException(
          "no device: name at least one with --device, for example --device a10, or give a file with --topology");
    }
    Machine machine =
        new Machine(
            devices.stream().map(DeviceSpec::parse).toList(),
            auxiliary.stream().map(DeviceSpec::parse).toList(),
            link == null ? Machine.DEFAULT_LINK : link,
            swapSpace == null ? (host == null ? SWAP_GIB : HOST_SWAP_GIB) : swapSpace,
            host,
            disk == null ? null : DiskSpec.parse(disk),
            peerLink);
    TopologySpec described = machine.topology();
    if (peerLink != null && devices.size() + auxiliary.size() < 2) {
      throw new UsageException(
          "--peer-link joins devices, of which there must be at least 2, and there is 1: leave it away, or name another with --device or --aux");
    }
    return described;
  }

  private void refuseBesideTopology() {
    List<String> given = new ArrayList<>();
    note("--device", !devices.isEmpty(), given);
    note("--aux", !auxiliary.isEmpty(), given);
    note("--host", host != null, given);
    note("--swap-space", swapSpace != null, given);
    note("--link", link != null, given);
    note("--peer-link", peerLink != null, given);
    note("--disk", disk != null, given);
    if (!given.isEmpty()) {
      throw new UsageException(
          "--topology describes the whole machine: leave %s away, or leave --topology away"
              .formatted(String.join(" and ", given)));
    }
  }

  private static void note(String option, boolean isGiven, List<String> given) {
    if (isGiven) {
      given.add(option);
    }
  }

  private String knownPredictor() {
    if (!predictor.isEmpty()) {
      requireKnown("predictor", predictor, PredictorKind.labels());
    }
    return predictor;
  }

  private PolicyKind policyKind() {
    requireKnown("policy", policy, PolicyKind.labels());
    PolicyKind kind = PolicyKind.named(policy);
    List<String> options = kind.options().stream().map(PolicyOption::name).toList();
    for (String name : policyOptions.keySet()) {
      requireKnown("option of policy " + policy, name, options);
    }
    return kind;
  }

  /// @throws UsageException if the name is not one of those known
  static void requireKnown(String what, String name, List<String> known) {
    if (!known.contains(name)) {
      throw new UsageException(
          "unknown %s \"%s\"%s; known: %s"
              .formatted(what, name, NearMatch.hint(name, known), String.join(", ", known)));
    }
  }

  /// @throws UsageException if the value is out of its range
  static int within(String option, long value, int min, int max) {
    if (value < min || value > max) {
      throw new UsageException("%s is %d, must be %d to %,d".formatted(option, value, min, max));
    }
    return (int) value;
  }

  /// The value, or 0 where none was given. 0 itself is no legal value of any of these.
  static int given(String option, @Nullable Integer value) {
    if (value != null && value < 1) {
      throw new UsageException("%s is %d, must be at least 1".formatted(option, value));
    }
    return value == null ? 0 : value;
  }

  private Faults faults() {
    for (String kind : faults.keySet()) {
      if (!List.of("step", "transfer", "cancel").contains(kind)) {
        throw new UsageException(
            "--faults has no kind '%s', must be step, transfer or cancel".formatted(kind));
      }
    }
    return new Faults(
        perMillion("step"), perMillion("transfer"), perMillion("cancel"), CANCEL_WITHIN_NANOS);
  }

  private int perMillion(String kind) {
    double share = faults.getOrDefault(kind, 0.0);
    if (!(share >= 0 && share <= 1)) {
      throw new UsageException(
          "--faults %s is %s, must be a share of 0 to 1".formatted(kind, share));
    }
    return (int) Math.round(share * MILLION);
  }
}
