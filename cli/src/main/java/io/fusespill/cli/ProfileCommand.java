package io.fusespill.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.policy.PolicyKind;
import io.fusespill.engine.policy.PolicyOption;
import io.fusespill.sim.DeviceSpec;
import io.fusespill.sim.Faults;
import io.fusespill.sim.Machine;
import io.fusespill.sim.Scenario;
import io.fusespill.sim.TopologyFile;
import io.fusespill.sim.TopologySpec;
import io.fusespill.sim.cost.AllReduceModel;
import io.fusespill.sim.cost.LinkModel;
import io.fusespill.sim.profile.DiskProfile;
import io.fusespill.sim.profile.DiskProfiles;
import io.fusespill.sim.profile.HardwareProfile;
import io.fusespill.sim.profile.HardwareProfiles;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import io.fusespill.sim.profile.MemoryOptions;
import io.fusespill.sim.profile.MemoryPlan;
import io.fusespill.sim.profile.ModelProfile;
import io.fusespill.sim.profile.ModelProfiles;
import io.fusespill.sim.profile.TensorParallelGroup;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What devices, models, links, disks and policies there are, and how many KV blocks follow.
@Command(
    name = "profile",
    mixinStandardHelpOptions = true,
    description = {
      "Lists profiles with their sources; with a model and a device, how the KV blocks follow from memory.",
      ""
    },
    sortOptions = false,
    footer = {"", "Example:", "  fusespill profile --model vicuna-7b --device a10:util=0.9"})
final class ProfileCommand implements Callable<Integer> {

