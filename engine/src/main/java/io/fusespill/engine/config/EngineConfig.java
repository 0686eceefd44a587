package io.fusespill.engine.config;

/// All that the engine's behaviour depends on besides its inputs.
public record EngineConfig(
    KvLayout kv, EngineLimits limits, Topology topology, PolicySpec policy) {}
