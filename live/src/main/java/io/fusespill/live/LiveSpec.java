package io.fusespill.live;

import io.fusespill.engine.config.PolicySpec;
import io.fusespill.host.checkpoint.ElementType;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What somebody asks to be run on this machine, before anything is derived from it.
///
/// @param devices that serve, at least one
/// @param auxiliary devices after them, named so that a policy can tell them apart
/// @param attention threads of the host's memory that attend over the KV that lies there; null
///   where it only keeps it
/// @param swapGib host memory for KV in GiB; 0 for none
/// @param diskGib room for KV on disk in GiB; 0 for none, and none without host memory
/// @param utilisation share of the machine's memory for weights and KV where a device's blocks are
///   not given
/// @param kvType how KV is stored; null for what suits the devices
public record LiveSpec(
    List<Share> devices,
    List<Share> auxiliary,
    @Nullable Share attention,
    double swapGib,
    double diskGib,
    double utilisation,
    @Nullable ElementType kvType,
    PolicySpec policy,
    Limits limits) {

  /// Limits; 0 stands for the default.
  public record Limits(
      int blockTokens,
      int maxNumSeqs,
      int maxNumBatchedTokens,
      int maxModelTokens,
      int checkpointEvents,
      int maxStepsInFlight,
      String predictor) {

    public static final Limits DEFAULT = new Limits(0, 0, 0, 0, 65_536, 0, "");
  }

  public LiveSpec {
    devices = List.copyOf(devices);
    auxiliary = List.copyOf(auxiliary);
    if (devices.isEmpty()) {
      throw new LiveException("no device: name at least one, for example --device host");
    }
    if (!(utilisation > 0 && utilisation <= 1)) {
      throw new LiveException(
          "memory utilisation is %s, must be above 0 and at most 1".formatted(utilisation));
    }
    if (!(swapGib >= 0) || !(diskGib >= 0)) {
      throw new LiveException(
          "swap space of %s GiB and disk of %s GiB: neither can be negative"
              .formatted(swapGib, diskGib));
    }
    if (attention != null && attention.isGpu()) {
      throw new LiveException("attention runs on the host's cores, for example host:threads=2");
    }
    List<String> parts =
        Stream.concat(devices.stream(), auxiliary.stream())
            .filter(Share::isGpu)
            .map(Share::label)
            .toList();
    for (int i = 0; i < parts.size(); i++) {
      if (parts.indexOf(parts.get(i)) < i) {
        throw new LiveException(
            "%s is named twice: a further device on the same GPU is spelt with # and a number, for example cuda:0#2"
                .formatted(parts.get(i)));
      }
    }
    if (diskGib > 0 && swapGib == 0) {
      throw new LiveException("a disk stands behind a host, and swap space 0 leaves none");
    }
    if (attention != null && swapGib == 0) {
      throw new LiveException(
          "attention runs over KV in host memory, and swap space 0 leaves none");
    }
  }
}
