package io.fusespill.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fusespill.sim.profile.LinkProfile;
import io.fusespill.sim.profile.LinkProfiles;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Scenario options that lead to a resolved configuration, for a run that did not keep its own:
/// where several would, those with the fewest numbers.
///
/// What a device's memory, a policy's default or vLLM's would come to anyway counts as not given.
/// The machine of a run of models is none that options describe, and so has none here.
final class DescribedOptions {

  private static final String AUXILIARY = "aux-";
  private static final double GIB = 1L << 30;
  private static final double MILLION = 1e6;

  /// On which limits come to what they come to on any machine.
  private static final String ANY_MODEL = "vicuna-7b";

  private static final String ANY_DEVICE = "a10:blocks=500";
  private static final String MODEL = "--model";

  private final JsonNode described;
  private final ObjectNode workload;
  private final boolean live;
  private GivenOptions options = new GivenOptions(List.of());

  private DescribedOptions(JsonNode described) {
    this.described = described;
    this.workload = (ObjectNode) described.get("workload");
    this.live = !described.has("time_model");
  }

  /// @param described a configuration, as `config.json` has it
  static GivenOptions of(JsonNode described) {
    return new DescribedOptions(described).derive();
  }

  private GivenOptions derive() {
    add(MODEL, described.get("model").asText());
    add("--policy", described.get("policy").get("name").asText());
    described
        .get("policy")
        .get("options")
        .properties()
        .forEach(
            option -> add("--policy-option", option.getKey() + "=" + option.getValue().asText()));
    add("--seed", described.get("seed").asText());
    add("--samples", (live ? workload : described).path("samples").asText("1"));
    add("--checkpoint-every", described.get("limits").get("checkpoint_events").asText());
    if (live) {
      add("--max-model-len", described.get("limits").get("max_model_len").asText());
      addWhatDiffers();
      return options;
    }
    if (described.path("submit_nanos_per_sequence").asLong() == 0) {
      addIfAbove("--submit-latency", described.get("submit_nanos").asLong() / 1_000);
    }
    if (!described.get("time_model").asText().equals("roofline")) {
      add("--time-model", described.get("time_model").asText());
    }
    JsonNode faults = described.get("faults");
    addFault("step", faults.get("steps_per_million").asInt());
    addFault("transfer", faults.get("transfers_per_million").asInt());
    addFault("cancel", faults.get("cancellations_per_million").asInt());
    addMachine();
    addWhatDiffers();
    return options;
  }

  private void add(String name, String value) {
    options = options.and(name, value);
  }

  private void addIfAbove(String name, long value) {
    if (value > 0) {
      add(name, String.valueOf(value));
    }
  }

  private void addFault(String kind, int perMillion) {
    if (perMillion > 0) {
      add("--faults", kind + "=" + BigDecimal.valueOf(perMillion / MILLION).toPlainString());
    }
  }

  // ---------------------------------------------------------------- machine

  private void addMachine() {
    JsonNode places = described.get("places");
    int host = -1;
    for (int i = 0; i < places.size(); i++) {
      JsonNode place = places.get(i);
      String kind = place.get("kind").asText();
      if (kind.equals("HOST") && host < 0) {
        host = i;
        add("--swap-space", gib(place));
        if (place.get("attends").asBoolean()) {
          add("--host", place.get("name").asText());
        }
      } else if (kind.equals("DISK")) {
        add(
            "--disk",
            "%s:read=%d,write=%d"
                .formatted(gib(place), rate(places.size() - 1, host), rate(host, i)));
      } else if (place.has("hardware")) {
        boolean auxiliary = place.get("name").asText().startsWith(AUXILIARY);
        add(auxiliary ? "--aux" : "--device", device(place));
      }
    }
    if (host < 0) {
      add("--swap-space", "0");
    } else {
      int cards = places.get(0).path("cards").asInt(1);
      addLink("--link", rate(0, host) / cards, rate(host, 0) / cards);
    }
    if (places.size() > 1 && places.get(1).has("hardware") && rate(0, 1) > 0) {
      addLink("--peer-link", rate(0, 1), rate(1, 0));
    }
  }

