/// What a run did over its time, as folds over its log: spans of steps, transfers and lives, pools,
/// devices, links, estimates. Memory follows what is live, whatever the run's length.
@NullMarked
package io.fusespill.replay.timeline;

import org.jspecify.annotations.NullMarked;
