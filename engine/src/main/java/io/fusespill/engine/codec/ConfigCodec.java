package io.fusespill.engine.codec;

import io.fusespill.engine.config.EngineConfig;
import io.fusespill.engine.config.EngineLimits;
import io.fusespill.engine.config.KvLayout;
import io.fusespill.engine.config.Link;
import io.fusespill.engine.config.Place;
import io.fusespill.engine.config.PlaceKind;
import io.fusespill.engine.config.PolicySpec;
import io.fusespill.engine.config.StepCosts;
import io.fusespill.engine.config.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// The configuration within `RunStarted` and `ConfigurationChanged`. Version 2 adds to version 1,
/// at its end: the steps that may be in flight, the length predictor, the places that attend, the
/// step costs, and the channels that links share.
final class ConfigCodec {

  private static final PlaceKind[] PLACE_KINDS = PlaceKind.values();

  private ConfigCodec() {}

  /// Whether version 1 can say it.
  static boolean isFirstVersion(EngineConfig config) {
    return config.limits().maxStepsInFlight() == 1
        && config.predictor().equals(EngineConfig.NO_PREDICTOR)
        && config.costs().isEmpty()
        && config.topology().places().stream().noneMatch(Place::attends)
        && config.topology().links().stream().allMatch(Link::hasOwnChannel);
  }

  static void write(EngineConfig config, PayloadWriter out) {
    KvLayout kv = config.kv();
    out.unsigned(kv.blockTokens());
    out.unsigned(kv.blockBytes());
    out.unsigned(kv.copiesPerBlock());
    EngineLimits limits = config.limits();
    out.unsigned(limits.maxNumSeqs());
    out.unsigned(limits.maxNumBatchedTokens());
    out.unsigned(limits.maxModelTokens());
    out.unsigned(limits.maxAttempts());
    out.unsigned(limits.checkpointEvents());
    Topology topology = config.topology();
    out.unsigned(topology.places().size());
    for (Place place : topology.places()) {
      out.text(place.name());
      out.unsigned(place.kind().ordinal());
      out.flag(place.computes());
      out.unsigned(place.blocks());
    }
    out.unsigned(topology.links().size());
    for (Link link : topology.links()) {
      out.unsigned(link.from());
      out.unsigned(link.to());
      out.unsigned(link.bytesPerSecond());
      out.unsigned(link.copyNanos());
    }
    PolicySpec policy = config.policy();
    out.text(policy.name());
    out.unsigned(policy.options().size());
    policy
        .options()
        .forEach((key, value) -> {
          out.text(key);
          out.text(value);
        });
    if (!isFirstVersion(config)) {
      writeSecond(config, out);
    }
  }

  private static void writeSecond(EngineConfig config, PayloadWriter out) {
    out.unsigned(config.limits().maxStepsInFlight());
    out.text(config.predictor());
    for (Place place : config.topology().places()) {
      out.flag(place.attends());
    }
    out.unsigned(config.costs().size());
    for (StepCosts costs : config.costs()) {
      out.unsigned(costs.overheadNanos());
      out.unsigned(costs.weightNanos());
      out.unsigned(costs.linearPicos());
      out.unsigned(costs.headNanos());
      out.unsigned(costs.headPicos());
      out.unsigned(costs.contextPicos());
      out.unsigned(costs.decodePicos());
      out.unsigned(costs.pairPicos());
      out.unsigned(costs.tokenPicos());
    }
    for (Link link : config.topology().links()) {
      out.unsigned(link.channel() - Link.OWN_CHANNEL);
    }
  }

  static EngineConfig read(PayloadReader in, int version) {
    KvLayout kv = new KvLayout(in.integer(), in.unsigned(), in.integer());
    EngineLimits limits =
        new EngineLimits(in.integer(), in.integer(), in.integer(), in.integer(), in.integer());
    int placeCount = in.count();
    List<Place> places = new ArrayList<>(placeCount);
    for (int id = 0; id < placeCount; id++) {
      places.add(new Place(id, in.text(), in.constant(PLACE_KINDS), in.flag(), in.integer()));
    }
    int linkCount = in.count();
    List<Link> links = new ArrayList<>(linkCount);
    for (int i = 0; i < linkCount; i++) {
      links.add(new Link(in.integer(), in.integer(), in.unsigned(), in.unsigned()));
    }
    String name = in.text();
    int optionCount = in.count();
    TreeMap<String, String> options = new TreeMap<>();
    for (int i = 0; i < optionCount; i++) {
      String key = in.text();
      if (!options.isEmpty() && key.compareTo(options.lastKey()) <= 0) {
        throw new CodecException("option %s is not behind the one before it".formatted(key));
      }
      options.put(key, in.text());
    }
    PolicySpec policy = new PolicySpec(name, options);
    EngineConfig first = new EngineConfig(kv, limits, new Topology(places, links), policy);
    if (version == 1) {
      return first;
    }
    EngineConfig second = readSecond(first, in);
    if (isFirstVersion(second)) {
      throw new CodecException("a configuration that version 1 can say is in version 2");
    }
    return second;
  }

  private static EngineConfig readSecond(EngineConfig first, PayloadReader in) {
    EngineLimits limits = first.limits();
    EngineLimits deeper =
        new EngineLimits(
            limits.maxNumSeqs(),
            limits.maxNumBatchedTokens(),
            limits.maxModelTokens(),
            limits.maxAttempts(),
            limits.checkpointEvents(),
            in.integer());
    String predictor = in.text();
    List<Place> places = new ArrayList<>();
    for (Place place : first.topology().places()) {
      places.add(
          new Place(
              place.id(), place.name(), place.kind(), place.computes(), in.flag(), place.blocks()));
    }
    int count = in.count();
    List<StepCosts> costs = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      costs.add(
          new StepCosts(
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned(),
              in.unsigned()));
    }
    List<Link> links = new ArrayList<>();
    for (Link link : first.topology().links()) {
      links.add(
          new Link(
              link.from(),
              link.to(),
              link.bytesPerSecond(),
              link.copyNanos(),
              in.integer() + Link.OWN_CHANNEL));
    }
    return new EngineConfig(
        first.kv(), deeper, new Topology(places, links), first.policy(), costs, predictor);
  }
}
