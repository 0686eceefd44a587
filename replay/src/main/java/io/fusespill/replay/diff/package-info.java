/// Two runs held against each other: where they part, and what came of it.
@NullMarked
package io.fusespill.replay.diff;

import org.jspecify.annotations.NullMarked;
