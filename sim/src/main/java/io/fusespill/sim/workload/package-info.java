/// Where a run's requests come from: trace files and generators, with what was asked of them.
@NullMarked
package io.fusespill.sim.workload;

import org.jspecify.annotations.NullMarked;
