/// Checkpoints in the folders that people have them in: what they hold, mapped and checked.
@NullMarked
package io.fusespill.host.checkpoint;

import org.jspecify.annotations.NullMarked;
