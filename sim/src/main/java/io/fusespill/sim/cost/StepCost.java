package io.fusespill.sim.cost;

/// Where the nanoseconds of a step go. The parts add up to [StepTimeModel#nanos].
///
/// A part that a resource bounds holds all the time of its phase: linear layers appear under
/// `weightsNanos` while reading weights takes longer than multiplying, otherwise under the two
/// `…LinearNanos`.
///
/// @param weightsNanos reading the weights of the linear layers
/// @param kvNanos decode attention
/// @param prefillLinearNanos arithmetic of the linear layers for prefill tokens and their padding
/// @param decodeLinearNanos arithmetic of the linear layers for decode tokens and their padding
/// @param prefillAttentionNanos arithmetic of prefill attention
/// @param activationNanos reading and writing activations between the products
/// @param headNanos the output head
/// @param communicationNanos all-reduces between the cards of a tensor-parallel device
/// @param overheadNanos what does not depend on the shape
/// @param extrapolated whether the shape lies outside what the model was fitted to
public record StepCost(
    long weightsNanos,
    long kvNanos,
    long prefillLinearNanos,
    long decodeLinearNanos,
    long prefillAttentionNanos,
    long activationNanos,
    long headNanos,
    long communicationNanos,
    long overheadNanos,
    boolean extrapolated) {

  public long totalNanos() {
    return weightsNanos
        + kvNanos
        + prefillLinearNanos
        + decodeLinearNanos
        + prefillAttentionNanos
        + activationNanos
        + headNanos
        + communicationNanos
        + overheadNanos;
  }
}
