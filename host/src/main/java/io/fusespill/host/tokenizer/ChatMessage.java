package io.fusespill.host.tokenizer;

/// One message of a chat.
///
/// @param role who says it: `system`, `user`, `assistant`, or what else the model's template knows
public record ChatMessage(String role, String content) {}
