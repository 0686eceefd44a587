package io.fusespill.cli;

import io.fusespill.host.checkpoint.ElementType;
import io.fusespill.live.Share;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What a model computes in on a GPU: `--dtype`.
final class DtypeOption {

  @Option(
      names = "--dtype",
      defaultValue = "auto",
      paramLabel = "T",
      description =
          "What weights, activations and KV are on a GPU: auto (default, as the checkpoint; bf16 for one in f32), bf16 or f16, also spelt bfloat16, float16 and half. f16 rounds eight times finer than bf16, but holds no number beyond 65,504. The host computes in f32.")
  private String dtype;

  @SuppressWarnings("NullAway.Init") // picocli sets what has a default
  DtypeOption() {}

  /// Null for what the checkpoint is in.
  ///
  /// @param shares all devices
  /// @throws UsageException if it is no such type, or there is no GPU
  @Nullable ElementType type(List<Share> shares) {
    if (dtype.equals("auto")) {
      return null;
    }
    ElementType type = type(dtype);
    if (shares.stream().noneMatch(Share::isGpu)) {
      throw new UsageException(
          "--dtype %s is for GPUs, and none is among the devices: the host computes in f32 from the weights as they are; leave --dtype away"
              .formatted(dtype));
    }
    return type;
  }

  private static ElementType type(String name) {
    ElementType type = named(name);
    if (type == null || type == ElementType.F32) {
      throw new UsageException("--dtype is \"%s\", must be auto, bf16 or f16".formatted(name));
    }
    return type;
  }

  /// The type by our name or one of vLLM's; null for no type's.
  static @Nullable ElementType named(String name) {
    return switch (name) {
      case "f32", "float32", "float" -> ElementType.F32;
      case "bf16", "bfloat16" -> ElementType.BF16;
      case "f16", "float16", "half" -> ElementType.F16;
      default -> null;
    };
  }
}
