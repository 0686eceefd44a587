/// What a run did over its time, as folds over its log: pools, devices, links, estimates. Memory is
/// bounded whatever the run's length.
@NullMarked
package io.fusespill.replay.timeline;

import org.jspecify.annotations.NullMarked;
