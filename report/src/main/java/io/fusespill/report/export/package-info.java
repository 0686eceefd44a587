/// Runs as files that other tools open.
@NullMarked
package io.fusespill.report.export;

import org.jspecify.annotations.NullMarked;
