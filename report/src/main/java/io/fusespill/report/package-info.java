/// Runs as one page that people read: figures, timeline, decisions, configuration.
@NullMarked
package io.fusespill.report;

import org.jspecify.annotations.NullMarked;
