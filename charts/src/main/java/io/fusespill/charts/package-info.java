/// Figures of runs, evaluations and sweeps: rows in, PNG, SVG and CSV out.
@NullMarked
package io.fusespill.charts;

import org.jspecify.annotations.NullMarked;
