package io.fusespill.engine.policy;

/// One option of a policy, as the command line and the configuration spell it.
///
/// @param legal what values are legal, for help and errors
/// @param meaning one line of help
public record PolicyOption(String name, String legal, String defaultValue, String meaning) {}
