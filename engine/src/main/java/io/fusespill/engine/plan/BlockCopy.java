package io.fusespill.engine.plan;

/// A block duplicated on its device before a step writes to it, because another sequence shares it
/// (copy on write).
///
/// @param sequence the sequence whose table gets `target` in the place of `source`
public record BlockCopy(int sequence, int source, int target) {}
