/// How the next token is picked from a model's logits.
@NullMarked
package io.fusespill.host.sampling;

import org.jspecify.annotations.NullMarked;
