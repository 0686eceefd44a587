/// A transformer's forward pass over KV in blocks.
@NullMarked
package io.fusespill.host.model;

import org.jspecify.annotations.NullMarked;
