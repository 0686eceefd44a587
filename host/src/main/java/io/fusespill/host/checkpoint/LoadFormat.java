package io.fusespill.host.checkpoint;

/// Where a checkpoint's weights come from.
public enum LoadFormat {
  /// The files of the folder, in whichever known format they are.
  AUTO,
  /// The folder's `*.safetensors`.
  SAFETENSORS,
  /// Random weights of the configuration's shape: only `config.json` is needed.
  DUMMY
}
