package io.fusespill.host.checkpoint;

/// Where a model's weights come from, by their names in Hugging Face checkpoints.
public interface WeightSource {

  /// The tensor of that name, as a matrix of that shape; a vector has one row.
  ///
  /// @throws CheckpointException if it is missing, or has another shape or an element type that is
  ///   not known
  Tensor tensor(String name, int rows, int columns);
}
