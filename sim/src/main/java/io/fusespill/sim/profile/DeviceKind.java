package io.fusespill.sim.profile;

/// What computes.
public enum DeviceKind {
  GPU,
  CPU
}
