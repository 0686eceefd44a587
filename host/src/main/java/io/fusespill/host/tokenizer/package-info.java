/// Text to token ids and back, and what chats look like to a model.
@NullMarked
package io.fusespill.host.tokenizer;

import org.jspecify.annotations.NullMarked;
