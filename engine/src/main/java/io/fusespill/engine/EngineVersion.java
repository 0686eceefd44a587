package io.fusespill.engine;

/// The engine's version, which every log names. It changes when the same inputs may lead to other
/// decisions.
public final class EngineVersion {

  public static final String VERSION = "0.1.0";

  private EngineVersion() {}
}
