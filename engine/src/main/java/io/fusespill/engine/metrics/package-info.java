/// Figures of a run, each a fold over its events.
@NullMarked
package io.fusespill.engine.metrics;

import org.jspecify.annotations.NullMarked;