  private static String device(JsonNode place) {
    String name = place.get("hardware").asText();
    int tensorParallel = name.lastIndexOf("-tp");
    return tensorParallel > 0
        ? name.substring(0, tensorParallel) + ":tp=" + name.substring(tensorParallel + 3)
        : name;
  }

  /// The smallest whole number of GiB that holds as many blocks, or else half a block more than
  /// they take.
  private String gib(JsonNode place) {
    long blockBytes = described.get("kv").get("block_bytes").asLong();
    long blocks = place.get("blocks").asLong();
    double whole = Math.ceil(blocks * (double) blockBytes / GIB);
    return (long) (whole * GIB / blockBytes) == blocks
        ? BigDecimal.valueOf(whole).stripTrailingZeros().toPlainString()
        : String.valueOf((blocks + 0.5) * blockBytes / GIB);
  }

  /// Bytes a second from one place to another, 0 where they are not linked.
  private long rate(int from, int to) {
    for (JsonNode link : described.get("links")) {
      if (link.get("from").asInt() == from && link.get("to").asInt() == to) {
        return link.get("bytes_per_second").asLong();
      }
    }
    return 0;
  }

  private void addLink(String option, long there, long back) {
    for (String name : LinkProfiles.names()) {
      LinkProfile link = LinkProfiles.named(name);
      long slower = Math.min(link.fromDeviceBytesPerSecond(), link.toDeviceBytesPerSecond());
      boolean between = option.equals("--peer-link");
      if ((between ? slower : link.fromDeviceBytesPerSecond()) == there
          && (between ? slower : link.toDeviceBytesPerSecond()) == back) {
        add(option, name);
        return;
      }
    }
  }

  // ------------------------------------------------- what does not follow

  /// Adds the limits, blocks and serving options that do not follow from the rest.
  private void addWhatDiffers() {
    JsonNode derived = tryToResolve();
    if (derived == null) {
      addBlocks(MissingNode.getInstance());
      derived = tryToResolve();
    }
    if (derived == null) {
      return;
    }
    JsonNode limits = described.get("limits");
    JsonNode derivedLimits = derived.get("limits");
    addIfOther("--max-model-len", limits, derivedLimits, "max_model_len");
    addIfOther("--max-num-seqs", limits, derivedLimits, "max_num_seqs");
    addIfOther("--max-num-batched-tokens", limits, derivedLimits, "max_num_batched_tokens");
    addIfOther("--depth", limits, derivedLimits, "max_steps_in_flight");
    addIfOther("--block-size", described.get("kv"), derived.get("kv"), "block_tokens");
    addIfOther("--predictor", described, derived, "predictor");
    JsonNode again = tryToResolve();
    if (again != null) {
      addBlocks(again.get("places"));
    }
  }

  private void addIfOther(String option, JsonNode wanted, JsonNode derived, String key) {
    if (!wanted.get(key).equals(derived.get(key))) {
      add(option, wanted.get(key).asText());
    }
  }

  /// Gives a device its number of blocks where its memory would come to another.
  private void addBlocks(JsonNode derived) {
    List<GivenOptions.Given> mended = new ArrayList<>();
    int place = 0;
    for (GivenOptions.Given given : options.all()) {
      boolean device = given.name().equals(GivenOptions.DEVICE) || given.name().equals("--aux");
      if (device && !given.value().contains("blocks=")) {
        JsonNode wanted = described.get("places").get(place).get("blocks");
        boolean follows = derived.has(place) && wanted.equals(derived.get(place).get("blocks"));
        String blocks = (given.value().contains(":") ? "," : ":") + "blocks=" + wanted.asText();
        mended.add(follows ? given : new GivenOptions.Given(given.name(), given.value() + blocks));
        place++;
      } else {
        mended.add(given);
      }
    }
    options = new GivenOptions(mended);
  }

  private @Nullable JsonNode tryToResolve() {
    GivenOptions whole =
        live
            ? options
                .without(List.of(MODEL))
                .and(MODEL, ANY_MODEL)
                .and(GivenOptions.DEVICE, ANY_DEVICE)
            : options;
    try {
      return whole.parse().resolve(workload).description();
    } catch (UsageException e) {
      return null;
    }
  }
}
