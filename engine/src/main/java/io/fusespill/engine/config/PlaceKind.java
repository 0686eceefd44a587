package io.fusespill.engine.config;

/// What kind of memory a place's blocks lie in.
public enum PlaceKind {
  DEVICE,
  HOST,
  DISK
}
