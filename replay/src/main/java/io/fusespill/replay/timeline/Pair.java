package io.fusespill.replay.timeline;

/// What was predicted of something, and what it came to.
public record Pair(double predicted, double actual) {}
