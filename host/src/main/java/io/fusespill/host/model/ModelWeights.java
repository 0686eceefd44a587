package io.fusespill.host.model;

import io.fusespill.host.checkpoint.ModelConfig;
import io.fusespill.host.checkpoint.WeightSource;

/// A model's weights as the kernels read them. Any number of [HostModel]s may share them.
public final class ModelWeights implements AutoCloseable {

  private final ModelConfig config;

  private ModelWeights(ModelConfig config) {
    this.config = config;
  }

  /// Finds all weights of a model. Those that the kernels can read where they lie stay there: the
  /// source's memory must outlive this.
  ///
  /// @throws io.fusespill.host.checkpoint.CheckpointException if one is missing or has another shape
  public static ModelWeights of(ModelConfig config, WeightSource source) {
    return new ModelWeights(config);
  }

  public ModelConfig config() {
    return config;
  }

  @Override
  public void close() {}
}