  private static final double GIB = 1L << 30;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "A model profile or a Hugging Face config.json.")
  private @Nullable String model;

  @Option(
      names = "--device",
      paramLabel = "D[:tp=N,util=U]",
      description = "A device profile or a .json file of one; tp=N for N of them, tensor-parallel.")
  private @Nullable String device;

  @Option(
      names = "--link",
      paramLabel = "L",
      description = "With --device: link over which tensor-parallel cards meet (default pcie4).")
  private @Nullable String link;

  @Option(
      names = "--topology",
      paramLabel = "FILE",
      description = "A topology file: with a model, its places with their blocks, and its links.")
  private @Nullable Path topology;

  @Option(names = "--policies", description = "List policies with their options.")
  private boolean policies;

  @Option(
      names = "--block-size",
      defaultValue = "16",
      paramLabel = "N",
      description = "Tokens a KV block holds (default 16).")
  private int blockSize;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description = "Tokens in a step at most (default 2048).")
  private @Nullable Integer maxNumBatchedTokens;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Sequences at most (default 256).")
  private @Nullable Integer maxNumSeqs;

  ProfileCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (link != null && device == null) {
      throw new UsageException(
          "--link %s needs --device: it is what the cards of one device meet over".formatted(link));
    }
    ScenarioOptions.within("--block-size", blockSize, 1, KvLayout.MAX_BLOCK_TOKENS);
    ScenarioOptions.within(
        "--max-num-seqs", maxNumSeqs == null ? 1 : maxNumSeqs, 1, EngineLimits.MAX_SEQUENCES);
    ScenarioOptions.within(
        "--max-num-batched-tokens",
        maxNumBatchedTokens == null ? 1 : maxNumBatchedTokens,
        1,
        EngineLimits.MAX_TOKENS);
    TensorParallelGroup cards = device == null ? null : DeviceSpec.parse(device).group();
    if (device != null && DeviceSpec.parse(device).blocks() > 0) {
      throw new UsageException(
          "--device %s sets the number of blocks, which profile derives from memory: leave blocks away"
              .formatted(device));
    }
    if (policies) {
      printPolicies(out);
    } else if (topology != null) {
      printTopology(out, topology);
    } else if (model != null) {
      printModel(out, ModelProfiles.named(model));
    } else if (cards == null) {
      printAll(out);
    } else {
      for (HardwareProfile card : distinct(cards)) {
        out.println("%s: %s".formatted(card.name(), card.description()));
        printSources(out, card.sources());
      }
    }
    out.flush();
    return 0;
  }

  private void printTopology(PrintWriter out, Path file) {
    if (model == null || device != null) {
      throw new UsageException(
          "--topology needs --model, and no --device: the file names the devices, the model says how many blocks they hold");
    }
    TopologySpec machine = TopologyFile.read(file);
    EngineConfig config = resolve(model, machine);
    List<Place> all = config.topology().places();
    noteEmpty(machine, config);
    Table places = new Table().row("place", "kind", "blocks", "tokens of KV", "attends");
    for (Place place : all) {
      places.row(
          place.name(),
          place.kind().name().toLowerCase(Locale.ROOT),
          "%,d".formatted(place.blocks()),
          "%,d".formatted((long) place.blocks() * config.kv().blockTokens()),
          place.attends() ? "yes" : "");
    }
    places.print(out);
    out.println();
    Table links = new Table().row("link", "GB/s", "us/block", "channel");
    for (Link between : config.topology().links()) {
      LinkModel time = new LinkModel(between.bytesPerSecond(), between.copyNanos());
      links.row(
          all.get(between.from()).name() + " > " + all.get(between.to()).name(),
          "%.1f".formatted(between.bytesPerSecond() / 1e9),
          "%,.1f".formatted(time.nanos(config.kv().blockBytes(), 1) / 1e3),
          between.hasOwnChannel() ? "own" : String.valueOf(between.channel()));
    }
    links.print(out);
  }

  /// Says which hosts and disks are left out, as no block fits into them.
  private void noteEmpty(TopologySpec machine, EngineConfig config) {
    Map<String, Double> memories = new LinkedHashMap<>();
    machine.hosts().forEach(host -> memories.put(host.name(), host.gib()));
    machine.disks().forEach(disk -> memories.put(disk.name(), disk.gib()));
    config.topology().places().forEach(place -> memories.remove(place.name()));
    memories.forEach((name, gib) ->
        spec.commandLine()
            .getErr()
            .println(
                "fusespill: %s is left out: not one block of %,d bytes fits into its %s GiB"
                    .formatted(name, config.kv().blockBytes(), gib)));
    spec.commandLine().getErr().flush();
  }

  /// What `simulate` makes of a machine under policy `continuous`.
  private EngineConfig resolve(String model, TopologySpec machine) {
    try {
      return new Scenario(
              model,
              machine,
              PolicySpec.of(PolicyKind.CONTINUOUS.label()),
              new Scenario.Limits(
                  blockSize,
                  ScenarioOptions.given("--max-num-seqs", maxNumSeqs),
                  ScenarioOptions.given("--max-num-batched-tokens", maxNumBatchedTokens),
                  0,
                  0),
              Scenario.Serving.DEFAULT,
              "roofline",
              Faults.NONE,
              1,
              0,
              JsonNodeFactory.instance.objectNode())
          .resolve()
          .config();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private void printModel(PrintWriter out, ModelProfile profile) {
    out.println(
        "%s: %,d parameters, %d layers, %d query and %d KV heads of %d, context %,d; %,d bytes of KV a token (%s)"
            .formatted(
                profile.name(),
                profile.parameters(),
                profile.layers(),
                profile.heads(),
                profile.kvHeads(),
                profile.headDim(),
                profile.maxPositions(),
                profile.kvBytesPerToken(),
                profile.source()));
    if (device == null) {
      return;
    }
    DeviceSpec named = DeviceSpec.parse(device);
    String between = link == null ? Machine.DEFAULT_LINK : link;
    EngineLimits limits =
        resolve(String.valueOf(model), new Machine(List.of(named), between, 0).topology()).limits();
    MemoryOptions options =
        new MemoryOptions(
            named.utilisation(), blockSize, limits.maxNumBatchedTokens(), limits.maxNumSeqs());
    TensorParallelGroup group = named.group();
    for (HardwareProfile card : distinct(group)) {
      out.println("%s: %s".formatted(card.name(), card.description()));
    }
    out.println();
    out.println(MemoryPlan.of(group, profile, options).arithmetic());
    if (group.size() > 1) {
      out.println();
      printTensorParallel(out, group, profile, LinkProfiles.named(between));
    }
  }

  private void printTensorParallel(
      PrintWriter out, TensorParallelGroup group, ModelProfile profile, LinkProfile between) {
    AllReduceModel allReduce = AllReduceModel.over(between, group.size());
    int bytes = profile.hiddenSize() * profile.dataType().bytes();
    out.println(
        "%s: %d cards at the pace of the slowest, %,.1f TFLOP/s and %,.0f GB/s together; the blocks are those of the smallest"
            .formatted(
                group.name(),
                group.size(),
                group.peakFlopsPerSecond() / 1e12,
                group.bandwidthBytesPerSecond() / 1e9));
    out.println(
        "communication over %s: 2 x %d layers x (%,d ns + tokens x %,d bytes x %.4f ns) = %,.0f ns + tokens x %,.0f ns a step"
            .formatted(
                between.name(),
                profile.layers(),
                allReduce.fixedNanos(),
                bytes,
                allReduce.nanosPerByte(),
                2.0 * profile.layers() * allReduce.fixedNanos(),
                2.0 * profile.layers() * bytes * allReduce.nanosPerByte()));
  }

  private static List<HardwareProfile> distinct(TensorParallelGroup group) {
    return group.cards().stream().distinct().toList();
  }

  private static void printAll(PrintWriter out) {
    Table devices = new Table().row("device", "memory", "TFLOP/s", "GB/s");
    for (String name : HardwareProfiles.names()) {
      HardwareProfile profile = HardwareProfiles.named(name);
      devices.row(
          name,
          "%.1f GiB".formatted(profile.usableBytes() / GIB),
          "%.1f".formatted(profile.peakFlopsPerSecond() / 1e12),
          "%,.0f".formatted(profile.bandwidthBytesPerSecond() / 1e9));
    }
    devices.print(out);
    out.println();
    Table models = new Table().row("model", "parameters", "KV bytes/token", "context");
    for (String name : ModelProfiles.names()) {
      ModelProfile profile = ModelProfiles.named(name);
      models.row(
          name,
          "%,d".formatted(profile.parameters()),
          "%,d".formatted(profile.kvBytesPerToken()),
          "%,d".formatted(profile.maxPositions()));
    }
    models.print(out);
    out.println();
    Table links = new Table().row("link", "GB/s in", "GB/s out", "ns/copy", "ns/all-reduce");
    for (String name : LinkProfiles.names()) {
      LinkProfile profile = LinkProfiles.named(name);
      links.row(
          name,
          "%.1f".formatted(profile.toDeviceBytesPerSecond() / 1e9),
          "%.1f".formatted(profile.fromDeviceBytesPerSecond() / 1e9),
          "%,d".formatted(profile.copyNanos()),
          "%,d".formatted(profile.allReduceNanos()));
    }
    links.print(out);
    out.println();
    Table disks = new Table().row("disk", "GB/s read", "GB/s written", "ns/copy");
    for (String name : DiskProfiles.names()) {
      DiskProfile profile = DiskProfiles.named(name);
      disks.row(
          name,
          "%.1f".formatted(profile.readBytesPerSecond() / 1e9),
          "%.1f".formatted(profile.writeBytesPerSecond() / 1e9),
          "%,d".formatted(profile.copyNanos()));
    }
    disks.print(out);
    out.println();
    out.println(
        "policies: %s (--policies shows their options)"
            .formatted(String.join(", ", PolicyKind.labels())));
    out.println(
        "--device NAME shows where its numbers are from; --model M --device D how many KV blocks fit.");
  }

  private static void printPolicies(PrintWriter out) {
    for (PolicyKind kind : PolicyKind.values()) {
      out.println("%s: %s".formatted(kind.label(), kind.description()));
      List<PolicyOption> options = kind.options();
      for (PolicyOption option : options) {
        out.println(
            "  %s=%s  %s (%s)"
                .formatted(option.name(), option.defaultValue(), option.meaning(), option.legal()));
      }
      out.println();
    }
  }

  private static void printSources(PrintWriter out, Map<String, String> sources) {
    sources.forEach((key, source) -> out.println("  %s: %s".formatted(key, source)));
  }
}
