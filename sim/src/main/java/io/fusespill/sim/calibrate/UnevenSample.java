package io.fusespill.sim.calibrate;

import io.fusespill.sim.cost.StepShape;

/// A step whose decodes have different contexts, as it was measured.
///
/// @param factor its attention over that of a step whose decodes all have the mean of its contexts,
///   above 0
record UnevenSample(StepShape shape, double factor) {}
