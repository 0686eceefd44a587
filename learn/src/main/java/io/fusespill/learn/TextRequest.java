package io.fusespill.learn;

import org.jspecify.annotations.Nullable;

/// A request with the text of its prompt.
///
/// @param prompt its text, not blank
/// @param promptTokens tokens of the prompt, given or estimated, 1 or more
/// @param outputTokens tokens of the output, given or estimated, 1 or more
/// @param arrivalNanos when it arrives on the file's own clock, null where the file has no times
public record TextRequest(
    String prompt, int promptTokens, int outputTokens, @Nullable Long arrivalNanos) {}
