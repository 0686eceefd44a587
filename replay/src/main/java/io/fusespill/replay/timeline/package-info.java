/// What took time in a run, as spans: steps, transfers, lives, and the levels in between.
@NullMarked
package io.fusespill.replay.timeline;

import org.jspecify.annotations.NullMarked;
